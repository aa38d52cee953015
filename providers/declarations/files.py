"""Finds a stack's files, and checks what stands in them against models; every problem is put down with its place."""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from providers.declarations import names
from providers.declarations.models import Declared
from providers.declarations.names import listed, shown, suggestion
from providers.declarations.platforms import DeclaredPlatform
from providers.declarations.problems import Problem
from providers.declarations.stack import Origin
from providers.declarations.yaml_text import LOST, Place, Source, kind_of, read
from providers.declarations.yaml_text import Path as Where

Platforms = Mapping[str, DeclaredPlatform]
Model = TypeVar("Model", bound=Declared)

SETTINGS: Final = "_stack.yaml"
RIGHTS: Final = "rights"
"""The folder of rights sets, beside the stacks."""
RESERVED: Final = frozenset({RIGHTS, "schema"})
"""Folders beside the stacks that are no stacks."""


@dataclass(slots=True)
class DeclaredFile:
    """One declared file that was read."""

    name: str
    source: Source
    problems: list[Problem]
    bad: set[Where] = field(default_factory=set)

    def add(self, place: Place, what: str) -> None:
        self.problems.append(Problem(self.name, place.line, place.column, what))

    def is_bad(self, path: Where) -> bool:
        """Whether the value at `path` could not be read as it was meant: that has been said already."""
        return any(path[: len(bad)] == bad for bad in self.bad)

    def at_word(self, path: Where, what: str) -> None:
        self.add(self.source.word_place(path), what)

    def at_value(self, path: Where, what: str) -> None:
        self.add(self.source.value_place(path), what)

    def origin(self, path: Where) -> Origin:
        return Origin(self.name, self.source.word_place(path).line)

    def value(self, path: Where) -> Any:
        found: Any = self.source.root
        for part in path:
            found = found[part]
        return found


# --- folders ----------------------------------------------------------------------------------------------------------


def no_stack(directory: Path, stack: str) -> str:
    if not directory.is_dir():
        return "there is no such folder; it holds a folder of declarations for each stack"
    known = [entry.name for entry in directory.iterdir() if entry.is_dir() and entry.name not in RESERVED]
    return f"no folder for a stack called {shown(stack)}; there are: {listed(known)}{suggestion(stack, known)}"


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted, without hidden files."""
    with os.scandir(directory) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _yaml_files(directory: Path, shown_as: str, problems: list[Problem]) -> Iterable[tuple[str, DeclaredFile]]:
    """The declared files that lie directly in a folder, by the names of their stems; nothing is followed out of it."""
    for entry in _entries(directory):
        name = f"{shown_as}/{_printable(entry.name)}"
        if entry.is_symlink():
            problems.append(Problem(name, 0, 0, "a symbolic link, which is refused; put the file itself here"))
        elif entry.name.endswith(".yml"):
            problems.append(Problem(name, 0, 0, "declared files end in .yaml; rename it"))
        elif entry.name.endswith(".yaml") and stat.S_ISREG(entry.stat().st_mode):
            source = read(Path(entry.path).read_bytes())
            file = DeclaredFile(name, source, problems, {flaw.path for flaw in source.flaws if flaw.path is not None})
            for flaw in source.flaws:
                file.add(flaw.place, flaw.what)
            yield entry.name.removesuffix(".yaml"), file


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in name)


def stack_files(
    directory: Path, shown_as: str, problems: list[Problem]
) -> tuple[DeclaredFile | None, list[tuple[str, str, DeclaredFile]]]:
    """The settings, and every store as (name, tenant, file)."""
    settings = None
    stores: list[tuple[str, str, DeclaredFile]] = []
    tenants = [entry for entry in _entries(directory) if entry.is_dir(follow_symlinks=False)]
    folders = [("", directory, shown_as)]
    for entry in tenants:
        name = f"{shown_as}/{_printable(entry.name)}"
        flaw = names.flaw(entry.name)
        if flaw:
            problems.append(Problem(f"{name}/", 0, 0, flaw))
        folders.append((entry.name, Path(entry.path), name))
        problems.extend(
            Problem(
                f"{name}/{_printable(inner.name)}/", 0, 0, "a folder in a tenant's folder; stores lie in it directly"
            )
            for inner in _entries(Path(entry.path))
            if inner.is_dir(follow_symlinks=False)
        )
    first: dict[str, str] = {}
    for tenant, folder, name in folders:
        for stem, file in _yaml_files(folder, name, problems):
            if not tenant and f"{stem}.yaml" == SETTINGS:
                settings = file
                continue
            if stem.startswith("_"):
                problems.append(
                    Problem(file.name, 0, 0, f"a leading '_' is settings, and only {shown_as}/{SETTINGS} is")
                )
                continue
            flaw = names.flaw(stem)
            if flaw:
                problems.append(Problem(file.name, 0, 0, f"a store is called as its file: {flaw}"))
            elif stem in first:
                what = f"a store called {shown(stem)} is declared in {first[stem]} already; names are unique in a stack"
                problems.append(Problem(file.name, 0, 0, what))
            else:
                first[stem] = file.name
                stores.append((stem, tenant, file))
    return settings, sorted(stores, key=lambda store: store[0])


def rights_sets(
    directory: Path, shown_as: str, platforms: Platforms, problems: list[Problem]
) -> dict[str, dict[str, Any]]:
    """The sets of each platform, by name; None is one that cannot be read, which has been said."""
    sets: dict[str, dict[str, Any]] = {}
    for entry in _entries(directory) if directory.is_dir() else ():
        if not entry.is_dir(follow_symlinks=False):
            continue
        folder = f"{shown_as}/{_printable(entry.name)}"
        platform = platforms.get(entry.name)
        having = [name for name, known in platforms.items() if known.rights_set]
        if platform is None or platform.rights_set is None:
            what = f"no platform with rights sets is called so; there are: {listed(having)}"
            problems.append(Problem(f"{folder}/", 0, 0, what + suggestion(entry.name, having)))
            continue
        sets[platform.name] = {}
        for stem, file in _yaml_files(Path(entry.path), folder, problems):
            flaw = names.flaw(stem)
            if flaw:
                problems.append(Problem(file.name, 0, 0, f"a set is called as its file: {flaw}"))
            model = checked(file, platform.rights_set, (), "in this file")
            sets[platform.name][stem] = model and model.model_dump(mode="json")
    return sets


# --- models -----------------------------------------------------------------------------------------------------------

_EXPECTED = {
    "model_type": "a mapping is expected",
    "dict_type": "a mapping is expected",
    "list_type": "a list is expected",
    "tuple_type": "a list is expected",
    "string_type": "a text is expected",
}


def checked(file: DeclaredFile, model: type[Model], path: Where, where: str) -> Model | None:
    """The value at `path` as a model; what is wrong is put down. `where` tells in words what the words belong to."""
    if not file.source.values:
        return None
    try:
        return model.model_validate(file.value(path))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _put_down(file, model, path, where, detail)
    return None


def _put_down(file: DeclaredFile, model: type[Declared], base: Where, where: str, detail: Mapping[str, Any]) -> None:
    """One of pydantic's errors as a problem in our words."""
    location = tuple(detail["loc"])
    of_word = bool(location) and location[-1] == "[key]"
    path = (*base, *(location[:-1] if of_word else location))
    if file.is_bad(path):
        return
    kind = detail["type"]
    above = [part for part in location[:-1] if isinstance(part, str)]
    if above:
        where = f"in '{above[-1]}'"
    if kind == "extra_forbidden":
        allowed = _words(model, location[:-1])
        word = str(location[-1])
        what = f"unknown word {shown(word)}"
        file.at_word(path, f"{what}; allowed {where}: {listed(allowed)}{suggestion(word, allowed)}")
    elif kind == "missing":
        if not file.is_bad((*path[:-1], LOST)):
            file.at_word(path[:-1], f"'{location[-1]}' is missing {where}")
    elif kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        found = str(path[-1]) if of_word else file.value(path)
        if not isinstance(found, str):
            file.at_value(path, f"{kind_of(found)} was found; allowed: {listed(allowed)}")
            return
        what = f"{shown(found)} was found; allowed: {listed(allowed)}{suggestion(found, allowed)}"
        (file.at_word if of_word else file.at_value)(path, what)
    elif kind in _EXPECTED:
        file.at_value(path, f"{kind_of(file.value(path))} was found where {_EXPECTED[kind]}")
    else:
        text = str(detail["ctx"]["error"]) if kind == "value_error" else str(detail["msg"])
        word = "" if of_word or not location or not isinstance(location[-1], str) else f"{location[-1]}: "
        (file.at_word if of_word else file.at_value)(path, word + text)


def _words(model: type[Declared], location: Where) -> list[str]:
    """The words that a model, or one of the models inside it, allows."""
    for part in location:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        inner = [kind for kind in _kinds(annotation) if isinstance(kind, type) and issubclass(kind, Declared)]
        if inner:
            model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _kinds(annotation: Any) -> Iterable[Any]:
    """An annotation and all it is made of."""
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _kinds(part)
