"""The frame of every page: login and wp-admin, with what stands around the content on a real site.

The frame is full of decoys on purpose: several forms, several nonces, several links with the same words.
"""

from __future__ import annotations

from html import escape

from sandbox.exchange import Reply
from sandbox.woocommerce.replies import html, json_body
from sandbox.woocommerce.state import Session
from sandbox.woocommerce.visit import Visit


def link(url: str) -> str:
    """An address in an attribute as esc_url() writes it: `&#038;` between its fields (sheet 0.2)."""
    return escape(url).replace("&amp;", "&#038;")


def hidden(name: str, value: str, identifier: str = "") -> str:
    """A hidden field."""
    attribute = f' id="{identifier}"' if identifier else ""
    return f'<input type="hidden"{attribute} name="{escape(name)}" value="{escape(value)}" />'


def nonce_field(visit: Visit, value: str, name: str = "_wpnonce") -> str:
    """wp_nonce_field(): the nonce and where the form was."""
    return hidden(name, value, name) + hidden("_wp_http_referer", visit.request_uri)


def logout_url(visit: Visit, session: Session) -> str:
    """The address behind `#wp-admin-bar-logout a`."""
    return f"{visit.home}/wp-login.php?action=logout&_wpnonce={visit.nonce('log-out', session)}"


def front_page(visit: Visit, title: str, body: str, status: int = 200) -> Reply:
    """A page of the shop itself; its Link header names the REST root (sheet 2.3)."""
    page = f"""<!DOCTYPE html>
<html lang="{visit.text("html_lang")}">
<head>
<meta charset="UTF-8" />
<title>{escape(title)} &#8211; {escape(visit.store.name)}</title>
<link rel="https://api.w.org/" href="{link(visit.rest_root)}" />
<link rel="EditURI" type="application/rsd+xml" title="RSD" href="{link(visit.home)}/xmlrpc.php?rsd" />
</head>
<body class="home woocommerce-no-js">
<form role="search" method="get" class="search-form" action="{link(visit.home)}/"><input type="search" name="s" /></form>
{body}
</body>
</html>
"""
    return html(page, status, [rest_link(visit)])


def rest_link(visit: Visit) -> tuple[str, str]:
    """The header by which a client finds the REST API."""
    return "Link", f'<{visit.rest_root}>; rel="https://api.w.org/"'


def login_frame(visit: Visit, body: str, error: str = "", message: str = "") -> Reply:
    """wp-login.php around a form. Failures are 200 as well (L7)."""
    note = f'<div id="login_error"><strong>{visit.text("error_label")}</strong> {escape(error)}</div>' if error else ""
    note += f'<p class="message">{escape(message)}</p>' if message else ""
    page = f"""<!DOCTYPE html>
<html lang="{visit.text("html_lang")}">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
<title>{visit.text("log_in")} &lsaquo; {escape(visit.store.name)} &#8212; WordPress</title>
<meta name='robots' content='noindex, noarchive' />
</head>
<body class="login no-js login-action-login wp-core-ui">
<div id="login">
<h1><a href="https://wordpress.org/">WordPress</a></h1>
{note}
{body}
<p id="nav"><a href="{link(visit.home)}/wp-login.php?action=lostpassword">{visit.text("lost_password")}</a></p>
</div>
</body>
</html>
"""
    return html(page)


def admin_page(
    visit: Visit, session: Session, title: str, body: str, scripts: str = "", screen_options: str = ""
) -> str:
    """wp-admin around the content of a page."""
    text = visit.text
    settings = {"root": visit.rest_root, "nonce": visit.nonce("wp_rest", session), "versionString": "wp/v2/"}
    heartbeat = {"nonce": visit.nonce("heartbeat-nonce", session), "suspension": "disable"}
    parameters = {"ajax_url": visit.admin_url("admin-ajax.php"), "i18n_decimal_error": "", "nonces": {}}
    admin = link(visit.admin_url())
    return f"""<!DOCTYPE html>
<html class="wp-toolbar" lang="{text("html_lang")}">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
<title>{escape(title)} &lsaquo; {escape(visit.store.name)} &#8212; WordPress</title>
<script>
var ajaxurl = '{visit.home_path}/wp-admin/admin-ajax.php', pagenow = 'woocommerce_page_wc-settings', isRtl = 0;
</script>
<script id="wp-api-request-js-extra">
var wpApiSettings = {json_body(settings)};
</script>
</head>
<body class="wp-admin wp-core-ui no-js woocommerce_page_wc-settings locale-{text("locale").lower()}">
<div id="wpwrap">
<div id="adminmenumain" role="navigation">
<ul id="adminmenu">
<li class="wp-has-submenu menu-top" id="menu-dashboard"><a href="{admin}index.php">{text("dashboard")}</a></li>
<li class="wp-has-submenu menu-top" id="toplevel_page_woocommerce">
<a href="{admin}admin.php?page=wc-settings">{text("settings")}</a></li>
<li class="menu-top" id="menu-users"><a href="{admin}profile.php">{text("profile")}</a></li>
</ul>
</div>
<div id="wpcontent">
<div id="wpadminbar" class="nojq nojs">
<ul id="wp-admin-bar-root-default" class="ab-top-menu">
<li id="wp-admin-bar-site-name"><a class="ab-item" href="{link(visit.home)}/">{escape(visit.store.name)}</a></li>
<li id="wp-admin-bar-view-store"><a class="ab-item" href="{link(visit.home)}/shop/">{text("visit_store")}</a></li>
</ul>
<ul id="wp-admin-bar-top-secondary" class="ab-top-secondary ab-top-menu">
<li id="wp-admin-bar-my-account"><a class="ab-item" href="{admin}profile.php">{text("howdy", name=escape(session.user.display_name))}</a>
<ul id="wp-admin-bar-user-actions" class="ab-submenu">
<li id="wp-admin-bar-edit-profile"><a class="ab-item" href="{admin}profile.php">{text("profile")}</a></li>
<li id="wp-admin-bar-logout"><a class="ab-item" href="{escape(logout_url(visit, session))}">{text("log_out")}</a></li>
</ul></li>
</ul>
<form action="{link(visit.home)}/" method="get" id="adminbarsearch"><input name="s" id="adminbar-search" type="text" /></form>
</div>
<div id="wpbody" role="main">
<div id="wpbody-content">
<div id="screen-meta" class="metabox-prefs">
{screen_options}
</div>
{body}
<div class="clear"></div></div></div>
<div class="clear"></div></div>
<div id="wpfooter" role="contentinfo"><p id="footer-left" class="alignleft">{text("thanks")}</p>
<form id="dismiss-notice" method="post">{nonce_field(visit, visit.nonce("woocommerce_hide_notices_nonce", session), "_wc_notice_nonce")}</form>
</div>
<script id="heartbeat-js-extra">
var heartbeatSettings = {json_body(heartbeat)};
</script>
<script id="woocommerce_admin-js-extra">
var woocommerce_admin = {json_body(parameters)};
</script>
{scripts}
</div>
</body>
</html>
"""
