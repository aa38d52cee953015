"""Fixtures for tests that need a real Vault: a server of their own, or one given by address.

`CONNECTIONS_TEST_VAULT_ADDR` with `..._TOKEN` (an administrator's) and `..._CACERT` runs the same tests against any Vault.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from providers.core.policies import ROLES, PolicyNames, Role, render_policy
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from sandbox.vault import Access, Mounts, Prepared, RemoteVault, client, prepare, start

_GIVEN = {name: os.environ.get(f"CONNECTIONS_TEST_VAULT_{name}", "") for name in ("ADDR", "TOKEN", "CACERT")}
_numbers = itertools.count(1)

RUN = secrets.token_hex(3)
"""Stands in the names of this run's stacks and mounts."""


class VaultAs(Protocol):
    """Makes a `Vault` that logs in with a role of the prepared stack."""

    def __call__(
        self,
        role: Role = "apply",
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> Vault: ...


@pytest.fixture(scope="session")
def vault_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """A Vault for the whole run, and the means of its administrator."""
    if _GIVEN["ADDR"]:
        ca = Path(_GIVEN["CACERT"]) if _GIVEN["CACERT"] else None
        yield RemoteVault(_GIVEN["ADDR"].rstrip("/"), ca, _GIVEN["TOKEN"])
        return
    with start(tmp_path_factory.mktemp("vault"), storage="inmem") as server:
        yield server


@pytest.fixture(scope="session")
def vault_mounts(vault_server: Access) -> Iterator[Mounts]:
    """Mounts of this run alone: a Vault given by address may have others, and gets rid of these."""
    mounts = Mounts(**{f.name: f"{f.name}-{RUN}" for f in dataclasses.fields(Mounts)})
    yield mounts
    if _GIVEN["ADDR"]:
        with client(vault_server) as http:
            for mount in (*mounts.kv, mounts.transit):
                http.delete(f"/sys/mounts/{mount}")
            http.delete(f"/sys/auth/{mounts.approle}")


def policies_for(project: str, stack: str, mounts: Mounts) -> dict[str, str]:
    """The committed policies of all roles, rendered for one stack."""
    names = PolicyNames(project, stack, mounts.mount, mounts.admins, mounts.hubs, mounts.adopt, mounts.transit)
    return {role: render_policy(role, names) for role in ROLES}


@pytest.fixture
def prepared(vault_server: Access, vault_mounts: Mounts) -> Prepared:
    """A stack of this test alone, with a login for every role."""
    project, stack = "shops", f"test-{RUN}-{next(_numbers)}"
    return prepare(vault_server, project, stack, policies_for(project, stack, vault_mounts), vault_mounts)


def settings_for(prepared: Prepared, role: Role) -> VaultSettings:
    """How a program with this role reaches the prepared stack."""
    login = prepared.roles[role]
    return VaultSettings(
        address=prepared.access.address,
        namespace=prepared.access.namespace,
        ca_file=prepared.access.ca,
        login=Login("approle", Secret(login.secret_id), login.role_id, login.mount),
    )


@pytest.fixture
def vault_as(prepared: Prepared) -> Iterator[VaultAs]:
    """`vault_as("apply")` is a `Vault` that logs in with that role; it is closed after the test."""
    made: list[Vault] = []

    def make(
        role: Role = "apply",
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> Vault:
        made.append(Vault(settings_for(prepared, role), clock=clock, wait=wait))
        return made[-1]

    yield make
    for vault in made:
        vault.close()
