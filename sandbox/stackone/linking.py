"""How an account gets its values: the fields, the connection test, the overwrite rule (stackone.md sections 3 and 4).

The Hub's wire and the Hub page both end here, so that a person at the page and a program at the wire meet the same rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.stackone.replies import RefusedError
from sandbox.stackone.state import (
    LABELS,
    PLACEHOLDER,
    PROVIDER,
    Account,
    Organisation,
    Role,
    Session,
    State,
    new_account_id,
)
from sandbox.store_calls import StoreAnswer, StoreKey, read
from sandbox.vendor import Call

TEST_RESOURCE = "products"
"""What the connection test reads; StackOne does not publish it."""
EXTRA_FIELD = "apiVersion"
INVALID = "INVALID_CREDENTIALS"
API_PATHS = ("/wp-json", "rest_route=")

Values = dict[Role, str]


def config_fields(organisation: Organisation) -> list[dict[str, Any]]:
    """The form of WooCommerce, field by field, as the Hub reads it."""
    fields: list[dict[str, Any]] = [
        {
            "key": key,
            "label": LABELS[role],
            "type": "text" if role == "store_url" else "password",
            "required": True,
            "secret": role != "store_url",
            "readOnly": False,
            "placeholder": "https://mystore.com" if role == "store_url" else "",
            "validation": None,
        }
        for key, role in organisation.field_keys.items()
    ]
    unused: dict[str, Any] = {
        "key": EXTRA_FIELD,
        "label": "API Version",
        "type": "text",
        "required": False,
        "secret": False,
    }
    unused |= {"readOnly": False, "placeholder": "", "validation": None}
    return [*fields, unused][: organisation.settings.field_count]


def values_of(organisation: Organisation, given: object) -> Values:
    """The values of a credentials object by what they mean; fields that nobody knows are passed over."""
    if not isinstance(given, Mapping):
        raise RefusedError(400, "credentials must be an object")
    values: Values = {}
    for key, role in organisation.field_keys.items():
        if key in given:
            value = given[key]
            if not isinstance(value, str):
                raise RefusedError(400, f"{key} must be a string")
            values[role] = value
    return values


async def link(state: State, call: Call, organisation: Organisation, session: Session, values: Values) -> Account:
    """Link what a session is for: a new account, or the owner's existing one with other values (T2)."""
    _demand_custom(organisation)
    for role, label in LABELS.items():
        if not values.get(role):
            raise _failure(organisation, f"{label} is required")
    key = StoreKey(values["store_url"], values["consumer_key"], values["consumer_secret"])
    await _try(call, organisation, key)
    account = None if session.multiple else state.account_of_owner(organisation, session)
    if account is None:
        account = _new_account(organisation, session, key)
        state.add_account(account)
    else:
        account.store_url, account.consumer_key, account.consumer_secret = (
            key.store_url,
            key.consumer_key,
            key.consumer_secret,
        )
        account.origin_owner_name = session.origin_owner_name
        account.origin_username = session.origin_username or account.origin_username
        account.label = session.label or account.label
        _as_linked(organisation, account)
        state.touch(organisation, account)
    _note(state, session, account)
    return account


async def edit(
    state: State, call: Call, organisation: Organisation, session: Session, account: Account, values: Values
) -> Account:
    """Give the account of an edit session other values; what is left out stays (T3)."""
    _demand_custom(organisation)
    if _is_rubbish(values):
        _break(organisation, account, values)
    else:
        await _try(call, organisation, _changed(account, values))
        _set(account, values)
        _as_linked(organisation, account)
    _note(state, session, account)
    return state.touch(organisation, account)


async def patch_values(call: Call, organisation: Organisation, account: Account, values: Values) -> None:
    """Other values by the public API; whether the store is asked is a switch (T16). The caller writes the account through."""
    settings = organisation.settings
    if _is_rubbish(values):
        _break(organisation, account, values)
        return
    reason = ""
    if settings.patch_test != "none":
        try:
            await _try(call, organisation, _changed(account, values))
        except LinkFailedError as failed:
            if settings.patch_test == "reject":
                raise
            reason = failed.words
    _set(account, values)
    if settings.patch_leaves_error or reason:
        account.blame(INVALID, reason or "The connection test failed", organisation.now)
    elif account.status in {"error", "expired"}:
        account.status, account.status_reasons = "active", []


def url_mistake(url: str) -> str:
    """What is wrong with a Store URL; empty for a good one."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return "Store URL must be a full https address"
    if any(path in url for path in API_PATHS):
        return "Store URL must not hold the API path"
    if url.endswith("/"):
        return "Store URL must not end with a slash"
    return "Store URL must be an address alone" if parts.query or parts.fragment else ""


async def _try(call: Call, organisation: Organisation, key: StoreKey) -> None:
    """The connection test: the store itself is asked (T13)."""
    if mistake := url_mistake(key.store_url):
        raise _failure(organisation, mistake)
    told = await read(call, key, TEST_RESOURCE)
    if not told.is_good:
        raise _failure(organisation, f"Connection test failed: {told.words}", told)


def _failure(organisation: Organisation, words: str, told: StoreAnswer | None = None) -> LinkFailedError:
    """A failure as the Hub's wire words it."""
    settings = organisation.settings
    details: dict[str, Any] = {}
    if told is not None and settings.provider_response:
        details["provider_response"] = {"status": told.status, "body": told.document}
    message = json.dumps({"error": words}) if settings.failure_message == "json" else words
    return LinkFailedError(settings.failure_status, message, words, **details)


class LinkFailedError(RefusedError):
    """A connection test that failed; `words` are for a person."""

    def __init__(self, status: int, message: str, words: str, **details: Any) -> None:
        super().__init__(status, message, **details)
        self.words = words


def _demand_custom(organisation: Organisation) -> None:
    if organisation.settings.config_type != "custom":
        raise RefusedError(400, "This integration is linked by OAuth: it takes no credentials")


def _new_account(organisation: Organisation, session: Session, key: StoreKey) -> Account:
    now = organisation.now
    account = Account(
        id=new_account_id(),
        organisation=organisation.name,
        provider=PROVIDER,
        integration_id=organisation.integration_id,
        origin_owner_id=session.origin_owner_id,
        origin_owner_name=session.origin_owner_name,
        origin_username=session.origin_username,
        label=session.label,
        status="",
        type=session.type,
        metadata=session.metadata,
        created=now,
        updated=now,
        store_url=key.store_url,
        consumer_key=key.consumer_key,
        consumer_secret=key.consumer_secret,
    )
    _as_linked(organisation, account)
    return account


def _as_linked(organisation: Organisation, account: Account) -> None:
    account.status, account.status_reasons, account.reads = organisation.settings.link_status, [], 0


def _note(state: State, session: Session, account: Account) -> None:
    session.linked_account = account.id
    state.keep_session(session)


def _is_rubbish(values: Values) -> bool:
    """Whether a placeholder came back as a value."""
    return any(value.startswith(PLACEHOLDER) for value in values.values())


def _break(organisation: Organisation, account: Account, values: Values) -> None:
    """Take a placeholder as if it were the secret: the account is broken by it (T11)."""
    _set(account, values)
    account.blame(INVALID, "The credentials are not valid", organisation.now)


def _changed(account: Account, values: Values) -> StoreKey:
    return StoreKey(
        values.get("store_url", account.store_url),
        values.get("consumer_key", account.consumer_key),
        values.get("consumer_secret", account.consumer_secret),
    )


def _set(account: Account, values: Values) -> None:
    for role, value in values.items():
        setattr(account, role, value)
