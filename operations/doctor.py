"""`connections doctor`: what stands between us and Vault, the engine, the mail server and every store, with the cure.

Changes nothing.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from operations.results import Block, words
from operations.screen import table
from operations.session import Session
from providers.core.courier import StackCourier
from providers.core.errors import ConnectionsError, CouldNotLook, VaultDenied
from providers.core.hardening import child_environment
from providers.core.policies import ROLES
from providers.core.redaction import Secret
from providers.core.toolbox import user_of
from providers.declarations import Store
from providers.inputs import consumer_inputs

State = Literal["ok", "failed", "unknown"]

ENGINE_WITHIN = 30.0
"""Seconds the engine may take to say its version."""

WRAPPED_FOR = 60
"""Seconds for which the token of a check would open, were it not voided at once."""

BACKEND_VARIABLE = "PULUMI_BACKEND_URL"

DIAGNOSIS = "providers.{}.diagnosis"
"""The module of a platform that knows its stores' troubles: `diagnose(issuer)` gives name, state, words and cure of each."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `where` is vault, engine, hand-over or a store's name."""

    where: str
    check: str
    state: State
    words: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was looked at."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """1 where anything failed."""
        return 1 if any(check.state == "failed" for check in self.checks) else 0

    def shown(self) -> Iterable[Block]:
        """A row for each check."""
        rows = [(entry.where, entry.check, entry.state, entry.words, words(entry.cure)) for entry in self.checks]
        yield from table(("where", "check", "state", "found", "cure"), rows)
        failed = sum(entry.state == "failed" for entry in self.checks)
        unknown = sum(entry.state == "unknown" for entry in self.checks)
        yield f"{len(self.checks)} checks: {failed} failed, {unknown} unknown"


def doctor(session: Session, stores: Sequence[str]) -> Diagnosis:
    """Vault and the engine, then the stores that are named, or all."""
    chosen = session.stores(stores)
    found = [*_vault(session), *_engine()]
    # Without Vault there are no logins: the stores would only say so again.
    usable = not any(entry.state == "failed" for entry in found if entry.where == "vault")
    if usable:
        found += _hand_overs(session)
        asked = session.each("asking stores", chosen, lambda store: _store(session, store))
        found += (check for checks in asked for check in checks)
    else:
        found += (Check(store.name, "store", "unknown", "not looked: see vault") for store in chosen)
    return Diagnosis(tuple(found))


# --- Vault ---


def _vault(session: Session) -> Iterator[Check]:
    """Each check rests on those before it: the first that fails is the last that is made."""
    settings = session.stack.settings.vault
    inputs: dict[str, Any] = {
        "project": session.project,
        "stack": session.stack.name,
        "vault": settings.model_dump(mode="json"),
    }
    steps: Sequence[tuple[str, Callable[[], str]]] = (
        ("settings", lambda: f"VAULT_ADDR names {session.toolbox.vault.settings.host}"),
        ("health", lambda: _health(session)),
        ("login", lambda: _login(session)),
        ("sentinel", lambda: _sentinel(session, inputs)),
        ("marker key", lambda: _key(session, inputs, "marker")),
        ("fingerprint key", lambda: _key(session, inputs, "fingerprint")),
    )
    for name, look in steps:
        try:
            yield Check("vault", name, "ok", look())
        except ConnectionsError as error:
            yield Check("vault", name, "failed", error.what, error.do)
            return


def _health(session: Session) -> str:
    health = session.toolbox.vault.health()
    if not health.usable:
        raise ConnectionsError(health.words)
    return f"{health.words}, version {health.version}"


def _login(session: Session) -> str:
    who = session.toolbox.vault.whoami()
    ours = f"{session.project}-{session.stack.name}-"
    roles = [role for role in ROLES if f"{ours}{role}" in who.policies]
    lasts = "it never ends" if who.ends_in is None else f"it ends in {who.ends_in // 60} min"
    known = f"role {', '.join(roles)}" if roles else f"policies {', '.join(who.policies)}, none of {ours}*"
    return f"{who.name or 'a token'} with {known}; {lasts}"


def _sentinel(session: Session, inputs: dict[str, Any]) -> str:
    documents = session.toolbox.documents(inputs)
    documents.read("_doctor")  # never written: only the sentinel tells that it is absent
    return f"the stack's place is {inputs['vault']['mount']}/{session.project}/{session.stack.name}"


def _key(session: Session, inputs: dict[str, Any], name: Literal["marker", "fingerprint"]) -> str:
    session.toolbox.keyring(inputs).mac(name, ["doctor"])
    return f"{inputs['vault']['transit']}/hmac/connections-{name} makes digests"


# --- what hand-overs take ---


def _hand_overs(session: Session) -> Iterator[Check]:
    """Where the stack hands something over: a token that nobody gets, voided at once, and the mail server's login."""
    handed = [
        inputs
        for connection in session.stack.connections
        for link in connection.links
        if user_of(inputs := consumer_inputs(session.project, session.stack, connection, link)).terms is not None
    ]
    if not handed:
        return
    courier = session.toolbox.courier(handed[0])
    yield _asked("wrapping", lambda: _wrapping(courier))
    if courier.mails:
        yield _asked("mail server", courier.greet)
    else:
        words = "the stack has none: what is handed over is shown on a terminal"
        yield Check("hand-over", "mail server", "unknown", words, "Declare hubs.mail in _stack.yaml")


def _wrapping(courier: StackCourier) -> str:
    wrapped = courier.wrap({"doctor": Secret("nothing")}, WRAPPED_FOR)
    courier.void(wrapped.accessor)
    return "Vault puts values behind a single-use token, and voids it"


def _asked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check("hand-over", name, "ok", look())
    except VaultDenied as error:
        # Only what hands over may: other logins need it not.
        return Check("hand-over", name, "unknown", error.what, "Look with a login of the role apply")
    except ConnectionsError as error:
        state: State = "unknown" if isinstance(error, CouldNotLook) else "failed"
        return Check("hand-over", name, state, error.what, error.do)


# --- the engine ---


def _engine() -> Iterator[Check]:
    yield _engine_version()
    backend = os.environ.get(BACKEND_VARIABLE, "")
    if not backend:
        line = f"{BACKEND_VARIABLE} is not set: the engine takes whatever it was last logged in to"
        yield Check("engine", "backend", "unknown", line, f"Set {BACKEND_VARIABLE} to the stack's backend")
    elif backend.startswith("file:"):
        yield Check("engine", "backend", "ok", "state lies on this machine: fine for one person alone")
    else:
        yield Check("engine", "backend", "ok", f"state lies at {backend.partition('?')[0]}")


def _engine_version() -> Check:
    wanted = importlib.metadata.version("pulumi")
    try:
        done = subprocess.run(
            ["pulumi", "version"],
            env=child_environment({"PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK"}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENGINE_WITHIN,
            check=False,
        )
        found = done.stdout.strip().removeprefix("v")
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    if not found:
        return Check(
            "engine", "version", "failed", "`pulumi version` says nothing", "Run script/bootstrap, or set PATH"
        )
    line = f"the engine is {found}, its Python SDK {wanted}"
    if found.partition(".")[0] != wanted.partition(".")[0]:
        return Check("engine", "version", "failed", line, "Run script/bootstrap: it builds an engine that fits")
    return Check("engine", "version", "ok", line)


# --- stores ---


def _store(session: Session, store: Store) -> list[Check]:
    """What the platform's own diagnosis says."""
    name = DIAGNOSIS.format(store.platform)
    if importlib.util.find_spec(name) is None:
        return [Check(store.name, "store", "unknown", f"the platform {store.platform} has no diagnosis")]
    try:
        found = importlib.import_module(name).diagnose(session.toolbox.issuer(session.store_inputs(store)))
    except ConnectionsError as error:
        state: State = "unknown" if isinstance(error, CouldNotLook) else "failed"
        return [Check(store.name, "store", state, error.what, error.do)]
    return [Check(store.name, entry.name, entry.state, entry.words, entry.cure) for entry in found]
