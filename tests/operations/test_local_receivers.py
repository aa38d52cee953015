"""The scripted receivers of `make up`: office, agency, developer, and whoever follows a link; real mail and real pages."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest

from operations.local import receivers
from operations.local.place import LocalError
from operations.local.prepare import PIMWORKS, STACKONE
from operations.local.receivers import READERS, Letter
from operations.local.terminal import shown_on_a_terminal
from operations.local.world import World
from providers.core.policies import Role
from sandbox.client import HandMadeKey
from sandbox.mail.reader import InterceptedError
from sandbox.vault import client as vault_client
from tests.operations.scripted_people import Calls, calls, declared_link, here, mail, wrapped

__all__ = ["calls", "here"]

ACCOUNT = {"client_id": "a", "client_secret": "b", "access_token": "c", "store_hash": "12e4567"}
OFFICE = "acme-parts/stone-edge/stone-edge"


def letter(here: World, name: str = OFFICE) -> Letter:
    """The first hand-over of a link of the sandbox's files."""
    return Letter(name, name.partition("/")[0], declared_link(here, name), 1, True)


def sent(here: World, to: Letter, values: Mapping[str, str]) -> str:
    """What was sent to a link's receiver, as the product does it; the token that opens it."""
    token = wrapped(here, values)
    mail(here, to.recipient, f"Open this once:\n\n{token}\n")
    return token


def key(here: World) -> tuple[str, HandMadeKey]:
    """A store with a key that somebody is given: its address, and the key."""
    url = here.stores.create_store("fresh-roast", "11.0.1", "sandbox-password")
    return url, here.stores.insert_key("fresh-roast", description="by hand", permissions="read_write")


def read(here: World, to: Letter) -> None:
    READERS[to.link.to](here, to)


def test_the_office_opens_its_mail_and_answers(here: World, calls: Calls) -> None:
    to = letter(here)
    sent(here, to, ACCOUNT)
    read(here, to)
    assert calls.made == [("operator", "receive", OFFICE)]
    (endpoint,) = here.stores.stone_edge.all()
    first, second, third = calls.given[0].splitlines()
    assert first == f"Cart ID/Username: {endpoint.username}"
    assert second.startswith("Cart Password: ")
    assert third == f"Script URL: {endpoint.shown_url}"


def test_after_a_rotation_the_office_says_that_it_uses_the_new_values(here: World, calls: Calls) -> None:
    to = replace(letter(here), generation=2, first=False)
    sent(here, to, ACCOUNT)
    read(here, to)
    assert calls.made == [("operator", "confirm", OFFICE, "--by", to.recipient, "--generation", "2")]
    assert here.stores.stone_edge.all() == []


def test_a_developer_takes_the_values_over_and_says_so(here: World, calls: Calls) -> None:
    to = letter(here, "northside-coop/fresh-roast/developer")
    sent(here, to, {"client_id": "a", "client_secret": "b"})
    read(here, to)
    assert calls.made == [("operator", "confirm", to.name, "--by", "dev@fresh-roast.example", "--generation", "1")]


def test_the_agency_enters_the_store_by_its_mail(here: World, calls: Calls) -> None:
    url, made = key(here)
    to = letter(here, "fresh-roast/hubs/pimworks")
    values = {"url": url, "consumer_key": made.consumer_key, "consumer_secret": made.consumer_secret}
    sent(here, to, values)
    read(here, to)
    (store,) = here.stores.pimworks.get(PIMWORKS).stores
    assert (store.name, store.url, store.components) == ("Fresh Roast", url, ("Products", "Categories"))
    assert store.secret_key_sha256 == hashlib.sha256(made.consumer_secret.encode()).hexdigest()
    assert calls.made == [("operator", "confirm", to.name, "--by", "catalogue@agency.example", "--generation", "1")]


def test_what_was_opened_before_is_handed_over_again(
    here: World, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = letter(here)
    token = sent(here, to, ACCOUNT)
    with vault_client(here.access, token) as vault:
        assert vault.post("/sys/wrapping/unwrap").status_code == 200
    with pytest.raises(InterceptedError):
        read(here, to)
    record = World.must

    def must(self: World, role: Role, *arguments: str, given: str | None = None) -> None:
        record(self, role, *arguments, given=given)
        if arguments[0] == "handover":
            sent(self, to, ACCOUNT)

    calls.made.clear()
    monkeypatch.setattr(World, "must", must)
    read(here, to)
    assert [made[:2] for made in calls.made] == [("apply", "handover"), ("operator", "receive")]


def test_a_link_is_followed_with_what_a_terminal_shows(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    url, made = key(here)
    organisation = here.stores.stackone.create(STACKONE)
    api_key = here.stores.stackone.create_key(STACKONE, "accounts").value
    body = {"origin_owner_id": "fresh-roast", "origin_owner_name": "Fresh Roast", "provider": "woocommerce"}
    answer = httpx.post(
        f"{organisation.api_url}/connect_sessions",
        json=body,
        auth=(api_key, ""),
        headers={"User-Agent": "acme-parts-connector/1.0"},
        verify=ssl.create_default_context(cafile=str(here.stores.ca)),
    )
    values = {
        "auth_link_url": answer.json()["auth_link_url"],
        "url": url,
        "consumer_key": made.consumer_key,
        "consumer_secret": made.consumer_secret,
    }
    asked: list[tuple[str, ...]] = []

    def shown(_: World, *arguments: str) -> str:
        asked.append(arguments)
        return "\n".join(("", *(f"{word}: {value}" for word, value in values.items()), "", "When it is done"))

    monkeypatch.setattr(receivers, "shown_on_a_terminal", shown)
    receivers.follow(here, "fresh-roast/hubs/stackone")
    assert asked == [("apply", "--stack", "sandbox", "link", "fresh-roast/hubs/stackone", "--show")]
    (account,) = here.stores.stackone.accounts(STACKONE)
    assert (account.status, account.store_url) == ("active", url)


# --- a terminal of their own ---


def test_what_a_terminal_shows_is_read(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    there = replace(here, logins={"operator": {}})
    shown = shown_on_a_terminal(there, "operator", "version")
    assert "connections" in shown
    assert "\r" not in shown


def test_a_command_that_fails_ends_it(here: World) -> None:
    there = replace(here, logins={"operator": {}})
    with pytest.raises(LocalError, match="ended with exit code 1: no connection is called 'nothing/at-all'"):
        shown_on_a_terminal(there, "operator", "--stack", "sandbox", "show", "nothing/at-all")
    with pytest.raises(LocalError, match="connections show ended with exit code 1"):
        there.must("operator", "show", "nothing/at-all")
