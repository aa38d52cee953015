"""Platforms, and the consumers of their credentials, are found by their folders."""

from collections import Counter

import pytest

from providers.declarations import DeclaredPlatform, platforms
from providers.declarations.models import ConnectionWords, Hubs, LinkWords, StoreWords
from providers.declarations.platforms import DeclaredConsumer, every_consumer, serving
from tests.declarations.paper import CONSUMERS


def test_every_platform_whose_folder_is_there() -> None:
    found = platforms()
    assert "woocommerce" in found
    for name, platform in found.items():
        assert platform.name == name
        assert platform.default_kind in platform.credentials
        assert platform.identity in platform.store.model_fields


def test_a_platform_whose_keys_a_program_makes() -> None:
    platform = DeclaredPlatform("plain", "title", StoreWords, {"key": ConnectionWords}, "key")
    store = StoreWords.model_validate({"platform": "plain", "connections": {}})
    connection = ConnectionWords.model_validate({"purpose": "orders", "links": {"vault": {}}})
    assert platform.by_person(store, connection) is False


# --- consumers --------------------------------------------------------------------------------------------------------


def test_every_consumer_stands_at_the_kinds_that_it_serves() -> None:
    found = platforms()
    kinds = {f"{name}/{kind}" for name, platform in found.items() for kind in platform.credentials}
    consumers = every_consumer(found)
    assert {"stone-edge"} <= {consumer.name for consumer in consumers}
    for consumer in consumers:
        assert consumer.serves <= kinds
        for platform, kind in (served.split("/") for served in consumer.serves):
            assert found[platform].consumers_of(kind)[consumer.name] is consumer
    for name in found:
        for kind in found[name].credentials:
            assert {"vault", "person"} <= found[name].consumers_of(kind).keys()


KEPT = {
    "project",
    "stack",
    "connection",
    "was",
    "link",
    "link_was",
    "to",
    "platform",
    "kind",
    "hub",
    "pinned",
    "settle",
}
KEPT |= {"vault", "hosts", "mail", "handle", "recipient_key", "drift", "status"}
"""Inputs that links have anyway."""


def test_every_input_of_a_link_has_one_source() -> None:
    for consumer in (*every_consumer(platforms()), *CONSUMERS):
        own = [word for word in consumer.words.model_fields if word not in LinkWords.model_fields]
        counts = Counter([*own, *consumer.takes, *consumer.endpoints, *KEPT])
        assert [word for word, count in counts.items() if count > 1] == [], consumer.name


def test_a_word_under_hubs_or_endpoints_means_one_folder() -> None:
    found = platforms()
    consumers = every_consumer(found)
    hubs = Counter([consumer.name for consumer in consumers if consumer.hub is not None] + [*Hubs.model_fields])
    vendors = [name for name, platform in found.items() if platform.endpoints]
    endpoints = Counter([consumer.name for consumer in consumers if consumer.endpoints] + vendors)
    assert {*hubs.values(), *endpoints.values()} == {1}


def _consumer(name: str, *kinds: str) -> DeclaredConsumer:
    return DeclaredConsumer(name, frozenset(kinds), LinkWords)


def test_one_word_may_mean_others_for_other_kinds() -> None:
    one, other = _consumer("printer", "paper/account"), _consumer("printer", "paper/token", "plain/token")
    assert serving((one, other), "paper/account") == {"printer": one}
    assert serving((one, other), "plain/token") == {"printer": other}
    assert serving((one, other), "plain/account") == {}


@pytest.mark.parametrize("name", ["printer", "vault"])
def test_one_word_never_means_two_for_one_kind(name: str) -> None:
    consumers = (_consumer("printer", "paper/account"), _consumer(name, "paper/account", "paper/token"))
    with pytest.raises(ValueError, match=f"two consumers of paper/account are called {name}"):
        serving(consumers, "paper/account")


def test_a_consumer_of_few_words() -> None:
    assert _consumer("hall-desk").hub is None
    assert (_consumer("hall-desk").takes, _consumer("hall-desk").endpoints) == ((), {})
