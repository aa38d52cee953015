"""One Vault and one sandbox per worker; a stack, its stores and its engine state per test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import server_process
from sandbox.server_process import ServerProcess
from sandbox.vault import Access, Mounts, prepare
from tests.end_to_end.workbench import PROJECT, Workbench
from tests.fixtures_vault import RUN, policies_for

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The stores of this worker."""
    with server_process.start(tmp_path_factory.mktemp("stores")) as running:
        yield running


@pytest.fixture(scope="session")
def make_workbench(
    vault_server: Access, vault_mounts: Mounts, stores: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Workbench]:
    """Makes a stack of its own."""

    def make() -> Workbench:
        stack = f"e{next(_numbers)}-{RUN}"
        prepared = prepare(vault_server, PROJECT, stack, policies_for(PROJECT, stack, vault_mounts), vault_mounts)
        folder: Path = tmp_path_factory.mktemp(stack)
        for name in ("project", "state", "home"):
            (folder / name).mkdir()
        engine = {
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_CONTINUE_ON_ERROR": "true",
        }
        return Workbench(folder / "project", prepared, stores, engine)

    return make


@pytest.fixture
def bench(make_workbench: Callable[[], Workbench], stores: ServerProcess) -> Iterator[Workbench]:
    """A stack of this test alone. Whatever the test did, no secret may stand anywhere afterwards."""
    made = make_workbench()
    yield made
    stores.client.clear_faults()
    assert len(made.secrets) > len(made.prepared.roles) + 2 or not made.connections(), "the scan knows no key"
    assert made.leaks() == []
    assert not [text for text in made.transcript if "Traceback" in text or 'File "' in text]
    made.close()
