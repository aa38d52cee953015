"""The end of a link: its webhook endpoint at the cloud, then the token in the plugin (sheet surecart.md 6 and 7)."""

from __future__ import annotations

from typing import Any

import pytest

from providers.core.errors import Transient, UnclearOutcome
from providers.core.redaction import Secret
from sandbox.surecart.client import HandMadeToken
from sandbox.wordpress.client import SiteRow
from tests.surecart.conftest import Account, contradicted, raises, secret


def hook(account: Account, token: HandMadeToken, url: str) -> None:
    """An endpoint as the plugin registers it."""
    reply = account.http.origin(account.api).request(
        "POST",
        "/v1/webhook_endpoints",
        safe=False,
        json={"url": url, "description": "WordPress Webhook SureCart", "destination": "wordpress", "enabled": True},
        headers={"authorization": Secret(f"Bearer {token.value}")},
    )
    assert reply.status == 200


def hooks(account: Account) -> list[str]:
    return [row.url for row in account.control.surecart.webhook_endpoints(account.slug)]


def ours(site: SiteRow) -> str:
    return f"{site.url}/surecart/webhooks"


def test_only_the_endpoint_of_this_site_goes_and_then_its_token(account: Account) -> None:
    site, other, token = account.site(), account.site(), account.token()
    link = account.connected(site, token)
    account.connected(other, token)
    near = (
        ours(other),
        f"{site.url}/blog/surecart/webhooks",
        f"{site.url}/hooks",
        "https://acme.example/surecart/webhooks",
    )
    for url in (near[0], ours(site), *near[1:]):
        hook(account, token, url)
    before = account.control.last_seq()
    assert list(link.disconnect(secret(token))) == []
    assert sorted(hooks(account)) == sorted(near)
    assert account.now(site).token == "emptied"
    assert account.now(other).holds(token.value)
    asked = [row.operation for row in account.control.requests(before)]
    assert asked.index("surecart_webhooks_delete") < asked.index("surecart_settings_write")
    assert "surecart_health" not in asked
    # Once more does no harm.
    assert list(link.disconnect(secret(token))) == []
    assert account.now(site).token == "emptied"


def test_a_dead_token_leaves_the_endpoint_to_a_person(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    hook(account, token, ours(site))
    account.delete(token)
    (left,) = link.disconnect(secret(token))
    assert left.startswith("delete the webhook endpoint of localhost")
    assert hooks(account) == [ours(site)]
    assert account.now(site).token == "emptied"


def test_another_generation_at_the_site_serves_as_well(account: Account) -> None:
    site, former, token = account.site(), account.token(), account.token()
    account.connected(site, token)
    hook(account, token, ours(site))
    account.delete(former)
    assert list(account.link(site).disconnect(secret(former))) == []
    assert (hooks(account), account.now(site).token) == ([], "emptied")


@pytest.mark.parametrize("dead", [False, True])
def test_a_generation_that_is_destroyed(account: Account, dead: bool) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    hook(account, token, ours(site))
    if dead:
        account.delete(token)
    assert len(link.disconnect({})) == dead
    assert len(hooks(account)) == dead
    assert account.now(site).token == "emptied"


def test_the_token_of_somebody_else_stays_with_its_endpoint(account: Account) -> None:
    site, token, foreign = account.site(), account.token(), account.foreign()
    account.connected(site, token)
    hook(account, token, ours(site))
    account.tools.ours[foreign.value] = 9
    account.connected(site, foreign)
    del account.tools.ours[foreign.value]
    (left,) = account.link(site).disconnect(secret(token))
    assert "none of ours" in left
    assert account.now(site).holds(foreign.value)
    assert hooks(account) == [ours(site)]


def test_a_constant_goes_on_and_is_said(account: Account) -> None:
    token = account.token()
    site = account.site(surecart_api_token=token.value)
    (left,) = account.link(site).disconnect(secret(token))
    assert "SURECART_API_TOKEN" in left
    assert account.now(site).token == "emptied"


def test_a_site_whose_token_was_dropped_is_not_written_to(account: Account) -> None:
    site, token = account.site(), account.token()
    before = account.control.last_seq()
    assert list(account.link(site).disconnect(secret(token))) == []
    asked = [row.operation for row in account.control.requests(before, site.site)]
    assert asked == ["surecart_settings_read"]


def test_a_cloud_in_trouble_ends_nothing_yet(account: Account) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    hook(account, token, ours(site))
    account.control.surecart.change_account_settings(account.slug, outage=True)
    with raises(Transient, "answers 503"):
        link.disconnect(secret(token))
    assert account.now(site).holds(token.value)
    account.control.surecart.change_account_settings(account.slug, outage=False)
    assert list(link.disconnect(secret(token))) == []


LOST: list[tuple[str, str]] = [("drop_after", "emptied"), ("drop_before", "stored")]


@pytest.mark.parametrize(("effect", "token_is"), LOST)
def test_a_lost_reply_is_repaired_by_the_next_run(account: Account, effect: Any, token_is: str) -> None:
    site, token = account.site(), account.token()
    link = account.connected(site, token)
    account.faulty(effect, site, operation="surecart_settings_write")
    with raises(UnclearOutcome, "lost"):
        link.disconnect(secret(token))
    assert account.now(site).token == token_is
    assert list(link.disconnect(secret(token))) == []
    assert contradicted(link.observe(1, secret(token))) == {"stored token": "the token was emptied"}
