"""wp/v2/settings: WordPress's own settings, and nothing of the CoopCycle plugin (coopcycle.md section 6)."""

from __future__ import annotations

from typing import Any

from sandbox.exchange import Reply
from sandbox.woocommerce.authentication import Identity
from sandbox.woocommerce.rest_replies import READING, RestError, json_reply, no_route
from sandbox.woocommerce.wordpress_rest import may
from sandbox.wordpress.visit import SiteVisit

FIELDS = {
    "title": "blogname",
    "description": "blogdescription",
    "email": "admin_email",
    "timezone": "timezone_string",
    "date_format": "date_format",
}


def answer(visit: SiteVisit, identity: Identity) -> Reply:
    """Read or write; a field that is none of these is passed over, as WordPress does."""
    if not may(identity, "manage_options"):
        status = 401 if identity.user is None else 403
        raise RestError("rest_forbidden", "Sorry, you are not allowed to do that.", status)
    options = visit.site.options
    if visit.request.method in {"POST", "PUT", "PATCH"}:
        given = visit.parameters()
        options |= {option: given[name] for name, option in FIELDS.items() if isinstance(given.get(name), str)}
        visit.keep()
    elif visit.request.method not in READING:
        raise no_route(visit)
    shown: dict[str, Any] = {name: options.get(option, "") for name, option in FIELDS.items()}
    return json_reply(shown | {"url": visit.home})
