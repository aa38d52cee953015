"""The switches of an organisation: every point that stackone.md leaves open or calls a trap (section 8)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

TAIL_LENGTH = 4


class OrganisationSettings(BaseModel):
    """Every switch with its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    clock_offset: float = 0.0
    """Seconds by which the clock is ahead; sessions expire by it."""
    latency: float = Field(0.0, ge=0)

    # The public API
    refuse_anonymous: bool = False
    """403 to a client whose User-Agent is missing or a library's default (T7)."""
    provider_version: Literal["refused", "ignored"] = "refused"
    """What the deprecated field does in the body of a session (T8)."""
    list_shape: Literal["bare", "data"] = "bare"
    """`GET /accounts` answers an array, or `{"data": [..]}` (T9)."""
    page_size: int = Field(25, ge=1)
    """Accounts on a page where the request names no `page_size`."""
    v2: bool = True
    """`/v2/accounts` is there (T22)."""
    connector: Literal["active", "inactive", "missing"] = "active"
    """How `woocommerce` stands among the connectors (T21)."""
    owner_key: Literal["id", "id_and_name"] = "id"
    """What makes two sessions one owner's: `origin_owner_id`, or that and `origin_owner_name` (T2)."""
    accounts_key_may_act: bool = False
    """A key of scope Accounts may run actions too."""
    store_refusal_status: Literal[401, 403, 422, 502] = 401
    """Status of a data call whose store refuses the account's key: the store's own by default, with `provider_errors`."""
    placeholders_in_setup_information: bool = False
    """`setup_information` of the public API shows the secret fields too, as placeholders."""

    # The Hub
    field_keys: list[str] = ["storeUrl", "consumerKey", "consumerSecret"]
    """Keys of Store URL, Consumer Key and Consumer Secret in `configFields` and in the credentials (T12)."""
    field_count: Literal[2, 3, 4] = 3
    """Two leaves the secret out, four adds one that is not needed (T12)."""
    config_type: Literal["custom", "oauth2"] = "custom"
    """`oauth2` has `/hub/connection_attempts` and takes no credentials (T23)."""
    secret_tail: int = Field(TAIL_LENGTH, ge=0)
    """Characters at the end of a placeholder that are the secret's; 0 is none (T11)."""
    expired_status: Literal[401, 403] = 401
    """What the Hub's wire answers without a living session (T4)."""
    failure_status: Literal[400, 409, 422, 502] = 400
    """Status of a connection test that failed (T13)."""
    failure_message: Literal["text", "json"] = "text"
    """`message` of such a failure: words, or JSON with the words in it (T13)."""
    provider_response: bool = True
    """A failure that the store's answer caused carries `provider_response` (T13)."""

    # What becomes of an account
    link_status: str = "active"
    """Status of an account after its link; any text, as the enumeration is open (T17)."""
    late_error_after_reads: int | None = Field(None, ge=0)
    """Answers that show the account as it was linked, after which it is in `error` by itself; None is never (T14)."""

    # PATCH
    patch_bag: Literal["credentials", "secrets", "either"] = "credentials"
    """Which bag of a PATCH counts; the other is taken and forgotten (T16)."""
    patch_leaves_error: bool = False
    """A PATCH with credentials is answered 200 and the account left in `error` (T16)."""
    patch_moves_updated_at: bool = True
    """Off: `updated_at` stays where it was (T16)."""
    patch_test: Literal["none", "reject", "error"] = "none"
    """Whether the store is asked on PATCH: never; a refusal is a failure of the PATCH; or leaves the account in `error`."""

    @field_validator("field_keys")
    @classmethod
    def _three_names(cls, keys: list[str]) -> list[str]:
        if len(set(keys)) != 3 or not all(keys):
            raise ValueError("field_keys are three different names: of Store URL, Consumer Key, Consumer Secret")
        return keys
