"""The dynamic providers: what the engine calls, over the loops of core (design.md section 4, engine.md 16a).

They hold no state; `load` finds them by a name that stands in the engine's state. No method lets an exception of ours
cross as a traceback: the engine would print its source lines and, worse, what they hold.
"""

import atexit
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from providers.core import ledger, loop, people
from providers.core.contract import RECOGNISED, TAKEN_OVER, CredentialKind
from providers.core.errors import ConnectionsError, StoreError, VaultDenied, VaultError
from providers.core.hardening import harden
from providers.core.journal import Book, Journal, LinkEntry
from providers.core.links import LinkRun, contradicted
from providers.core.observe import A_NEW_KEY, Observation, observe
from providers.core.operation import Operation, Outcome, status_word
from providers.core.redaction import in_one_line, redact
from providers.core.standing import Standing, standing
from providers.core.toolbox import Toolbox, kind_of, user_of, wish_of, wish_of_link

Properties = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

UNCHECKED = "unchecked"
"""The state of a resource that could not be looked at: its last known values stand, and nothing is concluded."""

UNPROVED = "unproved"
"""The state of a credential whose store does not show whether it accepts it. No drift: nothing says that it is dead."""

TOOLBOX = Toolbox()
"""What this process shares. It reaches nothing before it is needed."""

_seen: set[str] = set()
"""The credentials that the engine had looked at in this process, and so knows; with the ledger's own name once that was
looked at. One process serves the refresh and the run that follows it."""

_linked: dict[str, frozenset[str]] = {}
"""The full names of the links that each journal had when the engine looked at its credential in this process."""

_renamed: set[str] = set()
"""Former names of what is declared. They stand in no state: a note about a rename may go without a change."""

_stray_links: set[str] = set()
"""Links that no declaration and no state has, as `check` of the ledger found them."""

_said: set[str] = set()
"""What need not be said again for every resource."""


class NotDone(Exception):  # its name is what people see before the line
    """What could not be done, as the one line that reaches people."""

    __module__ = "builtins"


def load(name: str) -> ResourceProvider:
    """The provider of this name, in the engine's provider process. Never raises: what this version does not know loads
    as a tombstone that explains itself. This function's place is part of the engine's state and stays for ever."""
    # Only here: where the program runs, the engine's SDK needs its tracebacks.
    sys.tracebacklimit = 0
    harden()
    # The engine ends this process politely: logins of ours end with it.
    atexit.unregister(TOOLBOX.close)
    atexit.register(TOOLBOX.close)
    return _PROVIDERS[name]() if name in _PROVIDERS else Tombstone(name)


class Caught:
    """Lets no exception out of its block and keeps it: the last boundary, where whatever it is must not print what it
    holds."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.error = error
        return isinstance(error, Exception)

    @property
    def words(self) -> str:
        """What went wrong, in one line that may be shown."""
        return in_one_line(self.error)


def clean(method: Callable[P, R]) -> Callable[P, R]:
    """Let an error out as one redacted line, and nothing else."""

    @wraps(method)
    def cleaned(*args: P.args, **kwargs: P.kwargs) -> R:
        with Caught() as caught:
            return method(*args, **kwargs)
        if isinstance(caught.error, NotDone):
            raise caught.error from None
        raise NotDone(caught.words) from None

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
        inputs, before = _lasting(whole(news), whole(olds)), whole(olds)
        inputs["rotation"] = _rotation(before, inputs, TOOLBOX.clock().date())
        inputs["handle"] = _handle(before, inputs)
        kind = kind_of(inputs)
        if before and (wider := kind.wider(_fields(kind, before), _fields(kind, inputs))):
            _say(inputs["connection"], [f"wider rights: {wider}"])
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
        operation = TOOLBOX.operation(inputs)
        try:
            outcome = loop.settle(operation, wish_of(inputs, operation.clock()))
        except ConnectionsError as error:
            raise NotDone(_placed(operation.owner.connection, error)) from None
        _say(operation.owner.connection, outcome.told)
        if outcome.problems:
            # Nobody else would tell the person, whose act may be what ends the problem.
            _say(operation.owner.connection, outcome.person)
            raise NotDone(_lines(operation.owner.connection, outcome.problems))
        reasons = (*outcome.person, *outcome.waiting)
        _say(operation.owner.connection, (*reasons, *(people.losses(operation) if outcome.person else ())))
        return _outputs(inputs, outcome.journal, outcome.state, reasons, _facts(operation, {}))

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """Revoke every key of the connection and prove that it is dead."""
        operation = TOOLBOX.operation(whole(props))
        # The engine ended the links it knows before this: what is left was begun by a run that was killed.
        try:
            ledger.unlink(TOOLBOX, whole(props), operation, operation.book.journal()[0])
            outcome = loop.destroy(operation)
        except ConnectionsError as error:
            raise NotDone(_not_ended(operation.owner.connection, [error])) from None
        _say(operation.owner.connection, outcome.told)
        _finished(operation, outcome)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look, and write nothing. Never raises: one resource that cannot be looked at must not end a preview."""
        known = whole(props)
        inputs = {name: value for name, value in known.items() if name not in _OUTPUTS}
        with Caught() as caught:
            _seen.add(inputs["connection"])
            operation = TOOLBOX.operation(inputs)
            facts = known.get("facts", {})
            try:
                seen = observe(operation, wish_of(inputs, operation.clock()))
                state, reasons = _stands(seen)
                if state == UNPROVED:
                    _say(id_, [f"not proved: {reasons[0]}"])
                facts = _facts(operation, facts)
            except VaultDenied:
                # So it is in a pull request's preview: no secret is readable, but what was decided is.
                seen = Observation(operation.book.journal()[0])
                state, reasons = UNCHECKED, _last_proof(seen.journal)
            if seen.journal is None or seen.journal.phase == "closed":
                return ReadResult("", {})
            # By its present name: the id is the first one.
            name = inputs["connection"]
            _linked[name] = frozenset(f"{name}/{link}" for link in seen.journal.links)
            echoed = {**inputs, **_observed(inputs, seen)}
            return ReadResult(id_, {**_outputs(inputs, seen.journal, state, reasons, facts), **echoed}, echoed)
        return _unchecked(id_, known, inputs, caught)


_ONCE = ("adopt", "was", "moved_from", "link_was")
"""Words of a declaration that did their work in one `up`: they stay on record, and taking the line out changes nothing."""


def _lasting(inputs: Properties, before: Properties) -> Properties:
    kept = {word: before[word] for word in _ONCE if word in before}
    return {**kept, **{word: value for word, value in inputs.items() if word != "drift"}}


def _fields(kind: CredentialKind, inputs: Properties) -> Properties:
    return {name: inputs[name] for name in kind.fields if name in inputs}


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


_OUTPUTS = frozenset({"credential", "status", "facts", "drift"})
"""What `read` and `create` add to the inputs."""


def _facts(operation: Operation, last: Properties) -> Properties:
    """What the store says of itself, or what it said last."""
    try:
        return dict(operation.issuer.facts())
    except ConnectionsError:
        return last


def _stands(seen: Observation) -> tuple[str, Sequence[str]]:
    """The state in one word, and what time, a link or a person still owes."""
    if seen.drift:
        return "due", (*seen.person, *seen.waiting)
    unproved = any(finding.check == RECOGNISED and finding.verdict == "unverifiable" for finding in seen.findings)
    state = UNPROVED if unproved else status_word(seen.journal, False, bool(seen.person))
    return state, (*seen.unverifiable, *seen.person, *seen.waiting)


def _last_proof(journal: Journal | None) -> Sequence[str]:
    """What is known without a look. Dates only: a text that changes by the hour would show in every preview."""
    words = ["not looked at: this login may read no secret"]
    if journal is not None and journal.current is not None:
        current = journal.generations[journal.current]
        proved = current.proof.at if current.proof is not None else current.times["current"]
        words.append(f"generation {journal.current} was proved on {proved:%Y-%m-%d}")
    return words


def _outputs(
    inputs: Properties, journal: Journal | None, state: str, reasons: Sequence[str], facts: Properties
) -> Properties:
    current = journal.generations[journal.current] if journal is not None and journal.current is not None else None
    return {
        **inputs,
        "credential": {
            "path": f"{inputs['handle']['path']}/credential",
            "generation": (journal.current or 0) if journal is not None else 0,
            "fingerprint": current.fingerprint[:16] if current is not None else "",
            "key_id": current.key_id if current is not None else "",
        },
        "status": {"state": state, "reasons": list(reasons)},
        "facts": facts,
    }


def _observed(inputs: Properties, seen: Observation) -> Properties:
    """What `read` says about the inputs: the store's values, the rotation last asked for, and what is otherwise amiss."""
    values: Properties = {name: value for name, value in seen.fields.items() if name in inputs}
    if seen.journal is not None:
        values["rotation"] = _rotation_asked(inputs["rotation"], seen.journal)
        current = seen.journal.generations.get(seen.journal.current or 0)
        if current is not None and current.asked and values["rotation"] != inputs["rotation"]:
            # The note of a run that was killed before the engine kept it: it has done its work.
            values["rotate"] = current.asked
    # That no store recognises a key that is gone is nothing more to know.
    renewed = any(word.endswith(A_NEW_KEY) for word in seen.drift)
    drift = [word for word in seen.drift if not (renewed and word.startswith(f"{RECOGNISED}:"))]
    return {**values, "drift": drift} if drift else values


def _rotation_asked(known: Properties, journal: Journal) -> Properties:
    """The rotation last asked for: by the declaration, by command, or in a state that was restored since."""
    asked = journal.requested
    if asked is not None and asked.rotation > max(known["number"], journal.rotation):
        return {"number": asked.rotation, "since": asked.at.date().isoformat()}
    if journal.current is not None and journal.rotation > known["number"]:
        made = journal.generations[journal.current].times["intended"]
        return {"number": journal.rotation, "since": made.date().isoformat()}
    return known


def _unchecked(id_: str, known: Properties, inputs: Properties, caught: Caught) -> ReadResult:
    """The last known values, with why nothing newer is known."""
    if isinstance(caught.error, VaultError):
        # It is the same for every resource.
        _say_once(f"not looked at: {caught.words}")
    else:
        _say(id_, [f"not looked at: {caught.words}"])
    values = {key: value for key, value in known.items() if key != "drift"}
    status = {**(known.get("status") or {}), "state": UNCHECKED, "reasons": [caught.words]}
    return ReadResult(id_, {**values, "status": status}, inputs)


def _finished(operation: Operation, outcome: Outcome) -> None:
    """A removal that only waits for a person does not fail here: the ledger keeps it in sight."""
    if outcome.journal is None or outcome.journal.phase == "closed":
        return
    connection = operation.owner.connection
    if outcome.problems or not outcome.person:
        raise NotDone(_not_ended(connection, [*outcome.problems, *outcome.waiting, *outcome.person]))
    _say(connection, (*outcome.person, *people.losses(operation)))


# --- words ---


def _not_ended(where: str, reasons: Sequence[object]) -> str:
    return _lines(where, [f"not ended yet: {str(reason).removeprefix(f'{where}: ')}" for reason in reasons])


def _placed(where: str, line: object) -> str:
    words = redact(str(line))
    return words if words.startswith(where) else f"{where}: {words}"


def _lines(where: str, lines: Sequence[object]) -> str:
    return "; ".join(_placed(where, line) for line in lines)


def _say(where: str, lines: Sequence[str]) -> None:
    """Lines among the messages of a run: what somebody should know, and little else."""
    for line in lines:
        sys.stdout.write(f"{_placed(where, line)}\n")


def _say_once(line: str) -> None:
    if line not in _said:
        _said.add(line)
        sys.stdout.write(f"{redact(line)}\n")


# --- links ---


class LinkProvider(Provider):
    """A user of a credential."""

    name = "link"

    @clean
    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """What is declared, and what was once. A hand-over in plain text is said every time."""
        inputs = _lasting(whole(news), whole(olds))
        if inputs.get("handover") == "plain":
            receiver = inputs.get("recipient") or "whoever is at the terminal"
            _say(_name(inputs), [f"handed over in plain text: who reads it on its way to {receiver} has the key"])
        return CheckResult(inputs, [])

    @clean
    def create(self, props: Properties) -> CreateResult:
        """Give the user the current credential and prove it there."""
        inputs = whole(props)
        return CreateResult(_name(inputs), self._connect(inputs))

    @clean
    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Give the user the present credential and prove it there. Another user, or another place, under the same name takes
        the place of the former, which is cleared first."""
        before, inputs = whole(olds), whole(news)
        return UpdateResult(self._connect(inputs, before))

    def _connect(self, inputs: Properties, before: Properties | None = None) -> Properties:
        run = TOOLBOX.link_run(inputs)
        journal, _ = run.book.journal()
        if journal is not None and _awaited(journal):
            return _link_outputs(inputs, None, Standing("awaiting_person"))
        known = journal.links.get(run.name) if journal is not None else None
        if before is not None and before["to"] != inputs["to"] and known is not None and not known.words:
            # Connected by a version that kept no words: only the engine knows what it was.
            self._disconnect(before)
        outcome = run.connect()
        if outcome.problems:
            raise NotDone(_lines(run.where, outcome.problems))
        _say(run.where, (*outcome.told, *outcome.person))
        self._retire_former(inputs, run)
        return _link_outputs(inputs, outcome.entry, standing(_name(inputs), outcome.entry, None, user_of(inputs)))

    @staticmethod
    def _retire_former(inputs: Properties, run: LinkRun) -> None:
        """End the generation that this link was the last to hold. What cannot be done now the next run does."""
        journal, _ = run.book.journal()
        if journal is None or run.link.acknowledges != "here" or not loop.may_retire(journal):
            return
        with Caught() as caught:
            operation = TOOLBOX.operation(_of_its_credential(inputs, run, journal))
            outcome = loop.retire(operation, wish_of_link(inputs, journal, operation.clock()))
            reasons = (*outcome.told, *outcome.problems, *outcome.waiting, *outcome.person)
            _say(operation.owner.connection, [str(reason) for reason in reasons])
        if caught.error is not None:
            _say(run.where, [f"the former generation is not ended yet: {caught.words}"])

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """Clear the user and take it out of the journal."""
        self._disconnect(whole(props))

    def _disconnect(self, inputs: Properties) -> None:
        run = TOOLBOX.link_run(inputs)
        outcome = run.disconnect()
        if outcome.problems:
            raise NotDone(_lines(run.where, outcome.problems))
        _say(run.where, outcome.told)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look, and write nothing. Never raises."""
        known = whole(props)
        inputs = {key: value for key, value in known.items() if key not in {"status", "drift"}}
        with Caught() as caught:
            _seen.add(_name(inputs))
            run = TOOLBOX.link_run(inputs, looking=True)
            journal, _ = run.book.journal()
            if journal is None or journal.phase == "closed":
                return ReadResult("", {})
            entry = journal.link(inputs["link"], run.was)
            number = journal.current
            found = ""
            try:
                number = _captured(run.book, journal) or number
                found = _shown(run, entry)
            except VaultDenied:
                # So it is in a pull request's preview: what was decided is readable, and nothing secret is.
                _say_once("links are not checked: this login may read no secret")
            except StoreError as unseen:
                # What the journal alone shows to be due is due whoever does not answer: the next run tries, and says so.
                due = standing(_name(inputs), entry, number, user_of(inputs)).drift
                if isinstance(unseen, VaultError) or not due:
                    raise
                _say(id_, [f"not looked at: {in_one_line(unseen)}"])
            stands = standing(_name(inputs), entry, number, user_of(inputs))
            drift = stands.drift or found
            echoed = {**inputs, **({"drift": [drift]} if drift else {})}
            return ReadResult(id_, {**_link_outputs(inputs, entry, stands), **echoed}, echoed)
        return _unchecked(id_, known, inputs, caught)


def _awaited(journal: Journal) -> bool:
    """Whether there is no credential yet without anybody's fault: a person is to make it, or what makes it is not there."""
    awaited = journal.intended
    if journal.current is not None or journal.phase != "open":
        return False
    return awaited is None or journal.generations[awaited].made_by == "person"


def _captured(book: Book, journal: Journal) -> int:
    """The generation that a person put in and the next run makes current, or 0."""
    number = journal.intended
    by_person = number is not None and journal.generations[number].made_by == "person"
    return number if number is not None and by_person and book.kept(number).state == "present" else 0


def _shown(run: LinkRun, entry: LinkEntry | None) -> str:
    """What a look at the consumer shows and the next run acts upon, in words; "" where it shows nothing of the kind. What
    cannot be checked is nothing of the kind."""
    if entry is None or entry.state != "linked" or not (run.looks and entry.connecting):
        return ""
    findings = run.observed(entry.connecting)
    if found := contradicted(findings):
        return "; ".join(found)
    taken_over = next((f for f in findings if f.check == TAKEN_OVER and f.verdict == "confirmed"), None)
    return f"taken over: {taken_over.evidence}" if taken_over and entry.acknowledged != entry.connecting else ""


def _of_its_credential(inputs: Properties, run: LinkRun, journal: Journal) -> Properties:
    """The inputs of the credential that a link is of, as far as its journal and the link know them."""
    hosts = inputs.get("hosts", {})
    stack = {**inputs, "private": hosts.get("private", {}), "ca_file": hosts.get("ca_file", "")}
    restored = ledger.restored(stack, run.book.owner, journal)
    return {**restored, "connection": inputs["connection"], "was": inputs.get("was", "")}


def _name(inputs: Properties) -> str:
    return f"{inputs['connection']}/{inputs['link']}"


def _link_outputs(inputs: Properties, entry: LinkEntry | None, stands: Standing) -> Properties:
    status = {"state": stands.state, "generation": entry.acknowledged if entry is not None else 0}
    return {**inputs, "status": status | ({"reasons": list(stands.reasons)} if stands.reasons else {})}


# --- the ledger ---


class LedgerProvider(Provider):
    """The stack's ledger: what Vault and the stores hold against what is declared."""

    name = "ledger"

    @clean
    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Refuse, already in the preview, what would end or renew too much at once. Name what the engine does not know."""
        inputs = whole(news)
        _renamed.update(inputs.pop("former", ()))
        before = _before(olds)
        lost = [*_lost(before, inputs), *_lost_links(inputs.pop("links", ()))]
        if lost:
            inputs["ends"] = [f"{name}: a run began it and did not finish, and it is declared no more" for name in lost]
        refusal = ledger.too_much(before, inputs["declared"])
        return CheckResult(inputs, [CheckFailure("declared", refusal)] if refusal else [])

    @clean
    def create(self, props: Properties) -> CreateResult:
        """End what is ours and not declared."""
        inputs = whole(props)
        return CreateResult(f"{inputs['project']}/{inputs['stack']}", self._end_strays(inputs, {}))

    @clean
    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """End what is ours and not declared."""
        return UpdateResult(self._end_strays(whole(news), _before(olds)))

    def _end_strays(self, inputs: Properties, before: Properties) -> Properties:
        lost = _lost(before, inputs)
        ledger.count_today(TOOLBOX, inputs, before)
        leave = (before.keys() - set(lost)) | _renamed
        ledger.refuse_mass_end(TOOLBOX, inputs, leave)
        # What cannot be ended now stays in sight as drift; every other resource waits for this one and must not.
        ended = (*ledger.end_links(TOOLBOX, inputs, sorted(_stray_links)), *ledger.end_strays(TOOLBOX, inputs, leave))
        pending = (*ended, *ledger.pending(TOOLBOX, inputs))
        _say("", pending)
        return _ledger_outputs(inputs, pending)

    @clean
    def delete(self, _id: str, props: Properties) -> None:
        """End what the engine did not know. Finished only when nothing of ours is alive."""
        inputs = {**whole(props), "declared": {}}
        problems = ledger.end_strays(TOOLBOX, inputs, leave=())
        left = (*problems, *ledger.alive(TOOLBOX, inputs))
        if left:
            raise NotDone("not ended yet: " + _lines("", left))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look for what is ours and not declared. Never raises."""
        known = whole(props)
        inputs = {key: value for key, value in known.items() if key not in {"status", "drift", "ends"}}
        with Caught() as caught:
            _seen.add(self.name)
            strays, pending = ledger.strays(TOOLBOX, inputs), ledger.pending(TOOLBOX, inputs)
            echoed = {**inputs, **({"drift": list(strays)} if strays else {})}
            return ReadResult(id_, {**_ledger_outputs(inputs, pending), **echoed}, echoed)
        return _unchecked(id_, known, inputs, caught)


def _before(olds: Properties) -> Properties:
    """What was declared so far, by names that may end: a renamed connection does not."""
    return {name: note for name, note in whole(olds).get("declared", {}).items() if name not in _renamed}


def _lost(before: Properties, inputs: Properties) -> list[str]:
    """What was declared, is no more, and is nothing that the engine will end: it was being made by a run that was killed.

    Only a run that looked first can tell.
    """
    gone = before.keys() - inputs["declared"].keys() - _seen
    return sorted(gone) if LedgerProvider.name in _seen else []


def _lost_links(declared: Sequence[str]) -> list[str]:
    """Links that journals have, nobody declares, and the engine does not know: a run that was killed began them."""
    _stray_links.clear()
    if LedgerProvider.name in _seen:
        found = {link for links in _linked.values() for link in links}
        _stray_links.update(found - set(declared) - _seen)
    return sorted(_stray_links)


def _ledger_outputs(inputs: Properties, pending: Sequence[str]) -> Properties:
    return {**inputs, "status": {"state": "pending" if pending else "settled", "reasons": list(pending)}}


_PROVIDERS: Mapping[str, Callable[[], ResourceProvider]] = {
    provider.name: provider for provider in (CredentialProvider, LinkProvider, LedgerProvider)
}
