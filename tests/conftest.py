"""What holds for every test: it reaches this machine only, knows no real Vault or engine account, and repeats."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis.configuration import set_hypothesis_home_dir

pytest_plugins = ("tests.fixtures_vault",)

ROOT = Path(__file__).resolve().parent.parent

# --- the network ----------------------------------------------------------------------------------------------------


class NetworkRefusedError(AssertionError):
    """A test tried to leave this machine."""


def stays_here(host: object) -> bool:
    """Whether a host is the loopback interface. `None` and the empty host are what a server binds or asks for."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return host is None
    # RFC 6761: names under localhost never leave the machine.
    name = host.rstrip(".").lower()
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def refuse_to_leave(host: object) -> None:
    if not stays_here(host):
        raise NetworkRefusedError(f"tests use no network, and this one asked for {host!r}; only loopback is allowed")


def guard_address(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Wrap a method of sockets whose address stands at this position from the first (0) or the last (-1) argument."""

    def guarded(self: socket.socket, *args: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            refuse_to_leave(args[position][0])
        return method(self, *args)

    return guarded


def guard_name(function: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: object, *args: Any, **kwargs: Any) -> Any:
        refuse_to_leave(host)
        return function(host, *args, **kwargs)

    return guarded


def close_the_network() -> None:
    """For the whole process and for good: fixtures and threads of servers are held to it too."""
    for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        setattr(socket.socket, name, guard_address(getattr(socket.socket, name), position))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, guard_name(getattr(socket, name)))


# --- the environment ------------------------------------------------------------------------------------------------


def clean_the_environment() -> None:
    """What a person works with must not reach a test, nor a program that a test starts."""
    foreign = ("VAULT_", "BAO_", "PULUMI_", "CONNECTIONS_")
    loose = {"ssl_cert_file", "ssl_cert_dir", "sslkeylogfile", "requests_ca_bundle", "curl_ca_bundle"}
    proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    for name in list(os.environ):
        # CONNECTIONS_TEST_ is meant for tests: it names servers to run them against.
        if (name.startswith(foreign) and not name.startswith("CONNECTIONS_TEST_")) or name.lower() in loose | proxies:
            del os.environ[name]
    # A bare `pytest` finds the same programs as script/test does.
    folders = [str(ROOT / ".venv" / "bin")]
    record = ROOT / ".local" / "engine"
    if record.exists():
        folders.append(record.read_text(encoding="utf-8").strip())
    present = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*(f for f in folders if f not in present), *present])


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what makes a Python process measure its coverage.

    What repeats the same lines thousands of times or in many processes takes two to three times as long measured, and
    shows no line that the other tests do not: those tests bear the mark `no_cover`.
    """
    return {name: value for name, value in environment.items() if not name.startswith("COVERAGE_")}


@pytest.fixture
def engine_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of an engine of one's own: state and home in the test's folder, quiet, without an account."""
    backend, home = tmp_path / "engine-state", tmp_path / "engine-home"
    backend.mkdir()
    home.mkdir()
    return os.environ | {
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_CONTINUE_ON_ERROR": "true",
    }


# --- repeatability --------------------------------------------------------------------------------------------------


def settle_hypothesis() -> None:
    """The same examples every time; HYPOTHESIS_PROFILE=explore looks for new ones, and more of them."""
    set_hypothesis_home_dir(str(ROOT / ".local" / "hypothesis"))
    # How fast the machine is says nothing about the code.
    slow = [HealthCheck.too_slow]
    hypothesis.settings.register_profile(
        "ci", derandomize=True, deadline=None, database=None, suppress_health_check=slow, print_blob=True
    )
    hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000, suppress_health_check=slow)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


clean_the_environment()
close_the_network()
settle_hypothesis()
