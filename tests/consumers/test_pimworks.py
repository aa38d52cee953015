"""PIMworks' stores: killed and overtaken at every step, no hand-over is left that opens, and no moment without a key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from providers.core.http import Http
from sandbox.server_process import ServerProcess
from tests.consumers.pimworks import PimworksPlay
from tests.consumers.play import (
    MakePlay,
    Present,
    Script,
    Wanted,
    at_the_consumer,
    killed_everywhere,
    replies_lost,
    slept_everywhere,
)

pytestmark = pytest.mark.no_cover

NONE = Wanted({"reader": {}})
MAIN = Wanted({"hub": {"at": "main"}})
SCRIPTS: Mapping[str, Script] = {
    "link": Script(NONE, MAIN),
    "relink": Script(MAIN, Wanted(MAIN.links, rotate="seen on a screen")),
    "move": Script(MAIN, Wanted({"hub": {"at": "blog"}})),
    "rename": Script(MAIN, Wanted({"unified": {"at": "main", "was": "hub"}})),
    "unlink": Script(MAIN, NONE),
    "destroy": Script(MAIN, None),
}


@pytest.fixture
def make(sandbox: ServerProcess, present: Present, wire: Http, tmp_path: Path) -> MakePlay:
    return lambda: PimworksPlay(sandbox, tmp_path, present, wire)


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
