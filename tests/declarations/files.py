"""Writes stacks for tests, and tells what `load` says about a case."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from providers.declarations import DeclarationErrors, DeclaredPlatform, Stack, load, platforms
from tests.declarations.paper import PAPER

SETTINGS = """\
format: 1
vault: {mount: kv}
teams: {retail: {mail: retail@agency.example}, delivery: {mail: delivery@agency.example}}
recipients: ["*@agency.example"]
permit: [plain_handover, verify_full]
"""

STORE = """\
platform: woocommerce
url: https://fresh-roast.example
team: retail
connections:
  orders:
    purpose: orders into the hub
    rights: read
    user: hub-reader
    links: {vault: {}}
"""

REAL: Mapping[str, DeclaredPlatform] = platforms()
ALL: Mapping[str, DeclaredPlatform] = {
    **{name: replace(REAL[name], consumers={}) for name in ("bigcommerce", "woocommerce")},
    "paper": PAPER,
}
"""Some platforms, and consumers of the made-up one alone: what messages list does not grow with each new folder."""


def write_stack(top: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `top/stacks`; settings and one store stand in where they are not given."""
    stacks = top / "stacks"
    for name, text in {"production/_stack.yaml": SETTINGS, "production/fresh-roast.yaml": STORE, **files}.items():
        file = stacks / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return stacks


def loaded(top: Path, files: Mapping[str, str | bytes]) -> Stack:
    """The stack that these files declare."""
    return load(write_stack(top, files), "production", ALL)


def problems(top: Path, files: Mapping[str, str | bytes]) -> list[str]:
    """What is wrong with these files, line by line; empty where nothing is."""
    try:
        loaded(top, files)
    except DeclarationErrors as error:
        return str(error).splitlines()
    return []


def lines(top: Path, kind: str, case: Path) -> list[str]:
    """What `load` says about a case's file as a store, or as the settings."""
    name = "production/fresh-roast.yaml" if kind == "store" else "production/_stack.yaml"
    return [line.removeprefix(f"stacks/{name}:") for line in problems(top, {name: case.read_bytes()})]
