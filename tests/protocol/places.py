"""One check for each rule about links at consumers that can be asked, and about their places; as in `directed`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from providers.core.contract import Finding
from providers.core.errors import Refused, Superseded, Transient
from providers.core.redaction import Secret
from tests.protocol.core import Core
from tests.protocol.directed import alive, before, begin, only, rule, states, words
from tests.protocol.doubles import MemoryLink, unhurried
from tests.protocol.explorer import OWNER, Stage
from tests.protocol.lifetimes import CHECKS

__all__ = ["CHECKS"]


class Choosy(MemoryLink):
    """A user that some generations do not serve."""

    unfit: frozenset[int] = frozenset()

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        return [Finding("fits", "contradicted" if generation in self.unfit else "confirmed", "it was looked at")]


def linked(core: Core, *names: str, **capabilities: Any) -> Stage:
    """A connection with links, each at the place of its name."""
    stage = begin(core, **capabilities)
    stage.settle(stage.wish())
    for name in names or ("shop",):
        assert stage.link(name).connect().problems == ()
    return stage


def renamed(stage: Stage, place: str | None = None) -> Any:
    """A run on the link `store`, which was `shop`."""
    run = stage.core.links.LinkRun
    return run(stage.operation(), "store", stage.link("store", place or "shop").link, was="shop")


def holding(stage: Stage) -> dict[str, int]:
    """The generation at each place that holds one."""
    return {place: consumer.generation for place, consumer in stage.world.consumers.items() if consumer.value}


@rule
def what_does_not_serve_its_user_is_not_given(core: Core) -> None:
    stage = linked(core)
    link = Choosy(stage.world, OWNER.connection, "shop")
    link.unfit = frozenset({2})
    stage.settle(stage.wish(rotation=2))
    outcome = stage.core.links.LinkRun(stage.operation(), "shop", link).connect()
    assert "does not serve its user: fits: it was looked at" in words(outcome)
    stage.settle(stage.wish(rotation=2))
    assert (holding(stage), states(stage)) == ({"shop": 1}, {1: "superseded", 2: "current"})


@rule
def the_former_place_is_cleared_before_another_is_connected(core: Core) -> None:
    stage = linked(core)
    stage.settle(stage.wish(rotation=2))
    stage.world.consumers["shop"].vanished = True
    assert "does not answer" in words(stage.link("shop", "new").connect())
    assert holding(stage) == {"shop": 1}
    stage.world.consumers["shop"].vanished = False
    assert stage.link("shop", "new").connect().entry.acknowledged == 2
    stage.settle(stage.wish(rotation=2))
    assert (holding(stage), alive(stage)) == ({"new": 2}, {2: 1})


@rule
def a_place_that_was_left_is_free_for_another(core: Core) -> None:
    stage = linked(core)
    stage.link("shop", "new").connect()
    assert stage.link("web", "shop").connect().entry.acknowledged == 1
    with pytest.raises(Refused, match="is taken by"):
        stage.link("blog", "new").connect()


@rule
def a_rename_while_a_rotation_is_under_way_goes_on(core: Core) -> None:
    stage = linked(core)
    stage.settle(stage.wish(rotation=2))
    assert renamed(stage).connect().entry.acknowledged == 2
    stage.settle(stage.wish(rotation=2))
    assert (list(stage.journal().links), holding(stage), alive(stage)) == (["store"], {"shop": 2}, {2: 1})


@rule
def a_link_whose_rename_was_killed_is_cleared(core: Core) -> None:
    stage = linked(core)

    def killed(step: str, faults: tuple[str, ...]) -> str:
        if step.startswith("write _slots"):
            raise KeyboardInterrupt
        return ""

    stage.world.pace = killed
    with pytest.raises(KeyboardInterrupt):
        renamed(stage).connect()
    stage.world.pace = unhurried
    assert list(stage.journal().links) == ["store"]
    renamed(stage).disconnect()
    assert (holding(stage), stage.journal().links) == ({}, {})


@rule
def what_a_consumer_lost_is_given_again(core: Core) -> None:
    stage = linked(core)
    stage.world.consumers["shop"].value = ""
    assert stage.link("shop").connect().entry.acknowledged == 1
    assert stage.world.consumers["shop"].value == only(stage, 1).value


@rule
def a_former_key_ends_when_the_last_of_its_users_has_moved(core: Core) -> None:
    stage = linked(core, "shop", "web")
    wish = stage.wish(rotation=2)
    stage.settle(wish)
    stage.link("shop").connect()
    stage.world.consumers["web"].vanished = True
    assert "does not answer" in words(stage.link("web").connect())
    assert not stage.core.loop.may_retire(stage.journal())
    stage.core.loop.retire(stage.operation(), wish)
    assert (states(stage), alive(stage)) == ({1: "superseded", 2: "current"}, {1: 1, 2: 1})
    stage.world.consumers["web"].vanished = False
    stage.link("web").connect()
    assert stage.core.loop.may_retire(stage.journal())
    stage.core.loop.retire(stage.operation(), wish)
    assert (states(stage), alive(stage)) == ({1: "revoked", 2: "current"}, {2: 1})


@rule
def a_run_that_only_ends_what_is_over_begins_nothing(core: Core) -> None:
    stage = linked(core)
    stage.core.loop.retire(stage.operation(), stage.wish(rotation=2))
    assert states(stage) == {1: "current"}


REMOVALS: Sequence[Callable[[Stage], object]] = (
    lambda stage: stage.link("shop").disconnect(),
    lambda stage: stage.core.people.forget_link(stage.operation(), "shop", "it is gone"),
)


@rule
def a_link_that_is_removed_while_another_run_connects_it_is_not_acknowledged(core: Core) -> None:
    def remover(stage: Stage, remove: Callable[[Stage], object]) -> Callable[[], object]:
        return lambda: remove(stage)

    for remove in REMOVALS:
        for step in ("consumer connect", "consumer verify"):
            stage = linked(core)
            stage.settle(stage.wish(rotation=2))
            before(stage, step, remover(stage, remove))
            with suppress(Superseded):
                assert stage.link("shop").connect().problems
            assert stage.journal().links == {}


@rule
def a_forgotten_link_holds_no_former_key(core: Core) -> None:
    stage = linked(core, "shop", "web")
    stage.settle(stage.wish(rotation=2))
    stage.link("web").connect()
    del stage.world.consumers["shop"]
    stage.core.people.forget_link(stage.operation(), "shop", "its consumer is gone")
    stage.settle(stage.wish(rotation=2))
    assert states(stage) == {1: "revoked", 2: "current"}


@rule
def a_consumer_that_does_not_answer_a_look_loses_nothing(core: Core) -> None:
    stage = linked(core)
    stage.world.consumers["shop"].vanished = True
    (problem,) = stage.link("shop").connect().problems
    assert isinstance(problem, Transient)
    assert holding(stage) == {"shop": 1}
