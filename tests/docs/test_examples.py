"""Every block of every page is something that is tried; the examples of docs/woocommerce.md, on real stores and a Vault."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from operations.doctor import DIAGNOSIS
from providers.core import marker
from providers.core.redaction import Secret
from providers.declarations import load, platforms
from providers.woocommerce import labels
from providers.woocommerce.issuer import SECRET_FIELDS
from sandbox.server_process import ServerProcess
from sandbox.vault import Access, client
from tests.docs.markdown import KINDS, PAGES, ROOT, Block, all_blocks, blocks, missing, table, the_block
from tests.docs.test_bigcommerce_way import ROLES
from tests.docs.test_first_store import SESSIONS
from tests.operations.conftest import ORDERS, Project, call

WOOCOMMERCE = ROOT / "docs" / "woocommerce.md"


@pytest.mark.parametrize("block", all_blocks(), ids=str)
def test_every_block_is_tried(block: Block) -> None:
    assert block.kind in KINDS, "say above the block what it is: tests/docs/markdown.py"
    expected = {
        "shell": "sh",
        "python": "python",
        "settings": "yaml",
        "file": "yaml",
        "policy": "hcl",
        "shown": "text",
        "run elsewhere": "sh",
    }
    assert block.language == expected[block.kind]
    tried = {
        "shell": {*SESSIONS, *ROLES, "by-hand"},
        "settings": {"stacks/production/_stack.yaml"},
        "python": {"reader"},
        "policy": {"reader"},
        "shown": {"last", "drift", "label", "mail", "status of stacks/sandbox"},
    }
    if block.kind == "run elsewhere":
        assert (ROOT / block.what).exists()
    elif block.kind != "file":
        assert block.what in tried[block.kind]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_fence_is_overlooked(page: Path) -> None:
    assert len(blocks(page)) * 2 == sum(
        line.startswith("```") for line in page.read_text(encoding="utf-8").splitlines()
    )


@pytest.mark.parametrize("block", all_blocks("file"), ids=str)
def test_declared_files_are_valid(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: connections\nruntime: python\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "stacks" / "rights", tmp_path / "stacks" / "rights")
    assert call("init", "production", "--backend", "s3://acme-state").code == 0
    (tmp_path / block.what).write_text(block.text, encoding="utf-8")
    for added in (found for found in all_blocks("settings") if found.page == block.page):
        settings = tmp_path / added.what
        settings.write_text(settings.read_text(encoding="utf-8") + added.text, encoding="utf-8")
    stack = load(tmp_path / "stacks", "production", platforms(), project="connections")
    assert [store.file for store in stack.stores] == [block.what]
    assert stack.connections
    # At BigCommerce something can never be proved, and that is said.
    warned = {connection.platform for connection in stack.connections if connection.warnings}
    assert warned == {connection.platform for connection in stack.connections} & {"bigcommerce"}


def test_a_comparison_of_outputs_can_fail() -> None:
    real = "one  2026-01-02\n\ntwo\nthree\n"
    assert missing("one 2027-03-04\ntwo\nthree\n", real) == []
    assert missing("...\ntwo\n...\n", real) == []
    assert missing("two\nthree\n", real) != []
    assert missing("...\none\nthree\n", real) != []
    assert missing("...\nfour\n", real) != []


def test_the_label_is_ours() -> None:
    shown = the_block("shown", "label").text.strip()
    purpose, _, mark = shown.rpartition(" ")
    assert marker.strip(shown) == purpose
    assert labels.label(purpose, mark) == shown
    assert mark.startswith("connections:production:fresh-roast/orders-hub:1:")


def test_every_diagnosis_is_named() -> None:
    steps = importlib.import_module(DIAGNOSIS.format("woocommerce")).STEPS
    assert [row[0] for row in table(WOOCOMMERCE, "diagnoses")] == [step.name for step in steps]


# --- the key in Vault -------------------------------------------------------------------------------------------------


def names_in(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_the_fields_of_the_credential_document(connected: tuple[Project, str]) -> None:
    project, _ = connected
    told = set().union(*(names_in(row[0]) for row in table(WOOCOMMERCE, "fields: credential")))
    published = project.documents("fresh-roast/orders/")["fresh-roast/orders/credential"]
    assert published.keys() == told
    assert all(isinstance(value, str) for value in published.values())
    assert published["state"] == "live"
    assert set(SECRET_FIELDS) < told


def as_here(text: str, project: Project) -> str:
    """An example with this test's place in Vault."""
    there = f"{project.prepared.mounts.mount}/data/{project.prepared.base}/fresh-roast/orders/credential"
    changed = text.replace("kv/data/connections/production/fresh-roast/orders-hub/credential", there)
    assert changed != text
    return changed


def reader_token(access: Access, policy: str) -> str:
    with client(access) as http:
        http.put("/sys/policies/acl/docs-reader", json={"policy": policy}).raise_for_status()
        made = http.post("/auth/token/create", json={"policies": ["docs-reader"], "no_default_policy": True})
        token: str = made.json()["auth"]["client_token"]
        return token


def test_a_reader_follows_a_rotation(
    connected: tuple[Project, str], shops: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, there = connected
    access = project.prepared.access
    token = reader_token(access, as_here(the_block("policy", "reader").text, project))
    bundle = tmp_path / "authorities.pem"
    own = access.ca.read_text("ascii") if access.ca else ""
    bundle.write_text(own + shops.ca.read_text("ascii"), encoding="ascii")
    for name, value in (("VAULT_ADDR", access.address), ("VAULT_TOKEN", token), ("SSL_CERT_FILE", str(bundle))):
        monkeypatch.setenv(name, value)
    example: dict[str, Any] = {}
    exec(compile(as_here(the_block("python", "reader").text, project), "reader", "exec"), example)
    context = ssl.create_default_context(cafile=str(bundle))
    with example["vault"] as vault, httpx.Client(verify=context, trust_env=False) as store:
        assert isinstance(example["products"](vault, store), list)
        first = example["credential"](vault)
        assert project("rotate", "fresh-roast/orders", "--compromised", "--reason", "seen by the test").code == 0
        # Whoever read a moment too early is refused once, and reads again.
        read_now, read_early = example["credential"], [first]
        example["credential"] = lambda client: read_early.pop() if read_early else read_now(client)
        assert isinstance(example["products"](vault, store), list)
        assert read_early == []
        assert read_now(vault)["generation"] == str(int(first["generation"]) + 1)
        path = as_here("/v1/kv/data/connections/production/fresh-roast/orders-hub/credential", project)
        assert vault.get(path.replace("/credential", "/generations/1")).status_code == 403
    assert len(project.control.keys(there)) == 1


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_key_by_hand_is_put_in_as_the_page_says(project: Project) -> None:
    there = project.store("old-mill")
    project.declare("old-mill", there, ORDERS.replace("orders:", "catalogue:", 1), login="none")
    project.up()
    made = project.control.insert_key(there, description="by hand", permissions="read", user="reader")
    project.secrets |= {Secret(made.consumer_key).reveal(), made.consumer_secret}
    (project.root / "pair.txt").write_text(f"{made.consumer_key}\n{made.consumer_secret}\n", encoding="ascii")
    _, *arguments = shlex.split(the_block("shell", "by-hand").text)
    called = project(*arguments)
    assert called.code == 0, called.err
    assert not (project.root / "pair.txt").exists()
    project.up()
    assert project.ask("status", "old-mill/catalogue")["connections"][0]["state"] == "live"
