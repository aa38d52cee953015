"""A stub of Vault for each test that asks for one, and the waits that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from tests.vault.stub import LOOKED_UP, Stub, stub

TOKEN = "hvs.canary-token-of-the-test"


@pytest.fixture(scope="session")
def stub_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stub-tls")


@pytest.fixture
def stubbed(stub_authority: Path) -> Iterator[Stub]:
    with stub(stub_authority) as running:
        running.replies = [LOOKED_UP]
        yield running


@dataclass(slots=True)
class Time:
    """A clock that moves only when told, or when somebody waits."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def vault(stubbed: Stub, time: Time) -> Iterator[Vault]:
    """A `Vault` on the stub, with a token that never ends; the look at the token is already done."""
    login = Login("token", Secret(TOKEN))
    vault = Vault(
        VaultSettings(stubbed.address, login, namespace="team", ca_file=stubbed.ca),
        clock=time,
        wait=time.wait,
        draw=lambda: 0.0,
    )
    vault.whoami()
    stubbed.seen.clear()
    yield vault
    vault.close()
