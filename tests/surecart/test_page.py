"""docs/surecart.md: its file is valid, its lines are said by the code, and its fields are those that are published."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from providers.declarations import load, platforms
from providers.surecart import CREDENTIALS
from providers.surecart.site import LOGIN_FIELDS
from tests.declarations.files import SETTINGS
from tests.docs.markdown import ROOT, Block, anchors, blocks, links, table
from tests.docs.test_references import FLAT
from tests.surecart.conftest import Account

PAGE = ROOT / "docs" / "surecart.md"


def the_file() -> Block:
    (found,) = blocks(PAGE)
    return found


def test_the_declared_file_is_valid(tmp_path: Path) -> None:
    block = the_file()
    (tmp_path / block.what).parent.mkdir(parents=True)
    settings = SETTINGS.replace("retail:", "integrations:")
    (tmp_path / "stacks" / "production" / "_stack.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / block.what).write_text(block.text, encoding="utf-8")
    (connection,) = load(tmp_path / "stacks", "production", platforms()).connections
    assert (len(connection.links), connection.warnings) == (3, ())


def quoted(heading: str, column: int) -> list[str]:
    return [text for row in table(PAGE, heading=heading) for text in re.findall(r"`([^`]+)`", row[column])]


@pytest.mark.parametrize("text", [*quoted("## When it fails", 0), *quoted("### What drift is", 1)])
def test_lines_are_said_by_the_code(text: str) -> None:
    parts = [part.strip(" :;,") for part in re.split(r"\.\.\.|\. ", text)]
    assert [part for part in parts if len(part) > 3 and part not in FLAT] == []


def test_the_fields(account: Account) -> None:
    told = {name for row in table(PAGE, "fields: credential of surecart") for name in re.findall(r"`(\w+)`", row[0])}
    assert told >= {*CREDENTIALS["api_token"].secret_fields, *account.issuer().public()}
    assert [row[0].strip("`") for row in table(PAGE, "fields: login of a site")] == [*LOGIN_FIELDS]


def test_links_lead_somewhere() -> None:
    for target in links(PAGE):
        path, _, anchor = target.partition("#")
        where = PAGE.parent / path if path else PAGE
        assert where.exists()
        assert not anchor or anchor in anchors(where)
