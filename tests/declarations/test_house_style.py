"""Texts of new declarations: as a person would write them, and read back as what they were made of."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from providers.core.errors import DeclarationError
from providers.declarations import inputs, names
from providers.declarations.house_style import adoption_text, connection_text, like_store_text, new_store_text, scalar
from providers.declarations.yaml_text import read
from providers.woocommerce.declared import DECLARED
from tests.declarations.files import STORE, loaded
from tests.declarations.paper import PAPER
from tests.declarations.test_paper import PAPER as PAPER_TEXT

NEW = """\
platform: woocommerce
url: https://acme-parts.example:8443/shop
title: Acme Parts (spare)
team: retail
connections:
  orders:
    purpose: orders, customers
    rights: read
    user: hub-reader
    links: {hub: {to: vault, overlap: 24h}, person: {recipient: dev@agency.example}}
  stock:
    purpose: "stock: levels #1"
    rights: write
    user: "on"
    adopt: "12e4567"
    revoke_on_destroy: true
    freeze:
      until: "2026-12-24"
      reason: sale
    links: {vault: {}}
"""
CONNECTIONS: dict[str, dict[str, Any]] = {
    "orders": {
        "purpose": "orders, customers",
        "rights": "read",
        "user": "hub-reader",
        "links": {
            "hub": {"to": "vault", "overlap": "24h"},
            "person": {"recipient": "dev@agency.example", "handover": None},
        },
    },
    "stock": {
        "links": {"vault": {}},
        "purpose": "stock: levels #1",
        "rights": "write",
        "user": "on",
        "adopt": "12e4567",
        "revoke_on_destroy": True,
        "freeze": {"until": "2026-12-24", "reason": "sale"},
    },
}


def test_a_new_store(tmp_path: Path) -> None:
    text = new_store_text(
        DECLARED,
        "https://acme-parts.example:8443/shop",
        CONNECTIONS,
        title="Acme Parts (spare)",
        team="retail",
        ask=None,
    )
    assert text == NEW
    stack = loaded(tmp_path, {"production/acme-parts.yaml": text})
    assert inputs(stack, stack.connection("acme-parts/stock"))["purpose"] == "stock: levels #1"


def test_a_store_like_another(tmp_path: Path) -> None:
    past = NEW.replace("title:", "moved_from: https://x.example\nwas: old\ntitle:").replace(
        "to: vault,", "was: x, to: vault,"
    )
    text = like_store_text(past, DECLARED, "https://acme-outdoor.example", title="Acme Outdoor")
    expected = NEW.replace("acme-parts.example:8443/shop", "acme-outdoor.example").replace(
        "Acme Parts (spare)", "Acme Outdoor"
    )
    expected = expected.replace('    adopt: "12e4567"\n', "")
    expected = expected.replace('    freeze:\n      until: "2026-12-24"\n      reason: sale\n', "")
    assert text == expected
    assert len(loaded(tmp_path, {"production/acme-outdoor.yaml": text}).stores) == 2


def test_what_stood_without_quotes_goes_on_so(tmp_path: Path) -> None:
    source = PAPER_TEXT.replace("orders, stock]", "orders, 'stock']").replace("purpose: orders", "purpose: a [b], c")
    text = like_store_text(source, PAPER, "0123456", team="delivery")
    assert 'store_hash: "0123456"\nteam: delivery\nconnections:' in text
    assert 'purpose: "a [b], c"' in text
    assert "strict: true" in text
    assert "rights: [orders, stock]" in text
    stack = loaded(tmp_path, {"production/paper.yaml": text})
    assert stack.connection("paper/clerk").fields == {"rights": {"set": "clerk", "sheets": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: *b", r"cannot be read: an alias"), ("platform: paper\n", "is no woocommerce store")],
)
def test_nothing_to_copy(text: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        like_store_text(text, DECLARED, "https://a.example")


def test_a_store_without_connections_to_copy() -> None:
    text = like_store_text("platform: woocommerce\n", DECLARED, "https://a.example")
    assert text == "platform: woocommerce\nurl: https://a.example\nconnections: {}\n"


def test_connections_to_paste(tmp_path: Path) -> None:
    words = {"purpose": "orders", "rights": "read", "user": "hub-reader"}
    adopted = adoption_text("hub", words, "fresh-roast-hub", note="used\nyesterday\x1b[2J, ends in …abcdefg")
    assert adopted == (
        "  # used yesterday [2J, ends in …abcdefg\n"
        "  hub:\n    purpose: orders\n    rights: read\n    user: hub-reader\n    adopt: fresh-roast-hub\n"
        "    links: {vault: {}}\n"
    )
    other = connection_text("other", {**words, "links": {"person": {}}})
    stack = loaded(tmp_path, {"production/fresh-roast.yaml": STORE + adopted + other})
    assert [connection.name for connection in stack.connections] == [
        f"fresh-roast/{name}" for name in ("orders", "hub", "other")
    ]


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1))
def test_every_text_reads_back_as_itself_to_every_reader(text: str) -> None:
    written = f"a: {scalar(text)}\nb: [{scalar(text, within=True)}]\n"
    source = read(written.encode())
    assert source.flaws == ()
    assert source.root == {"a": text, "b": [text]}
    assert yaml.safe_load(written) == {"a": text, "b": [text]}


TITLES = st.from_regex(r"[A-Za-z0-9#&':,%@!*-][A-Za-z0-9 #&':,%@!*{}\[\]-]{0,40}[A-Za-z0-9]", fullmatch=True)


@given(
    title=TITLES,
    purpose=st.from_regex(r"[A-Za-z&'#:][A-Za-z0-9 ,:#'&-]{0,60}[a-z]", fullmatch=True),
    host=st.from_regex(r"[a-z][a-z0-9]{0,20}\.example(:[1-9][0-9]{3})?(/[a-z]{1,8}){0,2}", fullmatch=True),
    user=st.from_regex(r"[A-Za-z0-9_.@-]{1,20}", fullmatch=True),
    rights=st.sampled_from(["read", "write", "read_write"]),
)
def test_round_trip(
    title: str, purpose: str, host: str, user: str, rights: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = {"purpose": purpose, "rights": rights, "user": user, "links": {"vault": {"overlap": "5s"}}}
    text = new_store_text(DECLARED, f"https://{host}", {"orders": words}, title=title, team="retail")
    stack = loaded(tmp_path_factory.mktemp("trip"), {"production/fresh-roast.yaml": text})
    (connection,) = stack.connections
    assert (connection.store.title, connection.purpose) == (" ".join(title.split()), " ".join(purpose.split()))
    assert (connection.fields["user"], connection.fields["rights"], connection.overlap) == (user, rights, 5)
    assert connection.store.address == f"https://{host}".removesuffix(":443")


@given(st.text())
def test_proposed_names_are_names(text: str) -> None:
    assert names.flaw(names.proposed(text)) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("Acme Parts & Co.", "acme-parts-co"), ("1st 2nd", "store"), ("No", "no-1"), ("x" * 40, "x" * 30), ("", "store")],
)
def test_proposed_name(text: str, name: str) -> None:
    assert names.proposed(text) == name
