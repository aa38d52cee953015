"""The admin pages as HTML. Names and ids of fields are the sheet's (sections 2 and 8.1); the markup around them is ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from sandbox.coopcycle.state import FORM_SCOPES, KEY_PREFIX, TYPES, App, Instance, OAuthClient

APPS = "/admin/api/apps"
NEW = f"{APPS}/new"
MASK = "•" * 16
NO_STORE = "＊"
"""What stands on the list for an app without a store: a full-width asterisk."""
TYPE_LABELS = {"oauth": "OAuth2 client credentials", "api_key": "API key"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands in the form: empty at first, as it was sent after an error, or an app's own."""

    name: str = ""
    type: str = "oauth"
    scopes: Sequence[str] = ()
    store: str = ""
    errors: Sequence[str] = ()


def document(title: str, body: str) -> str:
    """An HTML document."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} - CoopCycle</title>
<link rel="icon" href="data:,">
</head>
<body>
{body}
</body>
</html>
"""


def login(instance: Instance, csrf: str, message: str, username: str = "") -> str:
    """The login form."""
    return document(
        "Login",
        f"""{_alert(message, "danger")}
<form action="{instance.root}{instance.settings.login_check_path}" method="post" class="form-signin">
<input type="hidden" name="_csrf_token" value="{escape(csrf)}">
<input type="text" id="username" name="_username" value="{escape(username)}" required="required" autocomplete="username">
<input type="password" id="password" name="_password" required="required" autocomplete="current-password">
<input type="checkbox" id="remember_me" name="_remember_me" value="on"> <label for="remember_me">Remember me</label>
<button type="submit" id="_submit" name="_submit" class="btn btn-primary btn-block">Login</button>
</form>""",
    )


def two_factor(instance: Instance, csrf: str, message: str) -> str:
    """What stands behind a good password where a code is asked for; no code is right here, only a person has one."""
    return document(
        "Two-factor authentication",
        f"""{_alert(message, "danger")}
<form class="form" action="{instance.root}/2fa_check" method="post">
<p class="label"><label for="_auth_code">Authentication code</label></p>
<input type="hidden" name="_csrf_token" value="{escape(csrf)}">
<input id="_auth_code" type="text" name="_auth_code" autocomplete="one-time-code" autofocus>
<p class="submit"><input type="submit" value="Login"></p>
</form>
<p class="cancel"><a href="{instance.root}/logout">Cancel</a></p>""",
    )


def framed(instance: Instance, title: str, content: str, message: str = "") -> str:
    """A page of somebody who is logged in."""
    return document(
        title,
        f"""<nav><a href="{instance.root}/admin">Administration</a> <a href="{instance.root}{APPS}">API</a>
<a href="{instance.root}/logout">Logout</a></nav>
{_alert(message, "success")}
<main><h1>{escape(title)}</h1>
{content}
</main>""",
    )


def app_list(instance: Instance, apps: Iterable[App], message: str) -> str:
    """All apps; a secret stands nowhere but in `data-clipboard-text` (S4)."""
    rows = "\n".join(_row(instance, app, instance.client_of(app)) for app in apps)
    return framed(
        instance,
        "API",
        f"""<p class="text-right"><a href="{instance.root}{NEW}" class="btn btn-success"><i class="fa fa-plus"></i> Add</a></p>
<table class="table">
<thead><tr><th>#</th><th>App name</th><th>Store</th><th>Identifier</th><th>Secret key</th><th></th></tr></thead>
<tbody>
{rows}
</tbody>
</table>""",
        message,
    )


def _row(instance: Instance, app: App, client: OAuthClient) -> str:
    store = instance.store(app.store)
    if app.type == "oauth":
        credentials = f"""<td><span class="mr-4">{client.identifier}</span> {_copy(client.identifier)}</td>
<td><span class="mr-4">{MASK}</span> {_copy(client.secret)}</td>"""
    else:
        key = f"{KEY_PREFIX}{app.api_key}"
        credentials = f'<td colspan="2"><span class="mr-4">{MASK}</span> {_copy(key)}</td>'
    return f"""<tr>
<td width="5%"><a href="{instance.root}{APPS}/{app.id}">
#{app.id}
</a></td>
<td>
{escape(app.name)}
</td>
<td>
{escape(store.name) if store else NO_STORE}
</td>
{credentials}
<td class="text-right"><form method="post" onsubmit="return confirm('The current secret stops working at once.');">
<input type="hidden" name="oauth2_client" value="{client.identifier}">
<button type="submit" class="btn btn-danger btn-xs"><i class="fa fa-refresh mr-1"></i>Regenerate secret</button>
</form></td>
</tr>"""


def _copy(value: str) -> str:
    return (
        '<button type="button" class="btn btn-default btn-xs" data-toggle="copy" '
        f'data-clipboard-text="{value}"><i class="fa fa-copy mr-1"></i>Copy</button>'
    )


def app_form(instance: Instance, csrf: str, shown: Shown, app: App | None, *, shop: bool, message: str = "") -> str:
    """The form of a new app (`app` is None) or of one there is; the shop variant asks for the name alone."""
    fields = [
        _errors(shown.errors),
        f"""<div class="form-group"><label class="control-label required" for="api_app_name">App name</label>
<input type="text" id="api_app_name" name="api_app[name]" required="required" class="form-control" \
value="{escape(shown.name)}"></div>""",
    ]
    if not shop:
        fields += [_types(shown), _scopes(shown), _stores(instance, shown, disabled=app is not None)]
    if app is not None:
        fields += [_disabled(name, value) for name, value in _credentials(instance, app)]
    fields.append(f'<input type="hidden" id="api_app__token" name="api_app[_token]" value="{escape(csrf)}">')
    content = "\n".join(field for field in fields if field)
    return framed(
        instance,
        app.name if app else "Add",
        f"""<form name="api_app" method="post">
{content}
<div class="sticky-buttons"><button type="submit" class="btn btn-block btn-primary">Save</button></div>
</form>""",
        message,
    )


def _types(shown: Shown) -> str:
    options = "".join(
        f'<option value="{value}"{_if(shown.type == value, "selected")}>{TYPE_LABELS[value]}</option>'
        for value in TYPES
    )
    return f"""<div class="form-group"><label class="control-label required" for="api_app_type">Type</label>
<select id="api_app_type" name="api_app[type]" class="form-control">{options}</select></div>"""


def _scopes(shown: Shown) -> str:
    boxes = "\n".join(
        f'<div class="checkbox"><label><input type="checkbox" id="api_app_scopes_{number}" name="api_app[scopes][]" '
        f'value="{scope}"{_if(scope in shown.scopes, "checked")}> {scope}</label></div>'
        for number, scope in enumerate(FORM_SCOPES)
    )
    return f'<div class="form-group"><label class="control-label">Scopes</label><div id="api_app_scopes">{boxes}</div></div>'


def _stores(instance: Instance, shown: Shown, *, disabled: bool) -> str:
    options = "".join(
        f'<option value="{store.id}"{_if(shown.store == str(store.id), "selected")}>{escape(store.name)}</option>'
        for store in sorted(instance.stores, key=lambda store: store.name)
    )
    return f"""<div class="form-group"><label class="control-label" for="api_app_store">Store</label>
<select id="api_app_store" name="api_app[store]"{_if(disabled, "disabled")} class="form-control">\
<option value=""></option>{options}</select></div>"""


def _credentials(instance: Instance, app: App) -> list[tuple[str, str]]:
    if app.type == "api_key":
        return [("apiKey", f"{KEY_PREFIX}{app.api_key}")]
    client = instance.client_of(app)
    return [("client_id", client.identifier), ("client_secret", client.secret)]


def _disabled(name: str, value: str) -> str:
    return f"""<div class="form-group"><label class="control-label required" for="api_app_{name}">{name}</label>
<input type="text" id="api_app_{name}" name="api_app[{name}]" disabled="disabled" class="form-control" value="{value}"></div>"""


def _if(condition: bool, attribute: str) -> str:
    return f' {attribute}="{attribute}"' if condition else ""


def _errors(errors: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(error)}</li>" for error in errors)
    return f'<div class="alert alert-danger"><ul class="list-unstyled">{items}</ul></div>' if errors else ""


def _alert(message: str, kind: str) -> str:
    return f'<div class="alert alert-{kind}">{escape(message)}</div>' if message else ""
