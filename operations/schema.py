"""`connections schema`: the JSON Schemas of declared files, printed, written, or compared with those that are there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operations.results import Block
from operations.session import Session
from providers.core.errors import ConnectionsError
from providers.declarations import platforms
from providers.declarations.schema import schema_text, schemas, write


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas by file name."""

    schemas: dict[str, Any]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """Their texts."""
        for name, found in self.schemas.items():
            yield f"# {name}"
            yield from schema_text(found).splitlines()


@dataclass(frozen=True, slots=True)
class Compared:
    """The files that were written, or that differ."""

    differing: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """2 where files differ and were not written."""
        return 2 if self.differing else 0

    def shown(self) -> Iterable[Block]:
        """The files."""
        yield from (f"{name} differs; `connections schema --write` writes it" for name in self.differing)
        yield from (f"wrote {name}" for name in self.written)
        if not self.differing and not self.written:
            yield "the schemas are up to date"


def schema(session: Session, *, write_them: bool, compare: bool) -> Schemas | Compared:
    """Print, write or compare."""
    known, folder = platforms(), session.stacks / "schema"
    if write_them and compare:
        raise ConnectionsError("schema takes --write or --check, not both", do="Choose one")
    if write_them:
        return Compared((), tuple(str(path.relative_to(session.root)) for path in write(folder, known)))
    if not compare:
        return Schemas(schemas(known))
    differing = [
        name
        for name, found in schemas(known).items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != schema_text(found)
    ]
    return Compared(tuple(str((folder / name).relative_to(session.root)) for name in differing), ())
