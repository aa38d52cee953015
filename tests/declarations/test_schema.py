"""The schemas that editors use: kept in step with the models, and of one mind with `load` about whole files."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import create_model

from providers.declarations import platforms
from providers.declarations.models import LinkWords
from providers.declarations.platforms import DeclaredConsumer
from providers.declarations.schema import schema_text, schemas, store_schema, write
from tests.declarations.files import ALL, REAL, SETTINGS, STORE
from tests.declarations.test_paper import PAPER

ACCOUNT = """\
platform: bigcommerce
store_hash: "12e4567"
team: retail
connections:
  orders:
    purpose: orders into the hub
    rights: {Orders: Read-Only, "information & Settings": modify, Themes: none}
    links: {vault: {}}
  stone-edge:
    purpose: orders and stock
    rights: {set: stone-edge-connect2cart, except: {checkout content: None}}
    links: {vault: {}}
  pages:
    credential: storefront_token
    purpose: the shop's pages
    account: orders
    token: private
    rights: [Customer]
    channels: [1, 30]
    cors_origins: [https://acme.example]
    expires_after: 180d
    links: {vault: {}}
"""

EVERY = {**REAL, "paper": ALL["paper"]}

QUOTED = PAPER.replace("12e4567", '"12e4567"')

PROJECT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"


class _Editor(yaml.SafeLoader):
    """Types scalars as editors do, by the core schema of YAML 1.2: dates and the like are texts."""


_Editor.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag.endswith((":null", ":merge"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_NUMBER = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
for _tag, _rule, _first in (
    ("bool", "true|false", "tf"),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", _NUMBER, "-+.0123456789"),
):
    _Editor.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^({_rule})$"), list(_first))


def _typed(text: str) -> Any:
    return yaml.load(text, Loader=_Editor)


def _validator(name: str) -> jsonschema.Draft7Validator:
    schema = schemas(EVERY)[name]
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def _complaints(name: str, text: str) -> list[str]:
    return [error.message for error in _validator(name).iter_errors(_typed(text))]


def test_the_files_are_what_the_models_say() -> None:
    made = {name: schema_text(schema) for name, schema in schemas(platforms()).items()}
    kept = {file.name: file.read_text("utf-8") for file in (PROJECT / "stacks" / "schema").iterdir()}
    assert kept == made, "run: connections schema"


def test_write(tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    assert {file.name for file in write(folder, ALL)} == {
        "store.schema.json",
        "stack.schema.json",
        "rights-bigcommerce.schema.json",
        "rights-paper.schema.json",
    }
    assert write(folder, ALL) == ()
    (folder / "stack.schema.json").write_text("{}")
    assert write(folder, ALL) == (folder / "stack.schema.json",)
    assert json.loads((folder / "stack.schema.json").read_text())["title"] == "What a stack shares"


def _right() -> Iterator[tuple[str, str, str]]:
    yield "store.schema.json", "store", STORE
    yield "stack.schema.json", "settings", SETTINGS
    yield "rights-paper.schema.json", "rights", "rows: [a]\n"
    yield "store.schema.json", "paper", QUOTED
    for kind, name in (("store", "store.schema.json"), ("stack", "stack.schema.json")):
        for file in sorted((CASES / kind).glob("right*.yaml")):
            if "look-typed" not in file.stem:
                yield name, f"{kind}-{file.stem}", file.read_text("utf-8")
    yield "store.schema.json", "account", ACCOUNT
    for file in sorted((PROJECT / "stacks" / "rights").glob("*/*.yaml")):
        yield f"rights-{file.parent.name}.schema.json", file.stem, file.read_text("utf-8")
    for file in sorted((PROJECT / "stacks" / "sandbox").glob("*.yaml")):
        yield "stack.schema.json" if file.stem == "_stack" else "store.schema.json", file.stem, file.read_text("utf-8")


RIGHT = list(_right())


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, _, text in RIGHT], ids=[case for _, case, _ in RIGHT]
)
def test_what_load_reads_is_right_for_an_editor(name: str, text: str) -> None:
    assert _complaints(name, text) == []


WRONG = [
    ("store", STORE.replace("woocommerce", "shop")),
    ("store", STORE.replace("platform: woocommerce\n", "")),
    ("store", STORE.replace("rights: read", "rights: reed")),
    ("store", STORE.replace("rights: read", "rihgts: read")),
    ("store", STORE.replace("rights: read\n", "\n")),
    ("store", STORE.replace("hub-reader", "12e45")),
    ("store", STORE.replace("  orders:", "  Orders:")),
    ("store", STORE.replace("  orders:", "  on:")),
    ("store", STORE.replace("{vault: {}}", "{}")),
    ("store", STORE.replace("{vault: {}}", "{nobody: {}}")),
    ("store", STORE.replace("{vault: {}}", "{vault: {recipient: a@b.example}}")),
    ("store", STORE.replace("{vault: {}}", "{hub: {to: vualt}}")),
    ("store", STORE.replace("{vault: {}}", "{vault: {to: person, overlap: 5s}}")),
    ("store", STORE.replace("https:", "http:")),
    ("store", STORE.replace("example\n", "example/\n")),
    ("store", STORE.replace("    user", "    rotate_after: 90\n    user")),
    ("store", STORE.replace("    user", "    revoke_on_destroy: 'true'\n    user")),
    ("store", PAPER),
    ("store", PAPER.replace("front_token", "token")),
    ("store", PAPER.replace("rights: [orders, stock]", "rights: {set: clerk}")),
    ("stack", SETTINGS.replace("format: 1", "format: 2")),
    ("stack", SETTINGS.replace("retail:", "Retail:")),
    ("stack", SETTINGS.replace("permit: [", "permit: [all, ")),
    ("stack", SETTINGS + "hubs: {printer: {}}\n"),
    ("stack", SETTINGS + "hubs: {printer: {floor: 1, dsek: back}}\n"),
    ("stack", SETTINGS + "hubs: {printers: {floor: 1}}\n"),
    ("rights-paper", "rows: [1]\n"),
    ("rights-bigcommerce", "rights: {}\n"),
    ("rights-bigcommerce", "rights: {Ordrs: none}\n"),
    ("rights-bigcommerce", "rights: {Orders: login}\n"),
    ("rights-bigcommerce", "rights: {ORDERS: all}\n"),
    ("rights-bigcommerce", "rights: {Account: read-only}\n"),
    ("store", QUOTED.replace("{tray: 2}", "{hall: north}")),
    ("store", QUOTED.replace("hall: north", "tray: 1")),
    ("store", QUOTED.replace("{printer: {tray: 2}}", "{hall-desk: {}}")),
    ("store", ACCOUNT.replace('"12e4567"', "12e4567")),
    ("store", ACCOUNT.replace("12e4567", "store-12e4567")),
    ("store", ACCOUNT.replace("team:", "moved_from: abc\nteam:")),
    ("store", ACCOUNT.replace("{checkout content: None}", "{}")),
    ("store", ACCOUNT.replace("set:", "sets:")),
    ("store", ACCOUNT.replace("[Customer]", "[Customers]")),
    ("store", ACCOUNT.replace("token: private", "token: public")),
    ("store", ACCOUNT.replace("[1, 30]", "[one]")),
    ("store", ACCOUNT.replace("https://acme", "http://acme")),
    ("store", ACCOUNT.replace("    account: orders\n", "")),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_wrong(name: str, text: str) -> None:
    assert _complaints(f"{name}.schema.json", text) != []


def test_no_schema_holds_null_or_what_only_machines_read() -> None:
    text = json.dumps(schemas(ALL))
    assert '"null"' not in text
    assert '"title": "Rotate' not in text


def test_models_of_two_folders_may_be_called_alike() -> None:
    def words(of: type) -> type[LinkWords]:
        return create_model("SiteLink", __base__=LinkWords, __module__=f"providers.{of.__name__}", site=(of, ...))

    consumers = {
        "account": {"site": DeclaredConsumer("site", frozenset(), words(int))},
        "front_token": {"site": DeclaredConsumer("site", frozenset(), words(bool))},
    }
    schema = jsonschema.Draft7Validator(store_schema({"paper": replace(ALL["paper"], consumers=consumers)}))
    text = QUOTED.replace("{printer: {tray: 2}}", "{site: {site: 1}}")
    right = _typed(text.replace("{to: printer, hall: north}", "{to: site, site: true}"))
    assert [error.message for error in schema.iter_errors(right)] == []
    wrong = _typed(text.replace("{to: printer, hall: north}", "{to: site, site: 1}"))
    assert list(schema.iter_errors(wrong)) != []
