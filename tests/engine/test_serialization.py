"""What the engine keeps of a provider: a few bytes that name it, the same for ever (engine.md 3)."""

from __future__ import annotations

import atexit
import base64
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from providers.core import provider
from providers.core.provider import CredentialProvider, LedgerProvider, LinkProvider, NotDone, Provider, Tombstone, load

ROOT = Path(__file__).resolve().parents[2]

LOADER = b"\x8c\x17providers.core.provider\x94\x8c\x04load\x94\x93\x94"
EXACT: dict[type[Provider], bytes] = {
    CredentialProvider: b"\x80\x04\x955\0\0\0\0\0\0\0" + LOADER + b"\x8c\ncredential\x94\x85\x94R\x94.",
    LinkProvider: b"\x80\x04\x95/\0\0\0\0\0\0\0" + LOADER + b"\x8c\x04link\x94\x85\x94R\x94.",
    LedgerProvider: b"\x80\x04\x951\0\0\0\0\0\0\0" + LOADER + b"\x8c\x06ledger\x94\x85\x94R\x94.",
}


@pytest.fixture(autouse=True)
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`load` is for the engine's provider process: it hardens it, cuts its tracebacks and sees to its end."""
    said: list[str] = []
    monkeypatch.setattr(provider, "harden", lambda: said.append("hardened"))
    monkeypatch.setattr(atexit, "register", lambda method: said.append(method.__qualname__))
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    return said


def text_in_state(made: ResourceProvider) -> bytes:
    return base64.b64decode(serialize_provider(made))


@pytest.mark.parametrize("kind", EXACT)
def test_the_bytes_in_state_are_exactly_these(kind: type[Provider]) -> None:
    assert text_in_state(kind()) == EXACT[kind]


@pytest.mark.parametrize("kind", EXACT)
def test_what_stands_in_state_loads(kind: type[Provider], done: list[str]) -> None:
    loaded = pickle.loads(EXACT[kind])
    assert type(loaded) is kind
    assert vars(loaded) == {}
    assert sys.tracebacklimit == 0
    assert done == ["hardened", "Toolbox.close"]


def test_two_thousand_in_one_process() -> None:
    """The SDK's serializer wraps itself once more on every call: with a dictionary inside it ends at some 480."""
    made = {serialize_provider(CredentialProvider()) for _ in range(2000)}
    assert len(made) == 1


def test_nothing_of_it_is_kept_as_a_secret() -> None:
    assert not any(kind.serialize_as_secret_always for kind in EXACT)


def test_a_name_from_another_version_loads_and_says_so() -> None:
    stone = load("bigcommerce")
    assert isinstance(stone, Tombstone)
    again = pickle.loads(text_in_state(stone))
    assert isinstance(again, Tombstone)
    words = "this version has no provider 'bigcommerce'; use the version that made this resource"
    with pytest.raises(NotDone, match=words):
        again.create({})
    with pytest.raises(NotDone, match=words):
        again.update("id", {}, {})
    with pytest.raises(NotDone, match=words):
        again.delete("id", {})


def test_the_program_keeps_its_tracebacks() -> None:
    """Where the program runs, the SDK needs them: with a limit of 0 it hangs for ever."""
    script = (
        "import sys, resource\n"
        "import providers.connection, providers.woocommerce.resources\n"
        "from pulumi.dynamic.dynamic import serialize_provider\n"
        "from providers.core.provider import CredentialProvider\n"
        "serialize_provider(CredentialProvider())\n"
        "assert not hasattr(sys, 'tracebacklimit')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=False, timeout=60)
    assert done.returncode == 0
