"""Paths in Vault, checked segment by segment before any call.

hvac leaves `..` in a path and urllib3 collapses it: `tenant-a/../tenant-b/k` writes into tenant B (vault.md rule 4).
"""

import re

from providers.core.errors import Refused

_SEGMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.:-]{0,126}[A-Za-z0-9_-])?")
"""Letters, digits and `_ - . :` (a host with its port is a segment); never `.`, `..`, percent, control characters."""


def checked(path: str, *, what: str = "path") -> str:
    """The path itself, one or more clean segments with single slashes between them; `Refused` for any other text."""
    if not all(_SEGMENT.fullmatch(segment) for segment in path.split("/")):
        shown = ascii(path[:60])
        raise Refused(
            f"{shown} is no valid {what} in Vault", do="Use letters, digits and single - _ . : between slashes"
        )
    return path


def joined(*paths: str) -> str:
    """Checked paths as one; empty ones are left out."""
    return "/".join(checked(path) for path in paths if path)
