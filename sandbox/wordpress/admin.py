"""wp-admin pages that the plugins bring, and what every page of wp-admin sets off (surecart.md sections 4 to 6)."""

from __future__ import annotations

from html import escape

from sandbox.exchange import Reply, UnknownInSheetError
from sandbox.woocommerce.pages import admin_page
from sandbox.woocommerce.replies import died, html
from sandbox.woocommerce.state import Session
from sandbox.wordpress import coopcycle, options
from sandbox.wordpress.surecart import SureCart
from sandbox.wordpress.visit import SiteVisit


async def answer(visit: SiteVisit) -> Reply | None:
    """A page of a plugin or of the options, or None: a page that every WordPress has."""
    session = visit.admin_session
    if session is None or visit.settings.database_upgrade_pending:
        return None
    if visit.site.settings.surecart:
        await SureCart(visit).load_admin_page()
    match visit.request.path.removeprefix("/wp-admin/"):
        case "options.php":
            return await options.answer(visit, session)
        case "options-general.php":
            return _settings(visit, session)
        case "site-health.php" if visit.request.query.get("tab") == "debug":
            return _health(visit, session)
        case "admin.php" if visit.request.either("page").startswith("sc-"):
            return _surecart(visit, session)
    return None


def _settings(visit: SiteVisit, session: Session) -> Reply:
    page = visit.request.query.get("page")
    if session.user.role != "administrator" or (page == coopcycle.PAGE and not visit.site.settings.coopcycle):
        return _not_allowed(visit)
    if page != coopcycle.PAGE:
        raise UnknownInSheetError(f"options-general.php with page {page!r}")
    return html(coopcycle.settings_page(visit, session, options.notices(visit)))


def _connected(visit: SiteVisit) -> bool:
    """Rule 1 of section 5: a token that is not empty."""
    return bool(SureCart(visit).token)


def _health(visit: SiteVisit, session: Session) -> Reply:
    if session.user.role != "administrator":
        return _not_allowed(visit)
    rows = ""
    if visit.site.settings.surecart:
        words = "Connected" if _connected(visit) else "Not connected"
        rows = f"<tr><td>API Connectivity</td><td>{words}</td></tr>"
    body = f'<div class="health-check-body"><h2>SureCart</h2><table class="widefat health-check-table">{rows}</table></div>'
    return html(admin_page(visit, session, "Site Health Info", body))


def _surecart(visit: SiteVisit, session: Session) -> Reply:
    """The settings with the tab Connection; the door that saves without a check is shut (403 on 4.6.6)."""
    page = visit.request.either("page")
    if not visit.site.settings.surecart or session.user.role != "administrator" or page == "sc-plugin":
        return _not_allowed(visit)
    if page != "sc-settings":
        raise UnknownInSheetError(f"admin.php with page {page!r}")
    words = "Connected" if _connected(visit) else "Not connected"
    token = escape(SureCart(visit).token or "")
    body = f"""<div class="wrap"><h1>Connection</h1>
<p id="sc-connection-status">{words}</p>
<label for="sc-api-token">API Token</label>
<input type="password" id="sc-api-token" name="api_token" value="{token}" data-route="surecart/v1/settings" />
<button type="button" id="sc-save">Save</button></div>"""
    return html(admin_page(visit, session, "SureCart", body))


def _not_allowed(visit: SiteVisit) -> Reply:
    return died(visit.text("not_allowed"), 403, visit.text("html_lang"))
