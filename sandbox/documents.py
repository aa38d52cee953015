"""Small records that survive the process, as JSON documents in one private database.

For stand-ins that keep a handful of things. WAL without syncing: a document put away survives a SIGKILL of the process (the
pages are with the operating system), not a power cut, which a stand-in need not survive.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""


class Documents:
    """Documents by kind and name. The file is readable by the owner only: documents hold passwords and mails."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(SCHEMA)

    def all(self, kind: str) -> list[str]:
        """Every document of a kind, by name."""
        rows = self._database.execute("SELECT document FROM documents WHERE kind = ? ORDER BY name", (kind,))
        return [document for (document,) in rows]

    def put(self, kind: str, name: str, document: str) -> None:
        """Put a document away, in the place of one of the same name."""
        self._database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, name, document))

    def delete(self, kind: str, name: str) -> None:
        """Throw a document away."""
        self._database.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))

    def clear(self, kind: str) -> None:
        """Throw every document of a kind away."""
        self._database.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
