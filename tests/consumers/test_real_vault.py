"""The life of each platform's link with its documents in a real Vault, each part of it killed half-way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from providers.core.http import Http
from sandbox.server_process import ServerProcess
from sandbox.vault import Prepared
from tests.consumers.coopcycle import CoopCyclePlay
from tests.consumers.pimworks import PimworksPlay
from tests.consumers.play import Play, Present, Script, Wanted, course
from tests.consumers.stackone import PatchPlay, StackOnePlay
from tests.consumers.steps import Interruption
from tests.consumers.surecart import SureCartPlay
from tests.fixtures_vault import VaultAs

pytestmark = pytest.mark.no_cover

NONE = Wanted({"reader": {}})
LINKED = Wanted({"user": {"at": "main"}})
ROTATED = Wanted(LINKED.links, rotate="seen on a screen")
MOVED = Wanted({"user": {"at": "blog"}}, rotate=ROTATED.rotate)
LIFE = (Script(NONE, LINKED), Script(LINKED, ROTATED), Script(ROTATED, MOVED), Script(MOVED, None))

PLAYS: Mapping[str, type[Play]] = {
    "surecart": SureCartPlay,
    "coopcycle": CoopCyclePlay,
    "stackone": StackOnePlay,
    "stackone by calls": PatchPlay,
    "pimworks": PimworksPlay,
}


@pytest.mark.parametrize("platform", PLAYS)
def test_a_life_that_is_killed_half_way(
    platform: str,
    sandbox: ServerProcess,
    present: Present,
    wire: Http,
    tmp_path: Path,
    vault_as: VaultAs,
    prepared: Prepared,
) -> None:
    made, base = PLAYS[platform], (prepared.project, prepared.stack)
    halves = [_half(made(sandbox, tmp_path, present, wire), script) for script in LIFE]
    mounts = {"mount": prepared.mounts.mount, "transit": prepared.mounts.transit}
    with made(sandbox, tmp_path, present, wire, vault=vault_as("apply"), mounts=mounts, base=base) as play:
        play.clean(NONE)
        for script, number in zip(LIFE, halves, strict=True):
            play.interrupted(script, Interruption("killed after", number))
            play.check_always(script)
            play.clean(script.after)
            play.check(script)


def _half(play: Play, script: Script) -> int:
    """The step in the midst of those that change anything."""
    changing = [number for number, step in enumerate(course(lambda: play, script)) if step.changes]
    return changing[len(changing) // 2]
