"""The link to the plugin of a WordPress site, row by row of its sheet (coopcycle.md 6 and 8.2)."""

from providers.core.contract import Link
from tests.coopcycle.conftest import Coop, Given, Shop


def test_the_life_of_a_link(coop: Coop, shop: Shop, given: Given) -> None:
    link: Link = shop.link()
    first = given(1)
    assert (link.place, link.acknowledges) == (f"CoopCycle plugin at {shop.url}", "here")
    assert {finding.verdict for finding in link.check(1, first)} == {"confirmed"}
    link.connect(1, first)
    assert shop.option("coopcycle_api_key") == first["identifier"].reveal()
    assert {finding.verdict for finding in link.verify(1, first)} == {"confirmed"}
    assert [finding.verdict for finding in link.observe(1, first)] == ["confirmed"]
    second = given(2)
    assert [finding.evidence for finding in link.observe(2, second)] == ["they hold generation 1"]
    link.connect(2, second)
    assert {finding.verdict for finding in link.verify(2, second)} == {"confirmed"}
    assert link.disconnect(second) == ()
    assert shop.option("coopcycle_api_secret") == shop.option("coopcycle_base_url") == ""
    assert not shop.option("coopcycle_app_name")
    assert link.disconnect({}) == ()
    assert shop.control.wordpress.end_sessions(shop.name) == 0
