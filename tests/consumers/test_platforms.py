"""Every platform's links: killed and overtaken at every step.

What each promises besides its play checks: no SureCart site is ever without a token that works; no form of a CoopCycle app
is ever saved, and no pair is left alive that nobody knows; no owner ever gets a second account at StackOne; no hand-over to
PIMworks is left that opens, and no moment is without a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from providers.core.http import Http
from sandbox.server_process import ServerProcess
from tests.consumers.coopcycle import CoopCyclePlay
from tests.consumers.pimworks import PimworksPlay
from tests.consumers.play import (
    MakePlay,
    Play,
    Present,
    Script,
    Wanted,
    at_the_consumer,
    course,
    killed_everywhere,
    replies_lost,
    slept_everywhere,
)
from tests.consumers.stackone import PatchPlay, StackOnePlay
from tests.consumers.steps import Interruption
from tests.consumers.surecart import SureCartPlay

pytestmark = pytest.mark.no_cover

NONE = Wanted({"reader": {}})
ROTATE = "seen on a screen"


def scripts(link: str, renamed: str, **others: Script) -> Mapping[str, Script]:
    """The life of a link of this name; `others` are further scripts, or take the place of these."""
    main = Wanted({link: {"at": "main"}})
    usual = {
        "link": Script(NONE, main),
        "relink": Script(main, Wanted(main.links, rotate=ROTATE)),
        "move": Script(main, Wanted({link: {"at": "blog"}})),
        "rename": Script(main, Wanted({renamed: {"at": "main", "was": link}})),
        "unlink": Script(main, NONE),
        "destroy": Script(main, None),
    }
    return {**usual, **others}


SHOP = Wanted({"shop": {"at": "main"}})
SITES = Wanted({"shop": {"at": "main"}, "blog": {"at": "blog"}})
HUB = scripts("hub", "unified")


@dataclass(frozen=True)
class Platform:
    """How a platform is played: its scripts, and which of them sleepers are tried with."""

    play: type[Play]
    scripts: Mapping[str, Script]
    killed: tuple[str, ...] = ()
    slept: tuple[str, ...] = ("relink", "unlink")
    ended: bool = True


PLATFORMS: Mapping[str, Platform] = {
    "surecart": Platform(
        SureCartPlay,
        scripts(
            "shop",
            "store",
            relink=Script(SITES, Wanted(SITES.links, rotate=ROTATE)),
            unlink=Script(SITES, SHOP),
            **{"move and rotate": Script(SHOP, Wanted({"shop": {"at": "blog"}}, rotate=ROTATE))},
        ),
    ),
    "coopcycle": Platform(
        CoopCyclePlay,
        scripts("shop", "store", **{"another name of the app": Script(SHOP, Wanted(SHOP.links, name="Flowers"))}),
    ),
    "stackone": Platform(StackOnePlay, HUB),
    # An account is made and deleted alike in both.
    "stackone by calls": Platform(PatchPlay, HUB, killed=("relink", "move"), slept=("relink",), ended=False),
    "pimworks": Platform(PimworksPlay, HUB),
}
KILLED = [(name, script) for name, one in PLATFORMS.items() for script in one.killed or one.scripts]
SLEPT = [(name, script) for name, one in PLATFORMS.items() for script in one.slept]


@pytest.fixture
def platform(request: pytest.FixtureRequest) -> Platform:
    return PLATFORMS[request.param]


@pytest.fixture
def make(platform: Platform, sandbox: ServerProcess, present: Present, wire: Http, tmp_path: Path) -> MakePlay:
    return lambda: platform.play(sandbox, tmp_path, present, wire)


@pytest.mark.parametrize(("platform", "name"), KILLED, indirect=["platform"])
def test_killed(platform: Platform, name: str, make: MakePlay) -> None:
    assert killed_everywhere(make, platform.scripts[name]) > 1


@pytest.mark.parametrize("platform", PLATFORMS, indirect=True)
def test_replies_lost(platform: Platform, make: MakePlay) -> None:
    assert replies_lost(make, platform.scripts["relink"]) > 1


@pytest.mark.parametrize(("platform", "name"), SLEPT, indirect=["platform"])
def test_slept_while_another_did_it_all(platform: Platform, name: str, make: MakePlay) -> None:
    script = platform.scripts[name]
    assert slept_everywhere(make, script, script.after, at_the_consumer) > 3


@pytest.mark.parametrize("other", [NONE, None], ids=["unlinked", "destroyed"])
@pytest.mark.parametrize("platform", [name for name, one in PLATFORMS.items() if one.ended], indirect=True)
def test_slept_in_a_link_that_another_ended(platform: Platform, other: Wanted | None, make: MakePlay) -> None:
    assert slept_everywhere(make, platform.scripts["link"], other, at_the_consumer) > 3


@pytest.mark.parametrize("platform", ["coopcycle"], indirect=True)
def test_one_note_rotates_once_also_where_a_run_was_killed(platform: Platform, make: MakePlay) -> None:
    script = platform.scripts["relink"]
    changing = [number for number, step in enumerate(course(make, script)) if step.changes]
    for number in changing:
        with make() as play:
            play.clean(script.before)
            play.interrupted(script, Interruption("killed after", number))
            play.clean(script.after)
            # A number may be given up; the note counts once.
            assert play.journal.rotation == 2
