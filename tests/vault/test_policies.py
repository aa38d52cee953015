"""The committed policies against a real server, with a real token of every role: rights.yaml is the whole table."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from providers.core.errors import Refused
from providers.core.policies import ROLES, PolicyNames, Role, render_policy
from sandbox.vault import Access, Mounts, Prepared, client, prepare
from tests.fixtures_vault import RUN, policies_for

ROWS = yaml.safe_load(Path(__file__).with_name("rights.yaml").read_text(encoding="utf-8"))
STACK = f"rights-{RUN}"
_numbers = itertools.count(100)


@pytest.fixture(scope="module")
def stack(vault_server: Access, vault_mounts: Mounts) -> Prepared:
    """A stack with one document of every kind, and another stack beside it."""
    prepared = prepare(vault_server, "shops", STACK, policies_for("shops", STACK, vault_mounts), vault_mounts)
    kinds = ["journal", "credential", "generations/1", "inbound/1"]
    documents = [*(f"shop/conn/{kind}" for kind in kinds), "_slots/0a1b"]
    places = [f"{vault_mounts.mount}/data/shops/{stack}/{name}" for stack in (STACK, "other") for name in documents]
    places += [f"{vault_mounts.admins}/data/shop.example:8443/wp", f"{vault_mounts.hubs}/data/hub"]
    places += [f"{vault_mounts.adopt}/data/entry"]
    with client(vault_server) as http:
        for place in places:
            http.post(f"/{place}", json={"options": {"cas": 0}, "data": {"key": "value"}}).raise_for_status()
    return prepared


@pytest.fixture(scope="module")
def sessions(stack: Prepared) -> Iterator[dict[str, httpx.Client]]:
    made: dict[str, httpx.Client] = {role: client(stack.access, stack.token(role)) for role in ROLES}
    yield made
    for session in made.values():
        session.close()


def denied(row: dict[str, Any], role: str, stack: Prepared, http: httpx.Client) -> bool:
    names = {**{name: getattr(stack.mounts, name) for name in Mounts.__slots__}, "base": stack.base}
    names |= {"other": "shops/other", "n": str(next(_numbers)), "role_name": f"shops-{STACK}-{role}"}
    path = row["path"].format(**names)
    body = row.get("body", {"options": {"cas": 0}, "data": {"key": "value"}})
    headers = {"Content-Type": "application/merge-patch+json"} if row["method"] == "PATCH" else {}
    headers |= row.get("headers", {})
    json = None if row["method"] in {"GET", "LIST", "DELETE"} else body
    answer = http.request(row["method"], f"/{path}", json=json, headers=headers)
    # 400 is check-and-set: the policy let it through.
    assert answer.status_code in {200, 204, 400, 403}, f"{role}: {answer.status_code}"
    return answer.status_code == 403


@pytest.mark.parametrize("row", ROWS, ids=[row["what"] for row in ROWS])
def test_who_may(row: dict[str, Any], stack: Prepared, sessions: dict[str, httpx.Client]) -> None:
    may = {role for role, http in sessions.items() if not denied(row, role, stack, http)}
    assert may == set(row["may"])


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_holds_no_placeholder_and_no_right_to_delete_documents(role: Role) -> None:
    text = render_policy(role, PolicyNames("shops", "test"))
    assert "{{" not in text
    assert "sudo" not in text
    for line in text.splitlines():
        if line.startswith('path "kv/metadata'):
            assert line.endswith('{ capabilities = ["list", "read"] }')


@pytest.mark.parametrize("bad", ["", "*", "+", "a*", "a/../b", 'a" {', "a\n", "{{mount}}"])
def test_a_name_that_widens_a_policy_is_refused(bad: str) -> None:
    with pytest.raises(Refused):
        render_policy("apply", PolicyNames("shops", bad))
