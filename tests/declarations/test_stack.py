"""Finding connections by pattern, and the inputs of their resources."""

import json
from pathlib import Path

import pytest

from providers.core.errors import DeclarationError
from providers.declarations import Stack, inputs, link_inputs, load, platforms, select
from providers.declarations.platforms import every_consumer
from tests.declarations.files import SETTINGS, STORE, loaded

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sandbox() -> Stack:
    return load(PROJECT / "stacks", "sandbox", platforms())


def test_the_sandbox_stack(sandbox: Stack) -> None:
    assert [store.name for store in sandbox.stores] == [
        "acme-market",
        "acme-outdoor",
        "acme-parts",
        "acme-sites",
        "fresh-roast",
        "northside",
        "northside-coop",
        "old-mill",
        "westside",
        "westside-sites",
    ]
    keys = [connection for connection in sandbox.connections if connection.platform == "woocommerce"]
    assert {str(key.fields["rights"]) for key in keys} == {"read", "write", "read_write"}
    assert {key.fields["user"] for key in keys} == {"hub-reader", "hub-writer", "pim-writer", "stock-writer"}
    assert all(5 <= key.overlap <= 10 for key in keys if key.overlap)
    # Every kind of credential and every consumer that there is.
    kinds = {(connection.platform, connection.kind) for connection in sandbox.connections}
    assert kinds == {(name, kind) for name, platform in platforms().items() for kind in platform.credentials}
    used = {link.to for connection in sandbox.connections for link in connection.links}
    consumers = {consumer.name for consumer in every_consumer(platforms())}
    assert used == {"vault", "person"} | consumers
    assert sandbox.settings.hosts.private == {"localhost": ("127.0.0.0/8", "::1/128")}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("fresh-roast/catalogue", ["fresh-roast/catalogue"]),
        ("fresh-roast/*", ["fresh-roast/orders-hub", "fresh-roast/catalogue", "fresh-roast/hubs"]),
        ("*/catalogue", ["fresh-roast/catalogue", "old-mill/catalogue"]),
        ("acme-[ms]*/*", ["acme-market/dispatch", "acme-sites/sites"]),
    ],
)
def test_select(pattern: str, names: list[str], sandbox: Stack) -> None:
    assert [connection.name for connection in select(sandbox, pattern)] == names


def test_select_all(sandbox: Stack) -> None:
    assert select(sandbox, "*") == sandbox.connections


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("fresh-roast", "'fresh-roast' is a store. All of its connections are fresh-roast/*"),
        ("fresh-rost/catalogue", "no connection matches 'fresh-rost/catalogue'; nearest: fresh-roast/catalogue"),
        ("frsh-roast/*", "no connection matches 'frsh-roast/*'; nearest: fresh-roast/*"),
        ("zzz", "no connection matches 'zzz'"),
    ],
)
def test_select_nothing(pattern: str, said: str, sandbox: Stack) -> None:
    with pytest.raises(DeclarationError) as caught:
        select(sandbox, pattern)
    assert str(caught.value) == said


def test_by_name(sandbox: Stack) -> None:
    assert sandbox.connection("old-mill/catalogue").rotate_after == 30 * 86400
    with pytest.raises(DeclarationError, match="nearest: old-mill/catalogue"):
        sandbox.connection("old-mil/catalogue")


def test_inputs(sandbox: Stack) -> None:
    connection = sandbox.connection("fresh-roast/catalogue")
    assert inputs(sandbox, connection) == {
        "connection": "fresh-roast/catalogue",
        "platform": "woocommerce",
        "kind": "api_key",
        "url": "https://localhost:18443/fresh-roast",
        "login": "admin",
        "title": "Fresh Roast",
        "purpose": "catalogue out of the product system, stock back",
        "rights": "read_write",
        "user": "pim-writer",
        "authentication": "header",
        "team": "retail",
        "ask": "integrations@agency.example",
        "verify": "read",
        "rotate_after": 90 * 86400,
        "overlap": 10,
        "vault": {"mount": "kv", "admins": "admins", "hubs": "hubs", "adopt": "legacy", "transit": "transit"},
        "private_networks": ["127.0.0.0/8", "::1/128"],
        "ca_file": ".local/sandbox/tls/ca.pem",
    }
    assert link_inputs(connection, connection.links[0]) == {
        "connection": "fresh-roast/catalogue",
        "link": "product-system",
        "to": "vault",
        "overlap": 10,
    }


def test_inputs_of_everything_are_json_and_in_a_fixed_order(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "cases" / "store" / "right-every-word.yaml").read_text("utf-8")
    stack = loaded(tmp_path, {"production/fresh-roast.yaml": text})
    (connection,) = stack.connections
    found = inputs(stack, connection)
    assert json.loads(json.dumps(found)) == found
    assert list(found) == list(inputs(stack, connection))
    assert found["freeze"] == {"until": "2026-12-24", "reason": "sale"}
    assert found["accept"] == {"plain_handover": "a device without a browser"}
    assert (found["moved_from"], found["revoke_on_destroy"], found["adopt"]) == (
        "https://old.example",
        True,
        "fresh-roast-hub",
    )
    assert (connection.team, connection.ask, connection.was) == ("delivery", "dev@fresh-roast.example", "old-roast/hub")
    assert [(link.name, link.to, dict(link.fields), link.was) for link in connection.links] == [
        ("hub", "vault", {"overlap": 5}, "middle"),
        ("person", "person", {"handover": "plain", "handover_ttl": 3600, "recipient": None}, ""),
        ("dev", "person", {"handover": "sealed", "handover_ttl": 72 * 3600, "recipient": "Dev@agency.example"}, ""),
    ]
    assert str(tmp_path) not in json.dumps(found)


def test_the_order_of_files_and_lines_does_not_matter(tmp_path: Path) -> None:
    turned = STORE.split("connections:\n")[1].splitlines(keepends=True)
    store = (
        "connections:\n"
        + turned[0]
        + "".join(reversed(turned[1:]))
        + "".join(reversed(STORE.split("connections:")[0].splitlines(keepends=True)))
    )
    first = loaded(tmp_path / "a", {})
    second = loaded(tmp_path / "b", {"production/fresh-roast.yaml": store, "production/_stack.yaml": SETTINGS})
    assert json.dumps(inputs(first, first.connections[0])) == json.dumps(inputs(second, second.connections[0]))
