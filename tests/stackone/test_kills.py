"""A run that is killed at any of its acts, and one that follows: nothing is lost, nothing stands twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from providers.core.errors import PersonNeeded
from providers.core.http import Answer
from providers.stackone.wire import Api
from tests.stackone.conftest import MakePlace, Place, all_confirmed
from tests.stackone.test_link import FIELDS, holds

SESSION: dict[str, Any] = {"label": "Main shop"}
PATCH: dict[str, Any] = {"update": "patch", "bag": "credentials", "credential_fields": FIELDS}


class Killed(BaseException):
    """The process ended here."""


class Reaper:
    """Kills right after an act that changes something, before anybody learned of it: `at` is which, counted from 0; None
    lets all pass. Before the next act is the same: nothing changes in between."""

    def __init__(self, at: int | None) -> None:
        self.at, self.seen = at, 0

    def __call__(self, act: Callable[[], Any]) -> Any:
        done = act()
        self.seen += 1
        if self.at == self.seen - 1:
            raise Killed
        return done


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Place, int | None], Reaper]:
    def arm(place: Place, at: int | None) -> Reaper:
        reaper = Reaper(at)
        call, tools = Api._call, place.tools
        receive, note = tools.receive, tools.note

        def calling(api: Api, method: str, path: str, **words: Any) -> Answer:
            if method == "GET" or path.startswith("/actions"):
                return call(api, method, path, **words)
            answer: Answer = reaper(lambda: call(api, method, path, **words))
            return answer

        monkeypatch.setattr(Api, "_call", calling)
        monkeypatch.setattr(tools, "receive", lambda *words: reaper(lambda: receive(*words)))
        monkeypatch.setattr(tools, "note", lambda notes: reaper(lambda: note(notes)))
        return reaper

    return arm


def run(act: Callable[[], object]) -> None:
    """A run, and the next one where it was killed or a person is needed at its end."""
    for _ in range(2):
        try:
            act()
        except Killed:
            continue
        except PersonNeeded:
            return
        return


def life(place: Place) -> None:
    """Linked, drifted, rotated, with a person who does what is asked."""

    def up(generation: int) -> None:
        run(lambda: place.connect(generation))
        if place.tools.noted.get("generation") != str(generation):
            place.visit(generation)
            run(lambda: place.connect(generation))
        assert all_confirmed(place.verify(generation))
        assert holds(place) == generation

    up(1)
    account = place.accounts()[0].id
    place.change(account, origin_owner_name="Other")
    up(1)
    up(2)
    assert [row.id for row in place.accounts()] == [account]
    run(lambda: place.link.disconnect({}))
    assert place.accounts() == []


def points(words: Mapping[str, Any], make_place: MakePlace, armed: Callable[[Place, int | None], Reaper]) -> int:
    place = make_place(words)
    reaper = armed(place, None)
    life(place)
    return reaper.seen


KILLS = [(SESSION, at) for at in range(9)] + [(PATCH, at) for at in range(8)]


@pytest.mark.parametrize(
    ("words", "at"), KILLS, ids=lambda value: value if isinstance(value, int) else "update" in value
)
def test_a_killed_run_is_finished_by_the_next(
    words: Mapping[str, Any], at: int, make_place: MakePlace, armed: Callable[[Place, int | None], Reaper]
) -> None:
    place = make_place(words)
    reaper = armed(place, at)
    life(place)
    assert reaper.seen > at, "it was killed there"
    assert len(place.sessions()) <= 3


@pytest.mark.parametrize("words", [SESSION, PATCH])
def test_every_act_is_among_them(
    words: Mapping[str, Any], make_place: MakePlace, armed: Callable[[Place, int | None], Reaper]
) -> None:
    assert points(words, make_place, armed) == len([kill for kill in KILLS if kill[0] is words])
