"""The switches of the cloud and of its accounts. What surecart.md does not know of the real cloud is a setting here, so
that no client takes one value for a fact."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CloudSettings(_Settings):
    """How the whole cloud is set up and feels."""

    clock_offset: float = 0.0
    """Seconds by which its clock is ahead: dates, claim windows, rate windows and `deletion_delay` follow it."""
    latency: float = Field(0.0, ge=0)
    outage: bool = False
    """Every call of the API is answered 503 with a JSON error."""
    rate_limited: bool = False
    """Every call of the API is answered 429."""
    unauthorized_code: str = "unauthorized"
    """The `code` of a 401 (unknown, sheet 1.1)."""
    rate_limit_code: str = "too_many_requests"
    """The `code` of a 429 (unknown)."""
    outage_code: str = "service_unavailable"
    """The `code` of a 503 (unknown)."""
    status_in_body: Literal["word", "number"] = "word"
    """`http_status` of an error body: `unauthorized`, as in the vendor's example, or 401."""
    retry_after: bool = False
    """A 429 and a 503 say how many seconds to wait (unknown)."""
    public_limit: int = Field(60, ge=0)
    """Calls of public endpoints in a minute (sheet 1.1), counted for each public key and for those without one."""
    token_prefix: str = "st_"
    """What a secret token begins with (unknown)."""
    token_length: int = Field(24, ge=8, le=200)
    """How many letters and digits follow it (unknown)."""
    claim_window: float = Field(7 * 86_400.0, ge=0)
    """Seconds in which a provisional store must be claimed (unknown)."""


class AccountSettings(_Settings):
    """How one store's account is set up and feels."""

    outage: bool = False
    """Its tokens are answered 503 with a JSON error."""
    rate_limited: bool = False
    """Its tokens are answered 429."""
    operations_limit: int = Field(150, ge=0)
    """Operations in ten seconds (sheet 1.1), shared by all tokens of the account."""
    sensitive_operations: tuple[str, ...] = ()
    """Operations that count as sensitive, as shell patterns; which ones do is unknown."""
    sensitive_limit: int = Field(10, ge=0)
    """Sensitive operations in a minute (sheet 1.1)."""
    deletion_delay: float = Field(0.0, ge=0)
    """Seconds for which a deleted token still works; the vendor says that it stops at once (seed 000)."""
    token_limit: int = Field(0, ge=0)
    """How many tokens the dashboard lets an account have; 0 is no limit (unknown). With 1 a new one needs the old one
    deleted first."""
    token_names: bool = True
    """The dashboard lets a token be named (unknown). Off: nothing but date and last characters tells tokens apart."""
    webhook_urls_unique: bool = False
    """A second webhook endpoint of the same url is refused (unknown)."""
