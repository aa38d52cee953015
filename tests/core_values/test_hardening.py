"""What a hardened process drops, and what its children see."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from providers.core import hardening

ROOT = Path(__file__).resolve().parents[2]

DROPPED = {
    "SSLKEYLOGFILE": "/tmp/keys",
    "https_proxy": "http://proxy.example",
    "HTTP_PROXY": "http://proxy.example",
    "All_Proxy": "http://proxy.example",
    "no_proxy": "*",
    "SSL_CERT_FILE": "/tmp/ca.pem",
    "SSL_CERT_DIR": "/tmp",
    "REQUESTS_CA_BUNDLE": "/tmp/ca.pem",
    "CURL_CA_BUNDLE": "/tmp/ca.pem",
}
KEPT = {"PATH": "/usr/bin", "HOME": "/home/somebody", "SSLKEYLOG": "another variable"}

PROBE = """
import os, resource
from providers.core.hardening import harden
harden()
harden()
dumpable = None
if os.path.exists("/proc/self/status"):
    import ctypes
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(resource.getrlimit(resource.RLIMIT_CORE), dumpable, os.environ.get("SSLKEYLOGFILE"), os.environ.get("https_proxy"))
"""


def test_a_hardened_process_leaves_no_core_and_is_not_traced() -> None:
    environment = hardening.child_environment() | DROPPED
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    dumpable = 0 if sys.platform == "linux" else None
    assert done.stdout.strip() == f"(0, 0) {dumpable} None None"


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The calls that would bind this process for good."""
    made: list[object] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *args: made.append(args))
    library = SimpleNamespace(prctl=lambda *args: made.append(args))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    return made


def test_what_reroutes_traffic_is_dropped_in_any_case_of_letters(limits: list[object]) -> None:
    environ = DROPPED | KEPT
    hardening.harden(environ)
    assert environ == KEPT
    assert limits == [(resource.RLIMIT_CORE, (0, 0)), (4, 0, 0, 0, 0)]


@pytest.mark.parametrize("failure", [OSError, AttributeError])
def test_systems_without_the_call_are_left_at_the_core_size(
    limits: list[object], monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def missing(name: object) -> None:
        raise failure

    monkeypatch.setattr(ctypes, "CDLL", missing)
    hardening.harden({})
    assert limits == [(resource.RLIMIT_CORE, (0, 0))]


def test_children_see_what_is_allowed_and_nothing_else() -> None:
    environ = KEPT | DROPPED | {"VAULT_TOKEN": "t", "VAULT_ADDR": "https://vault.example", "LANG": "C.UTF-8"}
    harmless = {"PATH": "/usr/bin", "HOME": "/home/somebody", "LANG": "C.UTF-8"}
    assert hardening.child_environment(environ=environ) == harmless
    allowed = hardening.child_environment(["VAULT_ADDR", "NOT_THERE"], environ)
    assert allowed == harmless | {"VAULT_ADDR": "https://vault.example"}
