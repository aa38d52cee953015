"""The forms of StackOne's answers: JSON, and errors with the documented body (section 1)."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Any

from sandbox.exchange import Reply
from sandbox.stackone.state import PLACEHOLDER, ROLES, SECRET_ROLES, Account, Organisation, Session, timestamp

V2_STATUSES = ("active", "suspended", "error")


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.reply = refusal(status, message, **details)


def answer(document: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(document).encode(), [("Content-Type", "application/json; charset=utf-8")])


def refusal(status: int, message: str = "", **details: Any) -> Reply:
    """An error: `{statusCode, message, timestamp}` and what else is known about it."""
    words = message or HTTPStatus(status).phrase
    return answer({"statusCode": status, "message": words, "timestamp": timestamp(time.time())} | details, status)


def shown_account(organisation: Organisation, account: Account) -> dict[str, Any]:
    """An account as the public API shows it: `credentials` is empty always (T10)."""
    return {
        "id": account.id,
        "provider": account.provider,
        "provider_name": "WooCommerce",
        "status": account.status,
        "status_reasons": account.status_reasons,
        "origin_owner_id": account.origin_owner_id,
        "origin_owner_name": account.origin_owner_name,
        "origin_username": account.origin_username,
        "label": account.label,
        "credentials": {},
        "setup_information": setup_information(organisation, account),
        "shared": account.shared,
        "type": account.type,
        "metadata": account.metadata,
        "integration_id": account.integration_id,
        "created_at": timestamp(account.created),
        "updated_at": timestamp(account.updated),
    }


def shown_v2_account(organisation: Organisation, account: Account) -> dict[str, Any]:
    """An account as the newer reference has it: another field, three statuses (T22)."""
    shown = shown_account(organisation, account)
    status = account.status if account.status in V2_STATUSES else "error"
    return shown | {"status": status, "connector_profile_id": connector_profile_id(organisation)}


def connector_profile_id(organisation: Organisation) -> str:
    """The connector profile of WooCommerce."""
    return f"profile-woocommerce-{organisation.id}"


def setup_information(organisation: Organisation, account: Account) -> dict[str, str]:
    """The fields that are no secrets; by a switch the others too, as placeholders."""
    hidden = secret_fields(organisation, account) if organisation.settings.placeholders_in_setup_information else {}
    return plain_fields(organisation, account) | hidden


def plain_fields(organisation: Organisation, account: Account) -> dict[str, str]:
    """Values of the fields that are no secrets, by their key."""
    return {
        key: getattr(account, role)
        for key, role in zip(organisation.settings.field_keys, ROLES, strict=True)
        if role not in SECRET_ROLES
    }


def secret_fields(organisation: Organisation, account: Account) -> dict[str, str]:
    """Placeholders of the secret fields, by their key (T11)."""
    return {
        key: placeholder(getattr(account, role), organisation.settings.secret_tail)
        for key, role in zip(organisation.settings.field_keys, ROLES, strict=True)
        if role in SECRET_ROLES
    }


def placeholder(value: str, tail: int) -> str:
    """What stands for a secret: its last characters at most."""
    return PLACEHOLDER + (value[-tail:] if tail else "")


def shown_session(organisation: Organisation, session: Session) -> dict[str, Any]:
    """A session without its token."""
    return {
        "id": session.id,
        "organization_id": organisation.id,
        "project_id": organisation.project_id,
        "provider": session.provider,
        "origin_owner_id": session.origin_owner_id,
        "origin_owner_name": session.origin_owner_name,
        "origin_username": session.origin_username,
        "account_id": session.account_id,
        "label": session.label,
        "integration_id": session.integration_id,
        "metadata": session.metadata,
        "type": session.type,
        "multiple": session.multiple,
        "created_at": timestamp(session.created),
    }
