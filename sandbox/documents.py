"""Small records that survive the process, as JSON documents: for stand-ins that keep a handful of things."""

from __future__ import annotations

from pathlib import Path

from sandbox.database import connect

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""


class Documents:
    """Documents by kind and name, in one private file: they hold passwords and mails."""

    def __init__(self, path: Path) -> None:
        self._database = connect(path, SCHEMA)

    def all(self, kind: str) -> list[str]:
        """Every document of a kind, in the order of their names."""
        rows = self._database.execute("SELECT document FROM documents WHERE kind = ? ORDER BY name", (kind,))
        return [row["document"] for row in rows]

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
