"""A link to Stone Edge as it is declared: where a hand-over goes must be allowed, wherever it was written."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from providers.declarations import DeclarationErrors, load, platforms
from providers.stone_edge.declared_link import CONSUMERS, OFFICE
from tests.declarations.files import SETTINGS, STORE, write_stack

SHOP = platforms()["woocommerce"]
(CONSUMER,) = CONSUMERS
PLATFORMS = {"woocommerce": dataclasses.replace(SHOP, consumers={"api_key": {"stone-edge": CONSUMER}})}
KEY = "age18d226gk4yss7h5wqfev7ldrunt8f0tcys0h5jlq6uhuzghsyee2q2ttvpz"


def fields(top: Path, link: str, recipients: str) -> dict[str, Any]:
    settings = SETTINGS.replace('["*@agency.example"]', recipients)
    store = STORE.replace("{vault: {}}", f"{{stone-edge: {link}}}")
    stacks = write_stack(top, {"production/_stack.yaml": settings, "production/fresh-roast.yaml": store})
    (connection,) = load(stacks, "production", PLATFORMS).connections
    return dict(connection.links[0].fields)


USUAL = {"handover": "auto", "handover_ttl": 72 * 3600, "negative_control": False, "recipient": OFFICE}

RIGHT: list[tuple[str, str, dict[str, Any]]] = [
    ("{}", f"[{OFFICE}]", {}),
    ("{}", "['*@stoneedge.com']", {}),
    ("{handover: sealed, handover_ttl: 1h}", f"[{OFFICE}]", {"handover": "sealed", "handover_ttl": 3600}),
    ("{handover: person}", "[]", {"handover": "person"}),
    ("{negative_control: true}", f"[{OFFICE}]", {"negative_control": True}),
    ("{recipient: a@vendor.example}", "[a@vendor.example]", {"recipient": "a@vendor.example"}),
    ("{}", f"[{{mail: {OFFICE}, key: {KEY}}}]", {"recipient_key": KEY}),
]


@pytest.mark.parametrize(("link", "recipients", "changed"), RIGHT)
def test_what_a_link_means(link: str, recipients: str, changed: dict[str, Any], tmp_path: Path) -> None:
    assert fields(tmp_path, link, recipients) == USUAL | changed


WRONG = [
    ("{}", "[]", f"'{OFFICE}' is not among recipients"),
    ("{handover: sealed}", "[a@vendor.example]", f"'{OFFICE}' is not among recipients"),
    ("{recipient: b@vendor.example}", "[a@vendor.example]", "'b@vendor.example' is not among recipients"),
    ("{handover: person, recipient: b@vendor.example}", "[]", "'b@vendor.example' is not among recipients"),
    ("{handover: plain}", f"[{OFFICE}]", "plain needs `accept"),
    ("{handover: mail}", f"[{OFFICE}]", "'mail' was found"),
    ("{negative_control: yes}", f"[{OFFICE}]", "neither true nor false"),
    ("{recipient: everybody}", f"[{OFFICE}]", "not a mail address"),
]


@pytest.mark.parametrize(("link", "recipients", "words"), WRONG)
def test_what_a_link_may_not_say(link: str, recipients: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        fields(tmp_path, link, recipients)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("stacks/production/fresh-roast.yaml:9:")
    assert words in line
