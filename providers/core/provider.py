"""The dynamic providers: what the engine calls, over the loops of core (design.md section 4, engine.md 16a).

They hold no state; `load` finds them by a name that stands in the engine's state. No method lets an exception of ours
cross as a traceback: the engine would print its source lines and, worse, what they hold.
"""

import sys
import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from providers.core import kinds, ledger, loop
from providers.core.errors import ConnectionsError, StoreError
from providers.core.hardening import harden
from providers.core.links import LinkRun
from providers.core.observe import A_NEW_KEY, Observation, observe
from providers.core.operation import Operation, Outcome
from providers.core.redaction import redact
from providers.core.toolbox import Toolbox, kind_name, kind_of, owner_of, wish_of

Properties = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

UNCHECKED = "unchecked"
"""The state of a resource that could not be looked at: its last known values stand, and nothing is concluded."""

_toolbox: Toolbox | None = None
_toolbox_lock = threading.Lock()


class NotDone(Exception):  # its name is what people see before the line
    """What could not be done, as the one line that reaches people."""

    __module__ = "builtins"


def toolbox() -> Toolbox:
    """What this process shares."""
    global _toolbox  # noqa: PLW0603
    with _toolbox_lock:
        if _toolbox is None:
            _toolbox = Toolbox()
        return _toolbox


def load(name: str) -> ResourceProvider:
    """The provider of this name, in the engine's provider process. Never raises: what this version does not know loads
    as a tombstone that explains itself. This function's place is part of the engine's state and stays for ever."""
    # Only here: where the program runs, the engine's SDK needs its tracebacks.
    sys.tracebacklimit = 0
    harden()
    return _PROVIDERS[name]() if name in _PROVIDERS else Tombstone(name)


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let an error out as one redacted line, and nothing else."""

    @wraps(method)
    def cleaned(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except NotDone:
            raise
        except ConnectionsError as error:
            raise NotDone(redact(str(error))) from None
        except Exception as error:  # noqa: BLE001 - the last boundary: whatever it is, it must not print what it holds
            raise NotDone(
                f"an unexpected {type(error).__name__} in {method.__qualname__}; nothing more is shown"
            ) from None

    return cleaned


def whole(value: Any) -> Any:
    """Numbers as they were declared: the engine hands every number over as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole(inner) for key, inner in value.items() if key != "__provider"}
    if isinstance(value, list | tuple):
        return [whole(inner) for inner in value]
    return value


class Tombstone(ResourceProvider):
    """Stands for a provider that this version does not have."""

    serialize_as_secret_always = False

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[Callable[[str], ResourceProvider], tuple[str]]:
        return load, (self._name,)

    def _refuse(self) -> NotDone:
        return NotDone(f"this version has no provider {self._name!r}; use the version that made this resource")

    def create(self, props: Properties) -> CreateResult:
        """Refused."""
        raise self._refuse()

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Refused."""
        raise self._refuse()

    def delete(self, _id: str, _props: Properties) -> None:
        """Refused: nothing is forgotten that may be alive."""
        raise self._refuse()


class Provider(ResourceProvider):
    """Base of ours: stateless, found by name, with a diff that the engine makes itself."""

    name = ""
    serialize_as_secret_always = False

    def __reduce__(self) -> tuple[Callable[[str], ResourceProvider], tuple[str]]:
        return load, (self.name,)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """The engine compares the inputs itself and shows each one that differs; nothing is ever replaced."""
        return DiffResult(changes=None)


# --- credentials ---


class CredentialProvider(Provider):
    """A credential at a store."""

    name = "credential"

    @clean
    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Fill in `rotation` and `handle`, from the old inputs, the declaration and the day alone."""
        inputs, before = whole(news), whole(olds)
        inputs.pop("drift", None)
        rotation = _rotation(before, inputs, toolbox().clock().date())
        inputs["rotation"] = rotation
        inputs["handle"] = _handle(before, inputs)
        return CheckResult(inputs, [])

    @clean
    def create(self, props: Properties) -> CreateResult:
        """Bring the connection to its wish. What a killed run left is taken up, never made twice."""
        inputs = whole(props)
        return CreateResult(inputs["connection"], self._settle(inputs))

    @clean
    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        """Bring the connection to its wish, whatever was found."""
        return UpdateResult(self._settle(whole(news)))

    def _settle(self, inputs: Properties) -> Properties:
        operation = _operation(inputs)
        outcome = loop.settle(operation, wish_of(inputs, operation.clock()))
        if outcome.problems:
            raise NotDone(redact(_lines(operation.owner.connection, [str(problem) for problem in outcome.problems])))
        _say(operation.owner.connection, (*outcome.person, *outcome.waiting))
        return _outputs(inputs, operation, outcome.journal, outcome.state, (*outcome.person, *outcome.waiting))

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """Revoke every key of the connection and prove that it is dead."""
        operation = _operation(whole(props))
        outcome = loop.destroy(operation)
        _finished(operation.owner.connection, outcome)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look, and write nothing. Never raises: one resource that cannot be looked at must not end a preview."""
        inputs = _declared(whole(props))
        try:
            operation = _operation(inputs)
            seen = observe(operation, wish_of(inputs, operation.clock()))
            if seen.journal is None or seen.journal.phase == "closed":
                return ReadResult("", {})
            reasons = (*seen.person, *seen.waiting)
            outputs = _outputs(inputs, operation, seen.journal, seen.state, reasons)
        except Exception as error:  # noqa: BLE001 - see above; the words are redacted, and nothing else is shown
            return _unchecked(id_, whole(props), inputs, error)
        echoed = {**inputs, **_observed(inputs, seen)}
        return ReadResult(id_, {**outputs, **echoed}, echoed)


def _rotation(before: Properties, inputs: Properties, today: date) -> Properties:
    """How often a new secret was asked for, and since when the present one counts."""
    known = before.get("rotation") or {"number": 1, "since": today.isoformat()}
    noted = inputs.get("rotate", "")
    if before and noted and noted != before.get("rotate", ""):
        return {"number": known["number"] + 1, "since": today.isoformat()}
    age = inputs.get("rotate_after")
    due_by_age = inputs.get("rotate_by") == "up" and bool(age)
    if due_by_age and date.fromisoformat(known["since"]) + timedelta(seconds=age or 0) <= today:
        return {"number": known["number"] + 1, "since": today.isoformat()}
    return dict(known)


def _handle(before: Properties, inputs: Properties) -> Properties:
    """What links take: where the secret lies, and a number that rises exactly when a new one will be needed."""
    here = f"{inputs['vault']['mount']}/{inputs['project']}/{inputs['stack']}/{inputs['connection']}"
    # A connection that was renamed keeps its place in Vault.
    known = before.get("handle") or {"path": here, "rotation": 1}
    path, number = known["path"], known["rotation"]
    if before:
        kind = kind_of(inputs)
        fixed = [name for name in kind.fields if name not in kind.revisable]
        renewed = (
            inputs["rotation"] != before.get("rotation", inputs["rotation"])
            or any(before.get(name) != inputs.get(name) for name in fixed)
            or any(word.endswith(A_NEW_KEY) for word in before.get("drift", ()))
        )
        number += renewed
    return {"path": path, "rotation": number}


def _operation(inputs: Properties) -> Operation:
    return toolbox().operation(inputs)


_OUTPUTS = frozenset({"credential", "status", "facts", "drift"})
"""What `read` and `create` add to the inputs."""


def _declared(props: Properties) -> Properties:
    return {name: value for name, value in props.items() if name not in _OUTPUTS}


def _facts(operation: Operation) -> Properties:
    try:
        return dict(operation.issuer.facts())
    except StoreError:
        return {}


def _outputs(
    inputs: Properties, operation: Operation, journal: Any, state: str, reasons: tuple[str, ...]
) -> Properties:
    """Every output is always there: one that came and went would show as unknown in each preview."""
    current = journal.generations[journal.current] if journal is not None and journal.current is not None else None
    return {
        **inputs,
        "credential": {
            "path": f"{inputs['handle']['path']}/credential",
            "generation": journal.current if current is not None else 0,
            "fingerprint": current.fingerprint[:16] if current is not None else "",
            "key_id": current.key_id if current is not None else "",
        },
        "status": {"state": state, "reasons": list(reasons)},
        "facts": _facts(operation),
    }


def _observed(inputs: Properties, seen: Observation) -> Properties:
    """What `read` says about the inputs: the store's values, the rotation last asked for, and what is otherwise amiss."""
    values: Properties = {name: value for name, value in seen.fields.items() if name in inputs}
    asked = seen.journal.requested if seen.journal is not None else None
    if asked is not None and asked.rotation > inputs["rotation"]["number"]:
        values["rotation"] = {"number": asked.rotation, "since": asked.at.date().isoformat()}
    if seen.drift:
        values["drift"] = list(seen.drift)
    return values


def _unchecked(id_: str, props: Properties, inputs: Properties, error: Exception) -> ReadResult:
    words = redact(str(error)) if isinstance(error, ConnectionsError) else f"an unexpected {type(error).__name__}"
    _say(inputs.get("connection", id_), [f"not looked at: {words}"])
    known = {key: value for key, value in props.items() if key != "drift"}
    return ReadResult(id_, {**known, "status": {"state": UNCHECKED, "reasons": [words]}}, inputs)


def _finished(connection: str, outcome: Outcome) -> None:
    """A removal that only waits for a person does not fail here: the ledger keeps it in sight."""
    if outcome.journal is None or outcome.journal.phase == "closed":
        return
    if outcome.problems or not outcome.person:
        reasons = [*(str(problem) for problem in outcome.problems), *outcome.waiting, *outcome.person]
        raise NotDone(redact(_lines(connection, [f"not ended yet: {reason}" for reason in reasons])))
    _say(connection, outcome.person)


def _lines(connection: str, lines: list[str]) -> str:
    return "; ".join(line if line.startswith(connection) else f"{connection}: {line}" for line in lines)


def _say(connection: str, lines: tuple[str, ...] | list[str]) -> None:
    """Lines among the messages of a run: what somebody should know, and little else."""
    for line in lines:
        sys.stdout.write(f"{redact(line if line.startswith(connection) else f'{connection}: {line}')}\n")


# --- links ---


class LinkProvider(Provider):
    """A user of a credential."""

    name = "link"

    @clean
    def create(self, props: Properties) -> CreateResult:
        """Give the user the current credential and prove it there."""
        inputs = whole(props)
        return CreateResult(f"{inputs['connection']}/{inputs['link']}", self._connect(inputs))

    @clean
    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        """Give the user the present credential and prove it there."""
        return UpdateResult(self._connect(whole(news)))

    def _connect(self, inputs: Properties) -> Properties:
        run = _link_run(inputs)
        outcome = run.connect()
        if outcome.problems:
            raise NotDone(redact(_lines(run.where, [str(problem) for problem in outcome.problems])))
        _say(run.where, outcome.person)
        return _link_outputs(inputs, outcome.entry, outcome.person)

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """Clear the user and take it out of the journal."""
        run = _link_run(whole(props))
        outcome = run.disconnect()
        if outcome.problems:
            raise NotDone(redact(_lines(run.where, [str(problem) for problem in outcome.problems])))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look, and write nothing. Never raises."""
        known = whole(props)
        inputs = {key: value for key, value in known.items() if key not in {"status", "drift"}}
        try:
            run = _link_run(inputs)
            journal, _ = run.book.journal()
            entry = journal.links.get(inputs["link"]) if journal is not None else None
            if journal is None or entry is None:
                return ReadResult("", {})
            behind = entry.acknowledged != journal.current and run.link.acknowledges != "person"
            drift = [f"generation {journal.current} is not yet taken over"] if behind and journal.current else []
        except Exception as error:  # noqa: BLE001 - as for credentials
            return _unchecked(id_, known, inputs, error)
        echoed = {**inputs, **({"drift": drift} if drift else {})}
        return ReadResult(id_, {**_link_outputs(inputs, entry, ()), **echoed}, echoed)


def _link_run(inputs: Properties) -> LinkRun:
    tools = toolbox()
    return LinkRun(
        tools.link_operation(inputs), inputs["link"], kinds.link(inputs["to"]), was=inputs.get("link_was", "")
    )


def _link_outputs(inputs: Properties, entry: Any, person: tuple[str, ...]) -> Properties:
    acknowledged = entry.acknowledged if entry is not None else 0
    state = "awaiting_person" if person else "acknowledged" if acknowledged else "connecting"
    return {**inputs, "status": {"state": state, "generation": acknowledged}}


# --- the ledger ---


class LedgerProvider(Provider):
    """The stack's ledger: what Vault and the stores hold against what is declared."""

    name = "ledger"

    @clean
    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Refuse, already in the preview, what would end or renew too much at once."""
        inputs, before = whole(news), whole(olds)
        refusal = ledger.too_much(before.get("declared", {}), inputs["declared"])
        return CheckResult(inputs, [CheckFailure("declared", refusal)] if refusal else [])

    @clean
    def create(self, props: Properties) -> CreateResult:
        """End what is ours and not declared."""
        inputs = whole(props)
        return CreateResult(f"{inputs['project']}/{inputs['stack']}", self._end_strays(inputs, {}))

    @clean
    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """End what is ours and not declared."""
        return UpdateResult(self._end_strays(whole(news), whole(olds).get("declared", {})))

    def _end_strays(self, inputs: Properties, before: Mapping[str, Any]) -> Properties:
        problems = ledger.end_strays(toolbox(), inputs, before)
        if problems:
            raise NotDone(redact("; ".join(problems)))
        return _ledger_outputs(inputs, ledger.pending(toolbox(), inputs))

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """Finished only when nothing of ours is alive."""
        left = ledger.alive(toolbox(), whole(props))
        if left:
            raise NotDone(redact("not ended yet: " + "; ".join(left)))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look for what is ours and not declared. Never raises."""
        known = whole(props)
        inputs = {key: value for key, value in known.items() if key not in {"status", "drift"}}
        try:
            strays = ledger.strays(toolbox(), inputs)
            pending = ledger.pending(toolbox(), inputs)
        except Exception as error:  # noqa: BLE001 - as for credentials
            return _unchecked(id_, known, {**inputs, "connection": "ledger"}, error)
        echoed = {**inputs, **({"drift": list(strays)} if strays else {})}
        return ReadResult(id_, {**_ledger_outputs(inputs, pending), **echoed}, echoed)


def _ledger_outputs(inputs: Properties, pending: tuple[str, ...]) -> Properties:
    return {**inputs, "status": {"state": "pending" if pending else "settled", "reasons": list(pending)}}


_PROVIDERS: Mapping[str, Callable[[], ResourceProvider]] = {
    provider.name: provider for provider in (CredentialProvider, LinkProvider, LedgerProvider)
}
