"""`/v3/hooks`: webhooks, bound to the account that made them; nobody sees those of another (sheet 2 and 14.4)."""

from __future__ import annotations

from typing import Any

from sandbox.bigcommerce.replies import collection, single, titled
from sandbox.bigcommerce.state import Account, State, Store, Webhook
from sandbox.exchange import Reply


def answer(state: State, store: Store, account: Account, method: str, names: tuple[str, ...], document: Any) -> Reply:
    """List or create (no name), read, change or delete (the id as name)."""
    own = state.webhooks(store, account.id)
    body: dict[str, Any] = document if isinstance(document, dict) else {}
    if not names and method == "GET":
        return collection([_shown(account, hook) for hook in own], v2=False)
    if not names:
        errors = _mistakes(body)
        if errors:
            return titled(422, "JSON data is missing or invalid", errors)
        hook = state.add_webhook(
            store, account.id, body["scope"], body["destination"], bool(body.get("is_active", True))
        )
        return single(_shown(account, hook))
    hook_or_none = next((hook for hook in own if str(hook.id) == names[0]), None)
    if hook_or_none is None:
        return titled(404, "The requested resource was not found.")
    return _one(state, account, method, hook_or_none, body)


def _one(state: State, account: Account, method: str, hook: Webhook, body: dict[str, Any]) -> Reply:
    if method == "DELETE":
        state.delete_webhook(hook)
    elif method == "PUT":
        shown = _shown(account, hook) | body
        errors = _mistakes(shown)
        if errors:
            return titled(422, "JSON data is missing or invalid", errors)
        hook = state.change_webhook(hook, shown["scope"], shown["destination"], bool(shown["is_active"]))
    return single(_shown(account, hook))


def _mistakes(body: dict[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not isinstance(body.get("scope"), str) or not body["scope"].startswith("store/"):
        errors["scope"] = "missing or unknown"
    if not isinstance(body.get("destination"), str) or not body["destination"].startswith("https://"):
        errors["destination"] = "must be an https address"
    return errors


def _shown(account: Account, hook: Webhook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "client_id": account.client_id,
        "scope": hook.scope,
        "destination": hook.destination,
        "is_active": hook.is_active,
        "created_at": hook.created,
        "updated_at": hook.created,
    }
