"""CoopCycle's apps and their plugin: killed and overtaken at every step, no app's form is ever saved, and no pair is left
alive that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from providers.core.http import Http
from sandbox.server_process import ServerProcess
from tests.consumers.coopcycle import CoopCyclePlay
from tests.consumers.play import (
    MakePlay,
    Present,
    Script,
    Wanted,
    at_the_consumer,
    course,
    killed_everywhere,
    replies_lost,
    slept_everywhere,
)
from tests.consumers.steps import Interruption

pytestmark = pytest.mark.no_cover

NONE = Wanted({"reader": {}})
MAIN = Wanted({"shop": {"at": "main"}})
SCRIPTS: Mapping[str, Script] = {
    "link": Script(NONE, MAIN),
    "relink": Script(MAIN, Wanted(MAIN.links, rotate="seen on a screen")),
    "another name of the app": Script(MAIN, Wanted(MAIN.links, name="Flowers")),
    "move": Script(MAIN, Wanted({"shop": {"at": "blog"}})),
    "rename": Script(MAIN, Wanted({"store": {"at": "main", "was": "shop"}})),
    "unlink": Script(MAIN, NONE),
    "destroy": Script(MAIN, None),
}


@pytest.fixture
def make(sandbox: ServerProcess, present: Present, wire: Http, tmp_path: Path) -> MakePlay:
    return lambda: CoopCyclePlay(sandbox, tmp_path, present, wire)


@pytest.mark.parametrize("name", SCRIPTS)
def test_killed(name: str, make: MakePlay) -> None:
    assert killed_everywhere(make, SCRIPTS[name]) > 1


def test_replies_lost(make: MakePlay) -> None:
    assert replies_lost(make, SCRIPTS["relink"]) > 1


@pytest.mark.parametrize("name", ["relink", "unlink"])
def test_slept_while_another_did_it_all(name: str, make: MakePlay) -> None:
    assert slept_everywhere(make, SCRIPTS[name], SCRIPTS[name].after, at_the_consumer) > 3


@pytest.mark.parametrize("other", [NONE, None], ids=["unlinked", "destroyed"])
def test_slept_in_a_link_that_another_ended(other: Wanted | None, make: MakePlay) -> None:
    assert slept_everywhere(make, SCRIPTS["link"], other, at_the_consumer) > 3


def test_one_note_rotates_once_also_where_a_run_was_killed(make: MakePlay) -> None:
    script = SCRIPTS["relink"]
    changing = [number for number, step in enumerate(course(make, script)) if step.changes]
    for number in changing:
        with make() as play:
            play.clean(script.before)
            play.interrupted(script, Interruption("killed after", number))
            play.clean(script.after)
            # A number may be given up; the note counts once.
            assert play.journal.rotation == 2
