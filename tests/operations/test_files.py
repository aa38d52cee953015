"""`check`, `schema`, `new`, `version`: commands that need nothing but files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.operations.conftest import call
from tests.operations.test_program import STACK, STORE, files

__all__ = ["files"]


def test_check_counts_what_is_declared(files: Path) -> None:
    assert call("check", "--json").json == {
        "stack": "production",
        "stores": 1,
        "connections": 1,
        "links": 1,
        "warnings": [],
        "problems": [],
    }
    assert call("check").out == "production: 1 stores, 1 connections, 1 links; nothing is wrong with the files\n"


def test_check_tells_every_problem(files: Path) -> None:
    file = files / "stacks/production/fresh-roast.yaml"
    file.write_text(STORE.replace("rights: read", "rights: raed"))
    called = call("check", "--json")
    assert called.code == 1
    assert called.json["problems"] == [
        {
            "file": "stacks/production/fresh-roast.yaml",
            "line": 7,
            "column": 13,
            "what": "'raed' was found; allowed: read, read_write, write; nearest: read",
        }
    ]
    shown = call("check").out.splitlines()
    assert shown[0].startswith("stacks/production/fresh-roast.yaml:7:13: ")
    assert shown[1] == "production: 1 problem"
    file.write_text(STORE.replace("rights: read", "rights: raed").replace("user: reader", "user: '?'"))
    assert call("check").out.splitlines()[-1] == "production: 2 problems"


def test_check_warns(files: Path) -> None:
    file = files / "stacks/production/fresh-roast.yaml"
    file.write_text(STORE.replace("user: reader", "user: reader\n    authentication: query"))
    called = call("check")
    assert called.code == 0
    assert called.out.startswith("warning: fresh-roast/orders: stacks/production/fresh-roast.yaml:9: authentication")


def test_version(files: Path) -> None:
    found = call("version", "--json").json
    assert found["declarations_format"] == 1
    assert set(found["packages"]) == {"pulumi", "hvac", "httpx", "pydantic"}
    assert call("version").out.startswith("connections: declarations format 1, Python 3.")


def test_schemas_are_printed_written_and_compared(files: Path) -> None:
    printed = call("schema", "--json").json["schemas"]
    assert "store.schema.json" in printed
    assert "# store.schema.json" in call("schema").out

    called = call("schema", "--check", "--json")
    assert (called.code, len(called.json["differing"])) == (2, len(printed))
    assert "differs" in call("schema", "--check").out
    written = call("schema", "--write", "--json").json["written"]
    assert sorted(written) == sorted(f"stacks/schema/{name}" for name in printed)
    assert json.loads((files / "stacks/schema/store.schema.json").read_text()) == printed["store.schema.json"]
    assert call("schema", "--check").out == "the schemas are up to date\n"
    file = files / "stacks/schema/store.schema.json"
    file.write_text("{}")
    assert call("schema", "--check", "--json").json["differing"] == ["stacks/schema/store.schema.json"]
    assert call("schema", "--write").out == "wrote stacks/schema/store.schema.json\n"
    assert call("schema", "--write", "--check").code == 1


def test_the_committed_schemas_are_those_of_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    assert call("schema", "--check", "--stack", "sandbox").code == 0


# --- new stores ---


def test_a_new_store(files: Path) -> None:
    called = call("new", "acme-parts", "--platform", "woocommerce", "--url", "https://shop.acme.example/eu", "--json")
    assert called.code == 0, called.err
    assert called.json["file"] == "stacks/production/acme-parts.yaml"
    assert called.json["admin_login"] == "admins/shop.acme.example/eu"
    text = (files / "stacks/production/acme-parts.yaml").read_text()
    assert text.startswith("platform: woocommerce\nurl: https://shop.acme.example/eu\nteam: retail\n")
    assert call("check", "--json").json["stores"] == 2


def test_a_new_store_where_persons_make_the_keys(files: Path) -> None:
    call_new = ("new", "acme-parts", "--platform", "bigcommerce", "--url")
    called = call(*call_new, "store-9zq4abc")
    assert (called.code, "write the hash alone: 9zq4abc" in called.err) == (1, True), called.err
    called = call(*call_new, "9zq4abc", "--json")
    assert called.code == 0, called.err
    assert (called.json["admin_login"], "admin login" in str(called.json["next"])) == ("", False)
    file = files / "stacks/production/acme-parts.yaml"
    assert file.read_text().startswith('platform: bigcommerce\nstore_hash: "9zq4abc"\nteam: retail\n')
    # What it shows as an example can be declared.
    example = "\n".join(called.json["next"][1:-1])
    file.write_text(file.read_text().replace("connections: {}", f"ask: a@b.example\nconnections:\n{example}"))
    assert call("check", "--json").json["connections"] == 2


def test_a_new_store_like_another(files: Path) -> None:
    options = ("--platform", "woocommerce", "--url", "https://acme.example")
    called = call("new", "acme-parts", *options, "--like", "fresh-roast")
    assert called.code == 0, called.err
    assert "at admins/acme.example (" in called.out
    assert call("check", "--json").json["connections"] == 2
    (files / "stacks/production/_stack.yaml").write_text(
        STACK.replace("teams: {", "teams: {delivery: {mail: a@b.example}, ")
    )
    other = ("--platform", "woocommerce", "--url", "https://northside.example")
    assert call("new", "northside", *other, "--like", "fresh-roast", "--team", "delivery").code == 0
    assert "team: delivery" in (files / "stacks/production/northside.yaml").read_text()
    called = call("new", "old-mill", *options)
    assert called.code == 1
    assert "Name one with --team" in called.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("fresh-roast", "woocommerce", "https://acme.example"), 5, "already there"),
        (("No", "woocommerce", "https://acme.example"), 1, "cannot be a name"),
        (("acme-parts", "woocomerce", "https://acme.example"), 1, "nearest: woocommerce"),
        (("acme-parts", "woocommerce", "http://acme.example"), 1, "https://"),
    ],
)
def test_what_is_wrong_is_not_written(files: Path, arguments: tuple[str, str, str], code: int, says: str) -> None:
    name, platform, url = arguments
    called = call("new", name, "--platform", platform, "--url", url)
    assert (called.code, says in called.err) == (code, True), called.err
    assert (files / "stacks/production/fresh-roast.yaml").read_text() == STORE
    assert sorted(path.name for path in (files / "stacks/production").iterdir()) == ["_stack.yaml", "fresh-roast.yaml"]


def test_a_store_to_copy_must_be_there(files: Path) -> None:
    options = ("--platform", "woocommerce", "--url", "https://acme.example", "--like", "fresh-rost")
    called = call("new", "acme-parts", *options)
    assert (called.code, "nearest: fresh-roast" in called.err) == (1, True)
