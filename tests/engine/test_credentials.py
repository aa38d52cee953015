"""The provider of credentials over doubles: what the engine is told, and that nothing else leaves it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.dynamic import ReadResult

from providers.core import people, provider
from providers.core.errors import (
    ConnectionsError,
    PersonNeeded,
    Transient,
    Unreachable,
    VaultDenied,
    VaultSealed,
)
from providers.core.observe import Observation
from providers.core.provider import UNCHECKED, CredentialProvider, NotDone
from providers.core.redaction import Secret
from tests.engine.conftest import BY_PERSON, MemoryToolbox, credential
from tests.protocol.doubles import MemoryStore, World

CREDENTIAL = CredentialProvider()


@pytest.fixture(autouse=True)
def _doubles(toolbox: MemoryToolbox) -> MemoryToolbox:
    return toolbox


def checked(news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    result = CREDENTIAL.check(olds or {}, news)
    assert result.failures == []
    inputs: dict[str, Any] = result.inputs
    return inputs


def made(**words: Any) -> dict[str, Any]:
    """The outputs of a connection that was made."""
    created = CREDENTIAL.create(checked(credential(**words)))
    assert created.id == "fresh-roast/orders"
    assert created.outs is not None
    return created.outs


def read(outs: dict[str, Any]) -> ReadResult:
    return CREDENTIAL.read("fresh-roast/orders", outs | {"__provider": "gASV"})


def up(outs: dict[str, Any], **words: Any) -> dict[str, Any]:
    """Refresh, check and update, as the engine does it."""
    seen = read(outs)
    assert seen.inputs is not None
    assert seen.outs is not None
    updated = CREDENTIAL.update("fresh-roast/orders", seen.outs, checked(credential(**words), seen.inputs))
    assert updated.outs is not None
    return updated.outs


# --- check ---


def test_numbers_are_as_they_were_declared() -> None:
    inputs = checked(credential(rotate_after=7776000.0, share=0.5, list=[1.0, {"two": 2.0}]))
    assert (inputs["overlap"], inputs["rotate_after"], inputs["share"]) == (3600, 7776000, 0.5)
    assert inputs["list"] == [1, {"two": 2}]
    assert all(type(inputs[word]) is int for word in ("overlap", "rotate_after"))


def test_a_new_credential_begins_at_one() -> None:
    inputs = checked(credential())
    assert inputs["rotation"] == {"number": 1, "since": "2026-01-01"}
    assert inputs["handle"] == {"path": "kv/connections/test/fresh-roast/orders", "rotation": 1}


DAY = 86400
BEFORE = {"rotation": {"number": 3.0, "since": "2025-12-01"}, "handle": {"path": "kv/elsewhere", "rotation": 5.0}}


@pytest.mark.parametrize(
    ("olds", "news", "rotation", "handle"),
    [
        ({}, {}, 3, 5),
        ({}, {"rotate": "a reason"}, 4, 6),
        ({"rotate": "a reason"}, {"rotate": "a reason"}, 3, 5),
        ({"rotate": "a reason"}, {"rotate": "another"}, 4, 6),
        ({"rotate": "a reason"}, {}, 3, 5),
        ({}, {"rotate_after": 30 * DAY}, 3, 5),
        ({}, {"rotate_after": 30 * DAY, "rotate_by": "up"}, 4, 6),
        ({}, {"rotate_after": 32 * DAY, "rotate_by": "up"}, 3, 5),
        ({}, {"rotate_by": "up"}, 3, 5),
        ({"drift": ["the key is gone from the store: a new key is due"]}, {}, 3, 6),
        ({"drift": ["the value in Vault was edited"]}, {}, 3, 5),
        ({}, {"rights": "read_write"}, 3, 5),
    ],
)
def test_when_rotation_and_handle_rise(olds: dict[str, Any], news: dict[str, Any], rotation: int, handle: int) -> None:
    inputs = checked(credential(**news), credential() | BEFORE | olds)
    assert inputs["rotation"]["number"] == rotation
    assert inputs["handle"] == {"path": "kv/elsewhere", "rotation": handle}
    assert "drift" not in inputs


def test_a_word_that_did_its_work_may_go() -> None:
    inputs = checked(credential(), credential(adopt="old-hub", moved_from="https://old.example") | BEFORE)
    assert (inputs["adopt"], inputs["moved_from"]) == ("old-hub", "https://old.example")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("read", "read_write", "it may now write too"),
        ("write", "read_write", "it may now read too"),
        ("read", "write", "it may now write too"),
        ("read_write", "read", ""),
        ("read", "read", ""),
    ],
)
def test_wider_rights_are_said(before: str, after: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    checked(credential(rights=after), credential(rights=before) | BEFORE)
    assert capsys.readouterr().out == (f"fresh-roast/orders: wider rights: {words}\n" if words else "")


def test_a_diff_is_always_the_engines_own() -> None:
    assert CREDENTIAL.diff("id", {}, {}).changes is None


# --- create, update, delete ---


def test_what_was_made_is_told_without_a_secret(world: World) -> None:
    outs = made()
    (key,) = world.keys.values()
    told = outs["credential"]
    assert told["path"] == "kv/connections/test/fresh-roast/orders/credential"
    assert (told["generation"], told["key_id"], len(told["fingerprint"])) == (1, key.key_id, 16)
    assert outs["status"] == {"state": "live", "reasons": []}
    assert outs["facts"] == {"version": "11.0.1"}
    assert key.value not in repr(outs)
    seen = read(outs)
    assert seen.outs == outs
    assert seen.inputs == {name: value for name, value in outs.items() if name not in {"credential", "status", "facts"}}


def test_a_store_that_tells_nothing_of_itself_fails_nothing(toolbox: MemoryToolbox) -> None:
    toolbox.broken["facts"] = PersonNeeded("two factors")
    outs = made()
    assert outs["facts"] == {}
    toolbox.broken.clear()
    known = made()
    toolbox.broken["facts"] = Transient("busy")
    seen = read(known).outs
    assert seen is not None
    assert seen["facts"] == {"version": "11.0.1"}


def test_what_cannot_be_done_is_one_line(world: World) -> None:
    world.refusing = True
    with pytest.raises(NotDone, match=r"^fresh-roast/orders: the store refuses$") as refused:
        made()
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert f"{NotDone.__module__}.{NotDone.__qualname__}" == "builtins.NotDone"


def test_waiting_is_said_and_fails_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outs = up(made(), rotate="a reason")
    said = "fresh-roast/orders: generation 1: overlap until 2026-01-01 01:00:00 UTC\n"
    assert capsys.readouterr().out == said
    assert outs["status"] == {"state": "rotating", "reasons": ["generation 1: overlap until 2026-01-01 01:00:00 UTC"]}
    world.pass_time(3600)
    seen = read(outs)
    assert seen.inputs is not None
    assert seen.outs is not None
    assert seen.inputs["drift"] == ["generation 1 is no longer needed"]
    assert seen.outs["status"] == {"state": "due", "reasons": []}
    assert "drift" not in up(seen.outs, rotate="a reason")
    assert read(outs).inputs is not None


def test_destroy_ends_all_and_a_look_then_says_gone(world: World) -> None:
    outs = made()
    CREDENTIAL.delete("fresh-roast/orders", outs)
    assert not any(key.alive for key in world.keys.values())
    assert read(outs).id == ""
    CREDENTIAL.delete("fresh-roast/orders", outs)


def test_nothing_was_ever_made() -> None:
    assert read(checked(credential())).id == ""
    CREDENTIAL.delete("fresh-roast/orders", checked(credential()))


def test_a_destroy_that_is_not_finished_fails(world: World) -> None:
    outs = made()
    world.revocable = False
    with pytest.raises(NotDone, match="^fresh-roast/orders: not ended yet: generation 1 is not proved dead"):
        CREDENTIAL.delete("fresh-roast/orders", outs)


def test_a_store_that_is_down_is_said_with_the_name_of_the_connection(toolbox: MemoryToolbox) -> None:
    outs = made()
    toolbox.broken["find"] = Unreachable("no answer", where="fresh-roast.example")
    with pytest.raises(NotDone, match="^fresh-roast/orders: not ended yet: fresh-roast.example: no answer$"):
        CREDENTIAL.delete("fresh-roast/orders", outs)
    with pytest.raises(NotDone, match="^fresh-roast/orders: fresh-roast.example: no answer$"):
        CREDENTIAL.update("fresh-roast/orders", outs, outs)


def test_a_destroy_that_waits_for_a_person_does_not_fail(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.capabilities = BY_PERSON
    outs = made()
    assert outs["status"]["state"] == "awaiting_person"
    operation = provider.TOOLBOX.operation(outs)
    people.capture(operation, MemoryStore(world).add("", outs, "hand").secret)
    outs = up(outs)
    assert outs["status"]["state"] == "live"
    capsys.readouterr()
    CREDENTIAL.delete("fresh-roast/orders", outs)
    assert "fresh-roast/orders: delete key" in capsys.readouterr().out


def test_a_person_is_asked_although_the_run_fails(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.capabilities = BY_PERSON
    outs = made()
    key = MemoryStore(world).add("", outs, "hand")
    people.capture(provider.TOOLBOX.operation(outs), key.secret)
    outs = up(outs)
    key.alive = False
    capsys.readouterr()
    with pytest.raises(NotDone, match="does not do what is declared"):
        up(outs)
    assert "fresh-roast/orders: make key number 2 by hand" in capsys.readouterr().out


# --- read ---


def test_a_field_that_was_changed_is_a_diff_of_that_field(world: World) -> None:
    outs = made()
    (key,) = world.keys.values()
    key.fields["rights"] = "write"
    seen = read(outs)
    assert seen.inputs is not None
    assert seen.inputs["rights"] == "write"
    assert world.keys[key.key_id] is key
    assert up(outs)["rights"] == "read"
    assert key.fields["rights"] == "read"


def test_a_key_that_is_gone_is_said_once(world: World) -> None:
    outs = made()
    (key,) = world.keys.values()
    key.alive = False
    seen = read(outs)
    assert seen.inputs is not None
    assert seen.inputs["drift"] == ["the key is gone from the store: a new key is due"]


def test_a_note_of_a_run_that_was_killed_rotates_once() -> None:
    before = made()
    # Killed before the engine kept what it did.
    up(before, rotate="seen in a screen share")
    seen = read(before)
    assert seen.inputs is not None
    assert (seen.inputs["rotation"]["number"], seen.inputs["rotate"]) == (2, "seen in a screen share")
    again = checked(credential(rotate="seen in a screen share"), seen.inputs)
    assert again["rotation"]["number"] == 2
    assert checked(credential(rotate="once more"), again)["rotation"]["number"] == 3


def test_a_rotation_by_command_is_echoed(toolbox: MemoryToolbox, world: World) -> None:
    outs = made()
    people.request_rotation(toolbox.operation(outs), "quarterly")
    world.pass_time(DAY)
    seen = read(outs)
    assert seen.inputs is not None
    assert seen.inputs["rotation"] == {"number": 2, "since": "2026-01-01"}
    outs = up(outs)
    assert outs["rotation"]["number"] == 2
    assert outs["handle"]["rotation"] == 2


def test_a_state_that_was_restored_counts_on_from_the_journal() -> None:
    old = made()
    up(up(old, rotate="first"), rotate="second")
    seen = read(old)
    assert seen.inputs is not None
    assert seen.inputs["rotation"]["number"] == 3
    assert checked(credential(rotate="third"), seen.inputs)["rotation"]["number"] == 4


def test_a_login_that_reads_no_secret_sees_the_last_proof(
    toolbox: MemoryToolbox, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = made()
    next(iter(world.keys.values())).alive = False
    toolbox.broken["find"] = VaultDenied("the policies do not allow it")
    seen = read(outs)
    assert seen.outs is not None
    assert seen.inputs is not None
    assert seen.outs["status"] == {
        "state": UNCHECKED,
        "reasons": ["not looked at: this login may read no secret", "generation 1 was proved on 2026-01-01"],
    }
    assert "drift" not in seen.inputs
    assert capsys.readouterr().out == ""


def test_a_key_that_cannot_be_proved_is_said_and_no_drift(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    outs = made()
    world.pace = lambda step, _: "unverifiable" if step == "verify" else ""
    seen = read(outs)
    assert seen.outs is not None
    assert seen.outs["status"] == {"state": "unproved", "reasons": ["recognised: seen"]}
    assert seen.inputs is not None
    assert "drift" not in seen.inputs
    assert capsys.readouterr().out == "fresh-roast/orders: not proved: recognised: seen\n"


def test_a_connection_that_nobody_looked_at_has_nothing_to_say() -> None:
    inputs = checked(credential())
    assert provider._observed(inputs, Observation(None)) == {}


def test_without_a_current_key_there_is_no_proof_to_tell(toolbox: MemoryToolbox, world: World) -> None:
    world.capabilities = BY_PERSON
    outs = made()
    assert provider._last_proof(toolbox.book(outs).journal()[0]) == ["not looked at: this login may read no secret"]
    assert provider._last_proof(None) == ["not looked at: this login may read no secret"]


SECRET = "cs_0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("part", ["operation", "issuer", "keyring", "documents", "find", "verify"])
@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no answer", where="fresh-roast.example"),
        Transient("busy"),
        VaultSealed("Vault is sealed"),
        ConnectionsError(f"it holds {SECRET}"),
        RuntimeError(f"it holds {SECRET}"),
        RecursionError(),
        KeyError("connection"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_look_never_raises_whatever_is_thrown_inside(
    toolbox: MemoryToolbox, part: str, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = Secret(SECRET)
    outs = made()
    toolbox.broken[part] = error
    seen = read(outs)
    assert seen.id == "fresh-roast/orders"
    assert seen.outs is not None
    assert seen.inputs is not None
    # Nothing is concluded: the last known values stand, and no difference shows.
    assert checked(credential(), seen.inputs) == seen.inputs
    assert {name for name in seen.outs if seen.outs[name] != outs[name]} <= {"status"}
    said = capsys.readouterr().out + repr(seen.outs)
    assert secret.reveal() not in said
    assert "Traceback" not in said


def test_what_stops_every_look_is_said_once(toolbox: MemoryToolbox, capsys: pytest.CaptureFixture[str]) -> None:
    outs = made()
    toolbox.broken["documents"] = VaultSealed("Vault is sealed")
    read(outs)
    read(outs)
    assert capsys.readouterr().out == "not looked at: Vault is sealed\n"
    toolbox.broken["documents"] = Transient("busy", where="fresh-roast.example")
    read(outs)
    read(outs)
    assert capsys.readouterr().out.count("fresh-roast/orders: not looked at: fresh-roast.example: busy\n") == 2


@pytest.mark.parametrize("method", ["check", "create", "update", "delete"])
def test_no_method_lets_more_out_than_a_line(
    toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    secret = Secret(SECRET)
    outs = made()
    toolbox.broken["operation"] = RuntimeError(f"it holds {secret.reveal()}")
    monkeypatch.setattr(toolbox, "clock", lambda: 1 / 0)
    given: dict[str, tuple[Any, ...]] = {
        "check": ({}, credential()),
        "create": (outs,),
        "update": ("id", outs, outs),
        "delete": ("id", outs),
    }
    with pytest.raises(NotDone, match=r"^internal error: (RuntimeError|ZeroDivisionError) in \S+, line \d+$") as out:
        getattr(CREDENTIAL, method)(*given[method])
    assert out.value.__cause__ is None
    assert out.value.__suppress_context__


def test_an_interruption_is_not_kept_back(toolbox: MemoryToolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    outs = made()
    monkeypatch.setattr(toolbox, "operation", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(outs)


def test_a_run_that_was_killed_while_it_linked_leaves_nothing_in_the_way(toolbox: MemoryToolbox, world: World) -> None:
    outs = made()
    provider.LinkProvider().create({**outs, "link": "hub", "to": "vault"})
    # The engine never heard of the link: it ends the credential alone.
    CREDENTIAL.delete("fresh-roast/orders", outs)
    assert read(outs).id == ""
