"""The code under test as a value: the real modules, or a copy of them with one line planted wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

NAMES = ("journal", "operation", "due", "run", "acts", "loop", "handover", "links", "people", "observe")
"""The modules of the protocol, each after those it imports."""

Change = tuple[str, str, str]
"""A module, a text that stands in it exactly once, and what stands there instead."""


@dataclass(frozen=True)
class Core:
    """The modules of the protocol."""

    modules: Mapping[str, ModuleType]

    def __getattr__(self, name: str) -> ModuleType:
        return self.modules[name]


def real() -> Core:
    """The code as it is."""
    return Core({name: import_module(f"providers.core.{name}") for name in NAMES})


def mutated(*changes: Change) -> Core:
    """A copy of the code with these changes, each of which must apply exactly once."""
    originals = real().modules
    copies: dict[str, ModuleType] = {}
    try:
        for name in NAMES:
            original = originals[name]
            source = Path(str(original.__file__)).read_text(encoding="utf-8")
            for module, old, new in changes:
                if module == name:
                    if source.count(old) != 1:
                        raise AssertionError(f"{module}: stands there {source.count(old)} times: {old!r}")
                    source = source.replace(old, new)
            copy = ModuleType(original.__name__)
            sys.modules[original.__name__] = copy
            exec(compile(source, f"<planted in {name}>", "exec"), copy.__dict__)
            copies[name] = copy
    finally:
        for original in originals.values():
            sys.modules[original.__name__] = original
    return Core(copies)
