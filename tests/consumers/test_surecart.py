"""SureCart's sites: killed and overtaken at every step, no site is ever without a token that works."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from providers.core.http import Http
from sandbox.server_process import ServerProcess
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
from tests.consumers.surecart import SureCartPlay

pytestmark = pytest.mark.no_cover

NONE = Wanted({"reader": {}})
MAIN = Wanted({"shop": {"at": "main"}})
BOTH = Wanted({"shop": {"at": "main"}, "blog": {"at": "blog"}})
SCRIPTS: Mapping[str, Script] = {
    "link": Script(NONE, MAIN),
    "relink": Script(BOTH, Wanted(BOTH.links, rotate="seen on a screen")),
    "move": Script(MAIN, Wanted({"shop": {"at": "blog"}})),
    "move and rotate": Script(MAIN, Wanted({"shop": {"at": "blog"}}, rotate="seen on a screen")),
    "rename": Script(MAIN, Wanted({"store": {"at": "main", "was": "shop"}})),
    "unlink": Script(BOTH, MAIN),
    "destroy": Script(MAIN, None),
}


@pytest.fixture
def make(sandbox: ServerProcess, present: Present, wire: Http, tmp_path: Path) -> MakePlay:
    return lambda: SureCartPlay(sandbox, tmp_path, present, wire)


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
