"""`connections verify`: what each key can do, asked of its store now, both ways; changes nothing anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from operations.results import Block, words, worst
from operations.screen import table
from operations.session import Session
from operations.work import Failure, wish
from providers.core import people
from providers.core.contract import RECOGNISED, Finding
from providers.core.due import differing
from providers.core.errors import ConnectionsError
from providers.core.observe import observe
from providers.declarations import Connection


@dataclass(frozen=True, slots=True)
class Verified:
    """The proof of one connection. `drift` is what else is not as declared; `problem` why it could not be looked at."""

    name: str
    generation: int
    findings: tuple[Finding, ...]
    drift: tuple[str, ...]
    problem: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of every connection that was asked for."""

    stack: str
    connections: tuple[Verified, ...]

    @property
    def exit_code(self) -> int:
        """2 where anything is contradicted, 3 where something could not be looked at."""
        return worst(entry.exit_code for entry in self.connections)

    def shown(self) -> Iterable[Block]:
        """A row for each check, and how many connections are as declared."""
        rows: list[tuple[str, ...]] = [
            (entry.name, finding.check, finding.verdict, finding.evidence)
            for entry in self.connections
            for finding in entry.findings
        ]
        rows += [(entry.name, "as declared", "contradicted", why) for entry in self.connections for why in entry.drift]
        rows += [(entry.name, "-", "unchecked", entry.problem) for entry in self.connections if entry.problem]
        yield from table(("connection", "check", "verdict", "evidence"), rows)
        yield ""
        good = sum(entry.exit_code == 0 for entry in self.connections)
        yield f"{self.stack}: {good} of {len(self.connections)} connections are exactly as declared"


def verify(session: Session, scope: str) -> Proof:
    """Prove the connections of a scope."""
    chosen = session.selected(scope)
    found = session.each("proving", chosen, lambda connection: _verified(session, connection))
    return Proof(session.stack.name, tuple(found))


def _verified(session: Session, connection: Connection) -> Verified:
    try:
        wished = wish(session, connection)
        operation = session.operation(connection)
        # Whoever asks for a proof gets one of now, and the next previews go by it.
        seen = observe(replace(operation, proof_age=0.0), wished)
        if operation.proof_age and seen.journal is not None and seen.journal.current is not None:
            people.note_proof(operation, seen.journal.current, wished.fields, seen.findings)
    except ConnectionsError as error:
        failure = Failure.of(error)
        return Verified(connection.name, 0, (), (), failure.words, failure.exit_code)
    if seen.journal is None or seen.journal.current is None:
        why = "; ".join((*seen.person, *seen.waiting)) or "nothing was made yet; `pulumi up` makes it"
        return Verified(connection.name, 0, (), (), why, 4 if seen.person else 2)
    declared = {name: wished.fields[name] for name in seen.fields if name in wished.fields}
    told = {f"{finding.check}: {finding.evidence}" for finding in seen.findings}
    drift = tuple(
        f"{name} is {words(seen.fields[name])} at the store, {words(declared[name])} in the file"
        for name in differing(declared, seen.fields)
    ) + tuple(line for line in seen.drift if line not in told)
    recognised = any(f.check == RECOGNISED and f.verdict != "unverifiable" for f in seen.findings)
    wrong = drift or any(finding.verdict == "contradicted" for finding in seen.findings)
    problem = "" if recognised or wrong else "; ".join(seen.waiting) or "the store did not say whether it knows the key"
    code = 2 if wrong else 0 if recognised else 3
    return Verified(connection.name, seen.journal.current, tuple(seen.findings), drift, problem, code)
