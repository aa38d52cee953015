"""A storefront token by the commands: made by its account's credential out of Vault, shown, renewed and ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from providers.core import loop
from providers.core.operation import Outcome
from providers.declarations import load, platforms
from providers.inputs import consumer_inputs, credential_inputs
from sandbox.bigcommerce.client import StorefrontTokenRow
from tests.operations.bigcommerce_store import Account, open_account
from tests.operations.conftest import Project

MANAGE = {"Storefront API tokens": "manage"}
TOKENS, PAGES = "acme-parts/tokens", "acme-parts/pages"
FILE = """
tokens:
  purpose: makes the tokens of the pages
  rights: {Storefront API tokens: manage}
  links: {hub: {to: vault}}
pages:
  credential: storefront_token
  purpose: the pages of the shop
  account: tokens
  token: private
  rights: [customer]
  channels: [1]
  expires_after: 180d
  rotate_after: 175d
  overlap: 1h
  links: {hub: {to: vault}}
"""


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Account:
    opened = open_account(project, tmp_path)
    settings = project.folder / "_stack.yaml"
    # So that age alone makes nothing due before the end of its life does.
    settings.write_text(settings.read_text("utf-8").replace("spread: 10d", "spread: 1s"), "utf-8")
    head = {"platform": "bigcommerce", "store_hash": f'"{opened.store.hash}"'}
    project.write_file("acme-parts", head, FILE)
    return opened


def captured(account: Account) -> None:
    """The account is made by hand and put in; the next run makes it current."""
    account.project.up(TOKENS)
    account.project.role = "operator"
    called = account.project("capture", TOKENS, given=account.other(MANAGE))
    account.project.role = "apply"
    assert called.code == 0, called.out + called.err


def tokens(account: Account) -> list[StorefrontTokenRow]:
    return account.project.control.bigcommerce.storefront_tokens(account.store.hash)


def ahead(account: Account, days: float) -> None:
    account.project.ahead = timedelta(days=days)
    account.settings(clock_offset=account.project.ahead.total_seconds())


def test_a_token_waits_for_its_account_and_is_made_by_it(account: Account) -> None:
    project = account.project
    project.up(TOKENS)
    first, _ = project.up(PAGES)
    assert isinstance(first, Outcome)
    assert first.problems == ()
    (waiting,) = first.waiting
    assert waiting.startswith(
        "its account acme-parts/tokens has no live key yet (`connections status acme-parts/tokens`"
    )
    captured(account)
    left = project.up()
    assert [str(problem) for outcome in left for problem in outcome.problems] == []
    (row,) = tokens(account)
    assert (row.kind, row.channels) == ("private", (1,))
    held = project.documents("acme-parts/")[f"{PAGES}/credential"]
    assert held["store_hash"] == account.store.hash
    project.secrets.add(held["token"])
    assert held["key_id"] not in held["token"]
    connections = {entry["name"]: entry for entry in project.ask("status", "--live")["connections"]}
    assert connections[PAGES]["state"] == "live"


def test_rotate_renews_what_soon_ends_by_itself(account: Account) -> None:
    project = account.project
    captured(account)
    project.up()
    ahead(account, 172)
    assert project("rotate", "--due").out == f"{project.stack}: nothing is due\n"
    ahead(account, 174)
    (entry,) = project.ask("rotate", "--due")["connections"]
    assert (entry["name"], entry["before"], entry["after"], entry["state"]) == (PAGES, 1, 2, "live")
    # Beside them one was made, for five minutes, to show that the storefront tells good tokens from bad ones.
    first, second = [row for row in tokens(account) if row.expires - row.created > 3600]
    assert (first.revoked is None, second.revoked is None) == (False, True)
    note = project.journal(PAGES)["generations"]["2"]["note"]
    assert note.startswith("it expires on ")
    assert project("rotate", "--due").out == f"{project.stack}: nothing is due\n"


def test_a_storefront_that_is_down_is_a_row_of_its_own(account: Account) -> None:
    project = account.project
    captured(account)
    project.up()
    project.control.add_fault(
        "status", store=account.store.hash, operation="storefront_graphql", status=500, times=None
    )
    try:
        (entry,) = project.ask("rotate", "--due", code=3)["connections"]
    finally:
        project.control.clear_faults()
    assert "the storefront answers 500" in entry["problems"][0]


def test_a_token_ends_by_its_account(account: Account) -> None:
    project = account.project
    captured(account)
    project.up()
    toolbox = project.toolbox()
    stack = load(project.root / "stacks", project.stack, platforms(), project=project.prepared.project)
    pages = stack.connection(PAGES)
    operation = toolbox.operation(credential_inputs(project.prepared.project, stack, pages))
    linked = consumer_inputs(project.prepared.project, stack, pages, pages.links[0])
    toolbox.link_run(linked, operation=operation).disconnect()
    assert loop.destroy(operation).state == "closed"
    toolbox.close()
    assert all(row.revoked is not None for row in tokens(account))
    assert "token" not in project.documents("acme-parts/").get(f"{PAGES}/credential", {})
