"""WordPress's own REST routes that help with keys: users and application passwords (sheet 4.9, 10)."""

from __future__ import annotations

import datetime
import re
from typing import Any

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.authentication import Identity
from sandbox.woocommerce.rest_replies import READING, RestError, json_reply, no_route, only_fields, paged
from sandbox.woocommerce.state import ApplicationPassword, User
from sandbox.woocommerce.visit import Visit

USER_ROUTE = re.compile(r"/users/(me|\d+)\Z")
APPLICATION_PASSWORDS = re.compile(r"/users/(me|\d+)/application-passwords(?:/([0-9a-f-]{36}))?\Z")

CAPABILITIES = {
    "administrator": (
        "manage_options",
        "manage_woocommerce",
        "edit_users",
        "list_users",
        "remove_users",
        "view_site_health_checks",
        "read",
    ),
    "shop_manager": ("manage_woocommerce", "edit_users", "list_users", "read"),
    "customer": ("read",),
}


def answer(visit: Visit, identity: Identity, route: str) -> Reply:
    """A route below wp/v2."""
    if match := APPLICATION_PASSWORDS.match(route):
        return _application_passwords(visit, identity, match[1], match[2])
    if route == "/users":
        return _users(visit, identity)
    if match := USER_ROUTE.match(route):
        return _user(visit, identity, match[1])
    if route in {"", "/posts", "/pages", "/settings", "/plugins"}:
        raise UnknownInSheetError(f"wp/v2{route}")
    raise no_route(visit)


def may(identity: Identity, capability: str) -> bool:
    """Whether the user of a request has a capability; nobody has none."""
    return identity.user is not None and capability in CAPABILITIES[identity.user.role]


def _users(visit: Visit, identity: Identity) -> Reply:
    """Users whose login, name or mail contains the text; more than the one that was meant."""
    query = visit.request.query
    if visit.request.method not in READING:
        raise UnknownInSheetError(f"wp/v2/users by {visit.request.method}")
    if query.get("context") != "edit":
        raise UnknownInSheetError("wp/v2/users without context=edit")
    if not may(identity, "list_users"):
        raise _forbidden(visit, identity, "rest_forbidden_context", "forbidden_context")
    wanted = query.get("search", "").casefold()
    found = [
        user
        for user in visit.state.users(visit.store)
        if wanted in f"{user.login}\n{user.display_name}\n{user.mail}".casefold()
    ]
    found.sort(key=lambda user: user.display_name.casefold())
    return paged(visit, [_shown(visit, user) for user in found])


def _user(visit: Visit, identity: Identity, name: str) -> Reply:
    user = _subject(visit, identity, name)
    if visit.request.method not in READING:
        raise UnknownInSheetError(f"wp/v2/users/{name} by {visit.request.method}")
    if visit.request.query.get("context") != "edit":
        raise UnknownInSheetError(f"wp/v2/users/{name} without context=edit")
    if identity.user is None or not identity.user.may_edit(user):
        raise _forbidden(visit, identity, "rest_forbidden_context", "forbidden_context")
    return json_reply(only_fields(visit, _shown(visit, user)))


def _subject(visit: Visit, identity: Identity, name: str) -> User:
    if name == "me":
        if identity.user is None:
            raise RestError("rest_not_logged_in", visit.text("not_logged_in"), 401)
        return identity.user
    user = visit.state.user(visit.store, int(name))
    if user is None:
        raise RestError("rest_user_invalid_id", visit.text("user_invalid"), 404)
    return user


def _forbidden(visit: Visit, identity: Identity, code: str, text: str) -> RestError:
    return RestError(code, visit.text(text), 401 if identity.user is None else 403)


def _shown(visit: Visit, user: User) -> dict[str, Any]:
    capabilities = dict.fromkeys((*CAPABILITIES[user.role], user.role), True)
    return {
        "id": user.id,
        "username": user.login,
        "name": user.display_name,
        "email": user.mail,
        "slug": user.login,
        "roles": [user.role],
        "capabilities": capabilities,
        "extra_capabilities": {user.role: True},
        "locale": visit.text("locale"),
    }


def _application_passwords(visit: Visit, identity: Identity, name: str, identifier: str | None) -> Reply:
    user = _subject(visit, identity, name)
    if identity.user is None or not identity.user.may_edit(user):
        raise _forbidden(visit, identity, "rest_cannot_manage_application_passwords", "application_passwords_forbidden")
    method, state, store = visit.request.method, visit.state, visit.store
    given = _name_given(visit)
    if identifier is None:
        if method in READING:
            return json_reply([_password_shown(one) for one in state.application_passwords(store, user)])
        if method == "POST":
            if not given:
                raise RestError("rest_missing_callback_param", visit.text("invalid_parameter", name="name"), 400)
            made, password = state.add_application_password(store, user, given, int(visit.now))
            spaced = " ".join(password[position : position + 4] for position in range(0, len(password), 4))
            return json_reply(_password_shown(_find(visit, user, made)) | {"password": spaced}, 201)
        if method == "DELETE":
            return json_reply({"deleted": True, "count": state.delete_application_passwords(store, user)})
        raise no_route(visit)
    found = _find(visit, user, identifier)
    if method in {"POST", "PUT", "PATCH"}:
        state.rename_application_password(store, user, identifier, given or found.name)
        found = _find(visit, user, identifier)
    elif method == "DELETE":
        state.delete_application_passwords(store, user, identifier)
        return json_reply({"deleted": True, "previous": _password_shown(found)})
    elif method not in READING:
        raise no_route(visit)
    return json_reply(_password_shown(found))


def _find(visit: Visit, user: User, identifier: str) -> ApplicationPassword:
    for password in visit.state.application_passwords(visit.store, user):
        if password.uuid == identifier:
            return password
    message = visit.text("application_password_missing")
    raise RestError("rest_application_password_not_found", message, 404)


def _name_given(visit: Visit) -> str:
    """The name from the query, a form or a JSON body; the latter two arrive as the form (see server.py)."""
    return visit.request.either("name")


def _password_shown(password: ApplicationPassword) -> dict[str, Any]:
    return {
        "uuid": password.uuid,
        "app_id": "",
        "name": password.name,
        "created": _time(password.created),
        "last_used": _time(password.last_used),
        "last_ip": password.last_ip,
    }


def _time(moment: int | None) -> str | None:
    return (
        None if moment is None else datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    )
