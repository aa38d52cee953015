"""admin-ajax.php: creating and updating keys (sheet 4.3, 4.6) and the REST nonce (sheet 4.9)."""

from __future__ import annotations

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.admin import absolute_integer
from sandbox.woocommerce.descriptions import MAXIMUM, normalise
from sandbox.woocommerce.key_pages import revoke_url
from sandbox.woocommerce.pages import link
from sandbox.woocommerce.replies import ajax, text
from sandbox.woocommerce.state import PERMISSIONS, Session, new_pair
from sandbox.woocommerce.visit import Visit

UPDATE_KEY = "woocommerce_update_api_key"


class RefusedError(Exception):
    """A refusal by rule: `success:false`, and 200 all the same (L9)."""


def answer(visit: Visit) -> Reply:
    """Any request to admin-ajax.php."""
    session = visit.admin_session
    action = visit.request.either("action")
    if session is None or action not in {UPDATE_KEY, "rest-nonce"}:
        return text("0", 400)
    if action == "rest-nonce":
        return text(visit.nonce("wp_rest", session))
    nonce = visit.request.either("security")
    if not visit.nonce_is_good(nonce, "update-api-key", session) or not session.user.manages_woocommerce:
        return text("-1", 403)
    try:
        return ajax({"success": True, "data": _save(visit, session)})
    except RefusedError as refusal:
        return ajax({"success": False, "data": {"message": visit.text(str(refusal))}})


def _save(visit: Visit, session: Session) -> dict[str, object]:
    # Only the form counts, so a GET has no description (sheet 4.3).
    form = visit.request.form
    for name in ("description", "user", "permissions"):
        if form.get(name, "") in {"", "0"}:
            raise RefusedError(f"{name}_missing")
    description = normalise(form["description"])
    if not description:
        raise UnknownInSheetError("a description of which nothing is left once it is normalised")
    # L3: a word that is none of the three becomes `read` without a murmur.
    permissions = form["permissions"] if form["permissions"] in PERMISSIONS else "read"
    user_id = absolute_integer(form["user"])
    if not user_id:
        raise UnknownInSheetError("an owner that is no number")
    _check_owner(visit, session, user_id)
    key_id = absolute_integer(form.get("key_id", ""))
    if key_id:
        return _update(visit, key_id, user_id, description, permissions)
    return _create(visit, session, user_id, description, permissions)


def _check_owner(visit: Visit, session: Session, user_id: int) -> None:
    """The owner rule from 3.5; a user id that does not exist passes (L4)."""
    if not visit.profile.owner_rule or user_id == session.user.id:
        return
    owner = visit.state.user(visit.store, user_id)
    if owner is None:
        if session.user.role != "administrator":
            raise UnknownInSheetError("a shop manager giving a key to a user who does not exist")
    elif not session.user.may_edit(owner):
        raise RefusedError("owner_refused")


def _is_too_long(visit: Visit, description: str) -> bool:
    """Whether the version minds the length (sheet 2.1); in what unit it counts is unknown."""
    if visit.profile.long_description == "store":
        return False
    if len(description) <= MAXIMUM < len(description.encode("utf-8", "surrogatepass")):
        raise UnknownInSheetError("whether the limit of 200 counts characters or bytes")
    return len(description) > MAXIMUM


def _create(visit: Visit, session: Session, user_id: int, description: str, permissions: str) -> dict[str, object]:
    pair = new_pair()
    if _is_too_long(visit, description):
        if visit.profile.long_description == "refuse":
            raise RefusedError("description_too_long")
        key_id = 0  # L1: the phantom key, a full pair and no row
    else:
        key_id = visit.state.insert_key(visit.store, user_id, description, permissions, pair)
    style = "color: #a00; text-decoration: none;"
    return {
        "user_id": user_id,
        "description": description,
        "permissions": permissions,
        "consumer_key": pair.consumer_key,
        "consumer_secret": pair.consumer_secret,
        "truncated_key": pair.consumer_key[-7:],
        "message": visit.text("key_generated"),
        "revoke_url": f'<a style="{style}" href="{link(revoke_url(visit, session, key_id))}">{visit.text("revoke_key")}</a>',
    }


def _update(visit: Visit, key_id: int, user_id: int, description: str, permissions: str) -> dict[str, object]:
    """All three fields at once. Who owned the key before is never checked (L16), nor whether it exists (L2)."""
    if _is_too_long(visit, description):
        raise UnknownInSheetError("an update with a description over 200")
    visit.state.update_key(visit.store, key_id, user_id, description, permissions)
    return {
        "user_id": user_id,
        "description": description,
        "permissions": permissions,
        "consumer_key": "",
        "consumer_secret": "",
        "message": visit.text("key_updated"),
    }
