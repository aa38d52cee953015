"""CoopCycle's words: what may be declared, what is refused with its reason, and what it becomes."""

from pathlib import Path
from typing import Any

import pytest

from providers.coopcycle import labels
from providers.coopcycle.declared import app_name, rights, server_url, store_number
from providers.coopcycle.declared_link import site_url
from providers.coopcycle.scopes import OFFERED, SCOPES, of_a_store, ordered
from providers.core import marker
from providers.core.marker import Owner
from providers.declarations import Connection, DeclarationErrors, Stack, load, platforms
from providers.inputs import consumer_inputs, credential_inputs
from tests.declarations.files import SETTINGS, write_stack

PLATFORMS = platforms()

USUAL: dict[str, str] = {
    "purpose": "deliveries ordered in the web shop",
    "for_store": "{id: 12, name: Acme Flowers}",
    "rights": "[deliveries]",
    "links": "{shop: {to: wordpress, site: https://flowers.acme.example}}",
}


def stack(top: Path, permit: str = "[]", url: str = "https://northside.coop.example", **words: str | None) -> Stack:
    lines = {**USUAL, **words}
    body = "\n".join(f"    {word}: {value}" for word, value in lines.items() if value is not None)
    text = f"platform: coopcycle\nurl: {url}\nteam: retail\nconnections:\n  acme-flowers:\n{body}\n"
    settings = SETTINGS.replace("permit: [plain_handover, verify_full]", f"permit: {permit}")
    files = {"production/_stack.yaml": settings, "production/fresh-roast.yaml": text}
    return load(write_stack(top, files), "production", PLATFORMS)


def connection(top: Path, **words: Any) -> Connection:
    (found,) = stack(top, **words).connections
    return found


def refused(top: Path, **words: Any) -> str:
    with pytest.raises(DeclarationErrors) as caught:
        stack(top, **words)
    return str(caught.value)


def test_what_a_connection_becomes(tmp_path: Path) -> None:
    whole = stack(tmp_path, name="Flowers  of   Acme", rights="[tasks, deliveries]")
    (found,) = whole.connections
    assert (found.kind, found.warnings) == ("api_app", ())
    assert found.fields == {
        "name": "Flowers of Acme",
        "for_store": {"id": 12, "name": "Acme Flowers"},
        "rights": ["deliveries", "tasks"],
        "type": "oauth",
    }
    given = credential_inputs("connections", whole, found)
    assert (given["url"], given["type"]) == ("https://northside.coop.example", "oauth")
    link = consumer_inputs("connections", whole, found, found.links[0])
    assert (link["to"], link["site"], "adopt" in link) == ("wordpress", "https://flowers.acme.example", False)


def test_a_name_that_nobody_declared_is_none(tmp_path: Path) -> None:
    assert connection(tmp_path).fields["name"] is None
    assert labels.own_words("northside/acme-flowers") == "northside acme flowers"


VAULT = "{reader: {to: vault}}"
RIGHT: list[dict[str, str | None]] = [
    {"rights": "[tasks]", "links": VAULT},
    {"rights": "['orders:all', 'tasks:all']", "for_store": None, "links": VAULT},
    {
        "links": "{shop: {to: wordpress, site: https://flowers.acme.example/shop, adopt: true}}",
        "accept": "{adopt_foreign: set up by hand last year}",
        "permit": "[adopt_foreign]",
    },
    {"links": "{developer: {to: person, handover: sealed, recipient: dev@agency.example}}"},
    {
        "type": "api_key",
        "accept": "{irrevocable: the dispatcher knows no OAuth}",
        "permit": "[irrevocable]",
        "links": VAULT,
    },
]


@pytest.mark.parametrize("words", RIGHT, ids=str)
def test_what_can_be_declared(tmp_path: Path, words: dict[str, Any]) -> None:
    assert connection(tmp_path, **words).kind == "api_app"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rights": None}, "'rights' is missing"),
    ({"for_store": None}, "'for_store' is missing; deliveries is for an app of one store"),
    ({"for_store": "{id: 12}"}, "name"),
    ({"for_store": "{id: 0, name: Acme}"}, "'0' is no store's number"),
    ({"for_store": "{id: 12.0, name: Acme}"}, "'12.0' is no store's number"),
    ({"for_store": "{id: 12, name: Acme, x: y}"}, "x"),
    ({"rights": "deliveries"}, "'deliveries' was found; allowed: a list of"),
    ({"rights": "[]"}, "empty list"),
    ({"rights": "[deliverys]"}, "nearest: deliveries"),
    ({"rights": "[deliveries, deliveries]"}, "stands here twice"),
    (
        {"rights": "[orders]", "links": VAULT},
        "does not offer orders; the server knows it only for apps of a restaurant",
    ),
    ({"rights": "[deliveries, 'orders:all']"}, "orders:all is for an app of no store, deliveries for one of a store"),
    ({"rights": "['orders:all']", "links": VAULT}, "an app with orders:all sees every store, so none can be declared"),
    ({"rights": "[tasks]"}, "the plugin always asks for deliveries"),
    ({"type": "jwt"}, "'jwt' was found; allowed: api_key, oauth"),
    ({"type": "api_key", "permit": "[irrevocable]", "links": VAULT}, "type: api_key needs `accept: {irrevocable:"),
    ({"type": "api_key", "accept": "{irrevocable: why}", "links": VAULT}, "does not permit irrevocable"),
    (
        {"type": "api_key", "accept": "{irrevocable: why}", "permit": "[irrevocable]"},
        "the plugin works with an identifier and a secret",
    ),
    ({"name": f'"{"n" * 190}"'}, "characters too many beside our marker"),
    ({"name": '"connections:production:northside/acme-flowers:1:0123456789abcdef0123"'}, "looks like the marker"),
    ({"url": "https://northside.coop.example/admin/api/apps"}, "cut it off: https://northside.coop.example"),
    ({"url": "http://northside.coop.example"}, "does not begin with https://"),
    ({"links": "{shop: {to: wordpress}}"}, "'site' is missing"),
    ({"links": "{shop: {to: wordpress, site: https://flowers.acme.example/wp-admin}}"}, "cut it off"),
    (
        {
            "links": "{a: {to: wordpress, site: https://flowers.acme.example},"
            " b: {to: wordpress, site: https://flowers.acme.example}}"
        },
        "fills the same place at wordpress",
    ),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_refused_with_its_reason(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    assert said in refused(tmp_path, **words)


def test_what_reaches_every_store_is_called_out(tmp_path: Path) -> None:
    words: dict[str, Any] = {"rights": "['tasks:all']", "for_store": None, "links": VAULT}
    (warning,) = connection(tmp_path, **words).warnings
    assert "tasks:all reaches the orders or tasks of every store" in warning


def test_a_risk_that_is_none_is_called_out(tmp_path: Path) -> None:
    (warning,) = connection(tmp_path, accept="{irrevocable: why}", permit="[irrevocable]").warnings
    assert "only type: api_key is" in warning


def test_a_long_full_name_needs_a_declared_one() -> None:
    owner = Owner("connections", "production", f"{'s' * 30}/{'c' * 30}")
    whole = labels.label(labels.own_words(owner.connection), f"{owner.prefix}999999999:{'0' * marker.MAC_LENGTH}")
    # The longest names there can be leave room: only a long project or stack does not.
    assert len(whole) <= labels.LONGEST


@pytest.mark.parametrize("name", ["Flowers & more", "Blumen für Zürich", 'a "b" <c>'])
def test_a_name_is_read_back_from_its_label(name: str) -> None:
    mark = "connections:production:northside/acme-flowers:3:0123456789abcdef0123"
    assert marker.strip(labels.label(app_name(name), mark)) == name


def test_an_invisible_character_is_no_part_of_a_name() -> None:
    with pytest.raises(ValueError, match=r"invisible character \(U\+200B\)"):
        app_name("a\u200bb")


def test_the_parsers_take_text_alone() -> None:
    for parse in (server_url, site_url, store_number, app_name):
        with pytest.raises(ValueError, match="a list was found"):
            parse([])
    with pytest.raises(ValueError, match="a list was found"):
        rights([[]])
    with pytest.raises(ValueError, match="true was found|a mapping was found"):
        rights({})


def test_scopes_are_data() -> None:
    assert OFFERED == ("deliveries", "tasks", "orders:all", "tasks:all")
    assert ordered(["zzz", "tasks:all", "deliveries", "deliveries"]) == ("deliveries", "tasks:all", "zzz")
    assert [name for name in SCOPES if of_a_store([name])] == ["deliveries", "tasks", "orders"]
    assert not of_a_store(["unknown"])
