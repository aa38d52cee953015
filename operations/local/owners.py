"""The owners of the sandbox's stores, scripted: by a sheet they make and delete what only a person can.

They know what such people know: a sheet, and their login at the vendor's pages.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from operations.local.place import LocalError, write_private
from operations.local.prepare import owner
from operations.local.world import World
from operations.sheet import Awaited
from providers.core.sheet import Table
from sandbox.bigcommerce.visitor import Visitor as PanelVisitor
from sandbox.surecart.visitor import Visitor as DashboardVisitor

_TITLE: Final = re.compile(r"the API account '([^']+)' at store")


class Visit(Protocol):
    """An owner at the vendor's pages, who works on what a sheet names."""

    def name(self, task: Awaited) -> str:
        """What a sheet calls what it is about."""
        ...

    def names(self) -> tuple[str, ...]:
        """What is there, by its names."""
        ...

    def make(self, name: str, task: Awaited) -> str:
        """Make it, and return what the pages then show, as it is put in."""
        ...

    def delete(self, name: str) -> None:
        """Delete whatever has this name."""
        ...


@dataclass(frozen=True, slots=True)
class _Panel:
    """BigCommerce's control panel."""

    visitor: PanelVisitor

    def name(self, task: Awaited) -> str:
        found = _TITLE.search(task.sheet.title)
        if found is None:
            raise LocalError(f"{task.name}: its sheet names no account")
        return found[1]

    def names(self) -> tuple[str, ...]:
        return tuple(self.visitor.titles())

    def make(self, name: str, task: Awaited) -> str:
        rows = {label: level for step in task.sheet.steps if isinstance(step, Table) for label, level in step.rows}
        return self.visitor.create_account(name, rows).text

    def delete(self, name: str) -> None:
        self.visitor.delete_account(name, every=True)


@dataclass(frozen=True, slots=True)
class _Dashboard:
    """SureCart's dashboard, in the store of this slug."""

    visitor: DashboardVisitor
    slug: str

    def name(self, task: Awaited) -> str:
        return f"{task.name} #{task.number}"

    def names(self) -> tuple[str, ...]:
        return tuple(token.name for token in self.visitor.tokens(self.slug))

    def make(self, name: str, task: Awaited) -> str:
        return f"{self.visitor.make_token(self.slug, name)}\n"

    def delete(self, name: str) -> None:
        for token in self.visitor.tokens(self.slug):
            if token.name == name:
                self.visitor.delete_token(self.slug, name, ending=token.ending)


@contextmanager
def _at_panel(world: World, store: str) -> Iterator[Visit]:
    who = owner(world.place, store)
    with PanelVisitor(who.panel, world.stores.ca, who.mail, who.password) as visitor:
        yield _Panel(visitor)


@contextmanager
def _at_dashboard(world: World, store: str) -> Iterator[Visit]:
    who = owner(world.place, store)
    slug = next(known.address for known in world.place.stack.stores if known.name == store)
    with DashboardVisitor(who.panel, world.stores.ca, who.mail, who.password) as visitor:
        yield _Dashboard(visitor, slug)


PLACES: Final[Mapping[str, tuple[str, Callable[[World, str], AbstractContextManager[Visit]]]]] = {
    "bigcommerce": ("the control panel", _at_panel),
    "surecart": ("the dashboard", _at_dashboard),
}
"""Where owners work, by platform: in words, and how they get there."""


def store_of(task: Awaited) -> str:
    """The store that a sheet is of."""
    return task.name.partition("/")[0]


@contextmanager
def _visit(world: World, task: Awaited) -> Iterator[tuple[Visit, Callable[[str], None]]]:
    """The owner at the pages, and how it is told what the owner does there."""
    store = store_of(task)
    platform = next(known.platform for known in world.place.stack.stores if known.name == store)
    where, begin = PLACES[platform]

    def tell(what: str) -> None:
        world.place.say(f"[bold]A scripted visitor plays the owner of {store} here[/]: {what} in {where}")

    with begin(world, store) as visit:
        yield visit, tell


def make(world: World, task: Awaited) -> bool:
    """Make what a sheet asks for, and put it in; whether that was done, as with its neighbours."""
    file = download(world, task)
    with _visit(world, task) as (visit, tell):
        name = visit.name(task)
        tell(f"makes {name!r}, by its sheet,")
        present = name in visit.names()
        if not (present and file.exists()):
            if present:
                # A run was killed before it kept the file, and values that were missed cannot be shown again.
                visit.delete(name)
            write_private(file, visit.make(name, task))
    world.must("operator", "capture", task.name, "--file", str(file.relative_to(world.place.root)), "--delete")
    return True


def delete(world: World, task: Awaited) -> bool:
    """Delete what a sheet names; False where it is not there."""
    with _visit(world, task) as (visit, tell):
        name = visit.name(task)
        if name not in visit.names():
            return False
        tell(f"deletes {name!r}")
        visit.delete(name)
    return True


def download(world: World, task: Awaited) -> Path:
    """Where an owner keeps what the pages showed, until it is put in."""
    return world.place.state / "downloads" / f"{task.name.replace('/', '-')}-{task.number}.txt"


def forget_downloads(world: World, awaited: tuple[Awaited, ...]) -> None:
    """Delete the files that nobody waits for any more: a run was killed after it put them in."""
    wanted = {download(world, task) for task in awaited}
    for file in (world.place.state / "downloads").glob("*.txt"):
        if file not in wanted:
            file.unlink()
