"""Settings of a site through wp-admin, on a site of the sandbox; what only this package's users could otherwise show."""

import logging
import urllib.parse

import pytest

from providers.core.errors import Forbidden, PersonNeeded, Unauthorized
from providers.core.redaction import Secret
from providers.wordpress import pages
from providers.wordpress.options import OPTIONS, Form, Site
from tests.coopcycle.conftest import LinkLoan, Shop, http, lent, process, shop

__all__ = ["http", "lent", "process", "shop"]

PAGE, QUERY, GROUP = "/wp-admin/options-general.php", {"page": "coopcycle-settings"}, "coopcycle_woocommerce"


def site_of(shop: Shop, lent: LinkLoan) -> Site:
    place = urllib.parse.urlsplit(shop.url)
    return Site(lent.client, shop.url, lambda: lent.logins.get((place.netloc, place.path.strip("/"))))


def test_a_form_is_read_changed_and_kept(shop: Shop, lent: LinkLoan) -> None:
    shop.write(coopcycle_base_url="https://a.example", coopcycle_free_shipping="yes")
    with site_of(shop, lent) as site:
        form = site.form(PAGE, QUERY, GROUP)
        assert form is not None
        assert form.value("coopcycle_base_url").reveal() == "https://a.example"
        assert form.value("nowhere").reveal() == ""
        assert "a.example" not in repr(form)
        site.save(PAGE, QUERY, GROUP, {"coopcycle_api_key": Secret("0" * 32)})
        assert shop.option("coopcycle_free_shipping") == "yes"
        assert shop.option("coopcycle_base_url") == "https://a.example"
        with pytest.raises(Forbidden, match="does not show the form"):
            site.save(PAGE, QUERY, GROUP, {"coopcycle_nothing": "x"})
        assert site.form(PAGE, QUERY, GROUP) is not None
    operations = [row.operation for row in shop.control.requests(store=shop.row.site)]
    assert operations.count("wp_login") == operations.count("wp_logout") == 1


def test_a_page_that_is_gone_saves_nothing(shop: Shop, lent: LinkLoan) -> None:
    shop.settings(coopcycle=False)
    with site_of(shop, lent) as site:
        assert site.form(PAGE, QUERY, GROUP) is None
        with pytest.raises(Forbidden, match="does not show the form"):
            site.save(PAGE, QUERY, GROUP, {"coopcycle_api_key": "x"})


def test_any_option_is_read_and_emptied_and_no_other(shop: Shop, lent: LinkLoan) -> None:
    shop.write(coopcycle_app_name="Acme", coopcycle_api_key="")
    before = shop.control.wordpress.get(shop.name).options
    with site_of(shop, lent) as site:
        found = site.option("coopcycle_app_name")
        assert found is not None
        assert found.reveal() == "Acme"
        assert site.option("coopcycle_secret") is None
        site.empty(("coopcycle_app_name",))
    assert shop.control.wordpress.get(shop.name).options == {**before, "coopcycle_app_name": ""}


def test_a_form_without_a_nonce_is_not_the_one(shop: Shop, lent: LinkLoan) -> None:
    body = (
        '<form action="/search"><input name="option_page" value="coopcycle_woocommerce"></form>'
        '<form action="options.php"><input name="option_page" value="coopcycle_woocommerce">'
        '<input name="_wpnonce" value="0123456789"></form>'
    )
    shop.fault("status", "coopcycle_settings_page", status=200, body=body)
    with site_of(shop, lent) as site:
        form = site.form(PAGE, QUERY, GROUP)
        assert isinstance(form, Form)
        assert form.value("_wpnonce").reveal() == "0123456789"


@pytest.mark.parametrize("seen", [True, False])
def test_a_log_out_that_fails_is_told(shop: Shop, lent: LinkLoan, caplog: pytest.LogCaptureFixture, seen: bool) -> None:
    caplog.set_level(logging.INFO)
    shop.fault("status", "wp_logout", status=200, body="<p>Are you sure?</p>")
    if not seen:
        # No page showed the nonce of the log-out link: the profile is asked for it.
        shop.fault("status", "wp_options_page", status=403)
    with site_of(shop, lent) as site:
        if seen:
            assert site.option("coopcycle_app_name") is None
        else:
            with pytest.raises(Forbidden):
                site.option("coopcycle_app_name")
    assert "could not be logged out" in caplog.text


def test_a_refused_login_is_not_tried_by_each_operation(shop: Shop, lent: LinkLoan) -> None:
    shop.log_in_as("connector", "wrong")
    for _ in range(3):
        with site_of(shop, lent) as site, pytest.raises(Unauthorized):
            site.option("coopcycle_app_name")
    assert [row.operation for row in shop.control.requests(store=shop.row.site)].count("wp_login") == 1


def test_what_was_lent_for_an_operation_ends_with_it(shop: Shop, lent: LinkLoan) -> None:
    with site_of(shop, lent) as site:
        assert site.option("coopcycle_app_name") is None
    with pytest.raises(PersonNeeded, match="no whole admin login"):
        site.option("coopcycle_app_name")


@pytest.mark.parametrize(
    ("location", "login"),
    [
        ("https://shop.example/wp-login.php?redirect_to=x&reauth=1", True),
        ("/sub/wp-login.php", True),
        ("/wp-login.php?action=confirm_admin_email", False),
        ("/wp-login.php?loggedout=true", False),
        (f"https://shop.example{OPTIONS}?settings-updated=true", False),
        ("", False),
    ],
)
def test_a_redirect_to_the_login_is_known(location: str, login: bool) -> None:
    assert pages.leads_to_login(location) is login


def test_the_login_page_and_the_log_out_link_are_known_by_their_ids() -> None:
    assert pages.login_refused('<form><div id="login_error">Nein</div></form>')
    assert not pages.login_refused("<form>login_error</form>")
    link = (
        '<ul><li id="wp-admin-bar-logout"><a href="/wp-login.php?action=logout&amp;_wpnonce=0a0b0c0d0e">x</a></li></ul>'
    )
    assert pages.logout_nonce(link) == "0a0b0c0d0e"
    assert pages.logout_nonce(link.replace("_wpnonce", "nonce")) == ""
    assert pages.logout_nonce("<p>wp</p>") == ""
    assert pages.is_nonce("0123456789")
    assert not pages.is_nonce("0123456789a")
