"""What may be declared for SureCart: read from files, as `load` reads or refuses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from providers.declarations import DeclarationErrors, Stack, inputs, load, platforms
from providers.declarations.house_style import like_store_text
from providers.declarations.stack import link_inputs
from providers.surecart.declared import DECLARED
from providers.surecart.words import LONGEST_ADDRESS
from tests.declarations.files import SETTINGS, write_stack

NAME = "production/acme-outdoor.yaml"
FILE = """\
platform: surecart
account: acme-outdoor
team: retail
ask: owner@agency.example
connections:
  sites:
    purpose: checkout on three sites
    rights: all
    accept: {adopt_foreign: connected by hand last year}
    links:
      main: {to: wordpress, site: https://acme.example}
      uk: {to: wordpress, site: https://UK.acme.example:443, adopt: true}
      blog: {to: wordpress, site: https://acme.example/blog}
"""


PERMITTED = SETTINGS.replace("permit: [", "permit: [adopt_foreign, ")


def _load(top: Path, text: str, settings: str = PERMITTED) -> Stack:
    return load(write_stack(top, {NAME: text, "production/_stack.yaml": settings}), "production", platforms())


def _said(top: Path, text: str) -> list[str]:
    with pytest.raises(DeclarationErrors) as caught:
        _load(top, text)
    return [line.removeprefix(f"stacks/{NAME}:") for line in str(caught.value).splitlines()]


def test_a_token_for_three_sites(tmp_path: Path) -> None:
    stack = _load(tmp_path, FILE)
    connection = stack.connection("acme-outdoor/sites")
    assert (connection.kind, connection.by_person, connection.rotate_after) == ("api_token", True, None)
    assert (connection.fields, connection.warnings) == ({"rights": "all"}, ())
    assert connection.store.url == "https://api.surecart.com/acme-outdoor"
    found = inputs(stack, connection)
    assert found["account"] == "acme-outdoor"
    assert (found["api"], found["dashboard"]) == ("https://api.surecart.com", "https://app.surecart.com")
    sites = {link.name: link.fields["site"] for link in connection.links}
    assert sites == {
        "main": "https://acme.example",
        "uk": "https://uk.acme.example",
        "blog": "https://acme.example/blog",
    }
    assert [bool(link.fields["adopt"]) for link in connection.links] == [False, True, False]


def test_the_links_know_their_account_and_its_cloud(tmp_path: Path) -> None:
    settings = PERMITTED + "endpoints: {surecart: {api: https://localhost:8443/api.surecart.com}}\n"
    connection = _load(tmp_path, FILE, settings).connection("acme-outdoor/sites")
    consumer = platforms()["surecart"].consumers["api_token"]["wordpress"]
    assert consumer.place(connection, connection.links[2]) == "SureCart plugin at https://acme.example/blog"
    for link in connection.links:
        found = link_inputs(connection, link)
        assert (found["to"], found["account"]) == ("wordpress", "acme-outdoor")
        assert found["api"] == "https://localhost:8443/api.surecart.com"
    assert found["site"] == "https://acme.example/blog"
    # What nobody wrote is no input.
    assert "adopt" not in found
    assert link_inputs(connection, connection.links[1])["adopt"] is True


ROTATED = FILE.replace("    rights: all\n", "    rights: all\n    rotate_after: 90d\n")


def test_an_age_that_is_written_counts(tmp_path: Path) -> None:
    defaults = PERMITTED + "defaults: {rotate_after: 30d}\n"
    assert _load(tmp_path / "a", FILE, defaults).connection("acme-outdoor/sites").rotate_after is None
    assert _load(tmp_path / "b", ROTATED).connection("acme-outdoor/sites").rotate_after == 90 * 86_400


RIGHT_SITES = [
    ("https://acme.example:8443/a/b", "https://acme.example:8443/a/b"),
    ("https://ACME.example", "https://acme.example"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
]


@pytest.mark.parametrize(("written", "kept"), RIGHT_SITES)
def test_a_site_has_one_spelling(written: str, kept: str, tmp_path: Path) -> None:
    stack = _load(
        tmp_path,
        FILE.replace("https://acme.example/blog", written).replace("https://acme.example}", "https://x.example}"),
    )
    assert stack.connection("acme-outdoor/sites").links[2].fields["site"] == kept


WRONG: list[tuple[str, str, str]] = [
    ("rights: all", "rights: read", "'read' was found; allowed: all."),
    ("rights: all", "rights: secret", "nothing finer exists"),
    ("rights: all", "rights: [orders]", "nothing finer exists"),
    ("rights: all", "rights: All", "'All' was found"),
    ("account: acme-outdoor", "account: https://acme.example", "is no slug of an account"),
    ("account: acme-outdoor", "account: Acme Outdoor", "is no slug of an account"),
    ("account: acme-outdoor", "account: acme-", "is no slug of an account"),
    ("account: acme-outdoor", "account: [acme]", "where a text is expected"),
    ("team: retail", "team: retail\nmoved_from: Acme Out", "no slug of an account"),
    ("    accept: {adopt_foreign: connected by hand last year}\n", "", "adopt needs `accept: {adopt_foreign:"),
    ("ask: owner@agency.example\n", "", "'ask' is missing; a person makes the token"),
    ("https://acme.example/blog", "http://acme.example/blog", "plain http is refused"),
    ("https://acme.example/blog", "acme.example/blog", "an address begins with https://"),
    ("https://acme.example/blog", "https://acme.example/blog/", "does not end in a slash. Leave the last slash out"),
    ("https://acme.example/blog", "https://u:p@acme.example", "an address holds no login"),
    ("https://acme.example/blog", "https://acme.example/blog/wp-admin/", "does not end in a slash"),
    ("https://acme.example/blog", "https://acme.example/blog/wp-admin", "cut it off: https://acme.example/blog"),
    ("https://acme.example/blog", "https://acme.example/wp-json/surecart/v1", "cut it off: https://acme.example"),
    ("https://acme.example/blog", "https://acme.example/-blog", "the site's login lies under it in Vault"),
    ("https://acme.example/blog", f"https://acme.example/{'b' * LONGEST_ADDRESS}", "characters; an address has"),
    ("site: https://acme.example/blog", "adopt: false", "'site' is missing"),
    ("site: https://acme.example/blog", "site: https://acme.example/blog, adopt: maybe", "neither true nor false"),
    ("site: https://acme.example/blog", "site: https://acme.example/blog, overlap: 1h", "'overlap'"),
    ("https://acme.example/blog", "https://acme.example", "main"),
]


@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_what_may_not_be_said(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert old in FILE
    said = _said(tmp_path, FILE.replace(old, new))
    assert any(words in line for line in said), said


def test_an_address_that_may_hold_a_password_is_not_repeated(tmp_path: Path) -> None:
    said = _said(tmp_path, FILE.replace("https://acme.example/blog", "https://u:canary-password@acme.example"))
    assert "canary-password" not in "".join(said)


def test_a_file_can_be_made_like_another() -> None:
    text = like_store_text(FILE, DECLARED, "acme-winter")
    assert "account: acme-winter" in text


def test_what_editors_are_told(tmp_path: Path) -> None:
    def fields(model: Any) -> dict[str, Any]:
        found: dict[str, Any] = model.model_json_schema()["properties"]
        return found

    assert fields(DECLARED.credentials["api_token"])["rights"]["const"] == "all"
    assert "pattern" in fields(DECLARED.store)["account"]
    consumer = platforms()["surecart"].consumers["api_token"]["wordpress"]
    assert fields(consumer.words)["site"]["pattern"].startswith("^https://")
    assert (DECLARED.signs_in, DECLARED.identity, DECLARED.default_kind) == (False, "account", "api_token")
