"""The link against a site's plugin: every row of the observed matrix (sheet surecart.md 4)."""

from __future__ import annotations

from tests.surecart.conftest import Account


def test_a_good_token_is_stored_and_connected(account: Account) -> None:
    site, token = account.site(), account.token()
    account.connected(site, token)
    assert account.now(site).holds(token.value)
