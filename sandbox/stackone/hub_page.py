"""The Hub as a person sees it: a form with the fields of WooCommerce behind `auth_link_url`.

The real Hub is a program in the browser that speaks the wire; the form does the same on the server. Words and fields are the
documented ones, the markup is ours.
"""

from __future__ import annotations

from html import escape

from sandbox.exchange import Reply
from sandbox.stackone import linking
from sandbox.stackone.hub import edited_account, living_session
from sandbox.stackone.linking import LinkFailedError, config_fields
from sandbox.stackone.replies import RefusedError
from sandbox.stackone.state import PROVIDER, PROVIDER_NAME, Session
from sandbox.stackone.visit import Visit

PATH = "/connect"
STYLE = """
body { font-family: sans-serif; margin: 0; background: #f4f6f5; color: #1f2b27; }
main { max-width: 28rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 8px; }
label { display: block; margin-top: 1rem; } input { width: 100%; padding: .4rem; } button { margin-top: 1.5rem; padding: .5rem 2rem; }
.error { color: #b3261e; font-weight: bold; }
"""


def expired(status: int) -> Reply:
    """What stands there when a link is over, or never was one."""
    words = "This link has expired or is not valid. Ask for a new one."
    return _page("Link expired", f'<p class="error" role="alert">{words}</p>', status)


async def process(visit: Visit) -> Reply:
    """Show the form, or connect what was typed into it."""
    try:
        session = living_session(visit)
        connector = visit.organisation.settings.connector
        if connector != "active" or session.provider not in {None, PROVIDER}:
            return _page(PROVIDER_NAME, '<p class="error" role="alert">This connector is not available.</p>', 404)
        if visit.organisation.settings.config_type == "oauth2":
            return _page(PROVIDER_NAME, '<p><a id="sign-in" href="#">Continue to sign in</a></p>')
        if visit.request.method != "POST":
            return _form(visit, session)
        return await _connect(visit, session)
    except LinkFailedError as failure:
        return _form(visit, session, failure.words, failure.reply.status)
    except RefusedError as refused:
        return expired(refused.reply.status)


async def _connect(visit: Visit, session: Session) -> Reply:
    typed = {field["key"]: visit.request.form.get(field["key"], "") for field in config_fields(visit.organisation)}
    values = linking.values_of(visit.organisation, typed)
    state, call, organisation = visit.state, visit.call, visit.organisation
    if session.account_id is None:
        await linking.link(state, call, organisation, session, values)
    else:
        account = edited_account(_aimed(visit, session.account_id), session)
        kept = {role: value for role, value in values.items() if value}
        await linking.edit(state, call, organisation, session, account, kept)
    owner = escape(session.origin_owner_name)
    return _page("Connected", f'<p id="connected" role="status">{PROVIDER_NAME} is connected for {owner}.</p>')


def _form(visit: Visit, session: Session, error: str = "", status: int = 200) -> Reply:
    """The form; nothing that was typed comes back but what is no secret."""
    rows = []
    for field in config_fields(visit.organisation):
        key, kind = escape(field["key"]), field["type"]
        typed = "" if field["secret"] else escape(visit.request.form.get(field["key"], ""))
        needed = " required" if field["required"] and session.account_id is None else ""
        rows.append(
            f'<label for="{key}">{escape(field["label"])}</label>'
            f'<input type="{kind}" id="{key}" name="{key}" value="{typed}" autocomplete="off"{needed}>'
        )
    alert = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    fields = "\n".join(rows)
    body = f"""{alert}
<form id="connect" method="post">
<input type="hidden" name="token" value="{escape(visit.caller.token)}">
{fields}
<button type="submit">Connect</button>
</form>"""
    return _page(f"Connect {PROVIDER_NAME}", body, status)


def _aimed(visit: Visit, account_id: str) -> Visit:
    return Visit(visit.state, visit.call, visit.url, visit.request, visit.caller, account_id)


def _page(title: str, body: str, status: int = 200) -> Reply:
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} - StackOne Hub</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
    ]
    return Reply(status, text.encode(), headers)
