"""What the scripted people of `make up` are given to do: in which order, by whom, and what makes another run worth it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from operations.local import owners, people, receivers
from operations.local.place import Place
from operations.local.receivers import READERS, Letter
from operations.local.world import World
from operations.sheet import Awaited
from providers.core.policies import Role
from tests.operations.scripted_people import awaited

AWAY = "westside/dispatch"


@dataclass
class Scene:
    """What is asked of people, and what they were seen to do."""

    world: Any
    asked: list[Awaited] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    there: bool = True
    """Whether what is to be deleted is there."""
    done: list[str] = field(default_factory=list)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    found = Scene(None)

    def connections(role: Role, *words: str) -> int:
        found.done.append(f"{role}: {' '.join(words)}")
        return 0

    def delete(_: World, task: Awaited) -> bool:
        found.done.append(f"deletes {task.name}")
        return found.there

    def make(_: World, task: Awaited) -> bool:
        found.done.append(f"makes {task.name}")
        return True

    place = Place(tmp_path, Console(file=io.StringIO()))
    found.world = SimpleNamespace(place=place, connections=connections, must=connections)
    monkeypatch.setattr(people, "_session", lambda _: contextlib.nullcontext())
    for name in ("asked", "letters", "links"):
        of = {"asked": "_asked", "letters": "_unanswered", "links": "_to_follow"}[name]
        monkeypatch.setattr(people, of, lambda _, name=name: tuple(getattr(found, name)))
    monkeypatch.setattr(owners, "make", make)
    monkeypatch.setattr(owners, "delete", delete)
    reader = {to: lambda _, letter: found.done.append(f"reads {letter.name}") for to in READERS}
    monkeypatch.setattr(people, "READERS", reader)
    monkeypatch.setattr(receivers, "follow", lambda _, name: found.done.append(f"follows {name}"))
    return found


def letter(name: str, to: str) -> Letter:
    link: Any = SimpleNamespace(to=to, fields={"recipient": "somebody@agency.example"})
    return Letter(name, name.partition("/")[0], link, 1, True)


def test_nothing_to_do_is_no_reason_for_another_run(scene: Scene) -> None:
    assert not people.do_their_part(scene.world)
    scene.asked.append(awaited(AWAY))
    assert not people.do_their_part(scene.world)
    assert scene.done == []


@pytest.mark.parametrize(
    ("asked", "letters", "links", "done"),
    [
        ([awaited()], [], [], ["makes acme-parts/stone-edge"]),
        ([], [letter("a/b/office", "stone-edge")], [], ["reads a/b/office"]),
        ([], [letter("a/b/hub", "pimworks"), letter("a/c/dev", "person")], [], ["reads a/b/hub", "reads a/c/dev"]),
        ([], [], ["a/b/stackone"], ["follows a/b/stackone"]),
        (
            [awaited(task="delete"), awaited("acme-sites/sites"), awaited(AWAY)],
            [letter("a/b/office", "stone-edge")],
            ["a/b/stackone"],
            [
                "makes acme-sites/sites",
                "deletes acme-parts/stone-edge",
                "apply: rotate --due",
                "reads a/b/office",
                "follows a/b/stackone",
            ],
        ),
    ],
)
def test_what_is_asked_is_done(
    scene: Scene, asked: list[Awaited], letters: list[Letter], links: list[str], done: list[str]
) -> None:
    scene.asked, scene.letters, scene.links = asked, letters, links
    assert people.do_their_part(scene.world)
    assert scene.done == done


def test_the_stores_are_asked_only_about_what_was_deleted_now(scene: Scene) -> None:
    scene.asked, scene.there = [awaited(task="delete")], False
    assert not people.do_their_part(scene.world)
    assert scene.done == ["deletes acme-parts/stone-edge"]


def test_at_the_end_everybody_comes(scene: Scene) -> None:
    assert not people.leave(scene.world)
    scene.asked = [awaited(task="delete"), awaited(AWAY)]
    assert people.leave(scene.world)
    assert scene.done == [
        "deletes acme-parts/stone-edge",
        f"deletes {AWAY}",
        f"operator: capture {AWAY} --lost --reason the sandbox is taken down",
    ]
