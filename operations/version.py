"""`connections version`: what runs here, for a report of a fault."""

import importlib.metadata
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from operations.results import Block
from operations.session import Session

PACKAGES: Final = ("pulumi", "hvac", "httpx", "pydantic")


@dataclass(frozen=True, slots=True)
class Version:
    """Versions of what matters."""

    declarations_format: int
    python: str
    packages: dict[str, str]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """One line."""
        packages = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        yield f"connections: declarations format {self.declarations_format}, Python {self.python}, {packages}"


def version(_session: Session) -> Version:
    """Look at what is installed."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return Version(1, platform.python_version(), found)
