"""What a process shares between its operations: Vault, the stores' HTTP, and operations made of a resource's inputs.

Inputs say where things are; secrets and logins come from the environment and from Vault when they are needed. One Vault
and one HTTP pool serve every resource of the process.
"""

import ipaddress
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.core import kinds, marker, people
from providers.core.address import host_of, place_of
from providers.core.contract import Clock, CredentialKind, Documents, Inbound, Issuer, Keyring, Link, LinkKind
from providers.core.courier import StackCourier
from providers.core.due import Wish
from providers.core.handover import Handover, Terms
from providers.core.http import Http, HttpSettings
from providers.core.journal import Book, Journal, LinkEntry
from providers.core.links import LinkOperation, LinkRun
from providers.core.marker import Owner
from providers.core.operation import Operation
from providers.core.redaction import Secret
from providers.core.standing import User
from providers.core.vault import Vault, VaultSettings

Inputs = Mapping[str, Any]
"""The inputs of a credential's resource, as `providers.declarations.inputs` makes them, with project and stack."""


def now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


def owner_of(inputs: Inputs) -> Owner:
    """Whose a resource is."""
    return Owner(inputs["project"], inputs["stack"], inputs["connection"])


def kind_of(inputs: Inputs) -> CredentialKind:
    """The kind of credential that inputs describe."""
    return kinds.credential(kind_name(inputs))


def link_kind_of(inputs: Inputs) -> LinkKind:
    """The kind of link that inputs describe."""
    return kinds.link(inputs["to"], inputs.get("platform", ""))


def kind_name(inputs: Inputs) -> str:
    """The name of that kind, as it stands in state and journals."""
    return f"{inputs['platform']}/{inputs['kind']}"


def wish_of(inputs: Inputs, at: datetime) -> Wish:
    """What a resource's inputs wish."""
    return Wish(
        # The engine drops what is empty: such a field is none, and taking it out is a change like any other.
        fields={name: inputs.get(name) for name in kind_of(inputs).fields},
        rotation=inputs.get("rotation", {}).get("number", 1),
        overlap=float(inputs.get("overlap", 0)),
        frozen=_frozen(inputs, at),
        adopt=inputs.get("adopt", ""),
        note=inputs.get("rotate", ""),
    )


def wish_of_link(inputs: Inputs, journal: Journal, at: datetime) -> Wish:
    """What a link's inputs say that its connection wishes: all stays as it is, and former generations may end."""
    settle = inputs.get("settle", {})
    made = journal.generations[journal.current].wished if journal.current is not None else {}
    frozen = _frozen(settle, at)
    return Wish(made, journal.rotation, overlap=float(settle.get("overlap", 0)), frozen=frozen)


def _frozen(inputs: Inputs, at: datetime) -> str:
    freeze = inputs.get("freeze") or {}
    return str(freeze.get("reason", "")) if freeze and at.date().isoformat() <= freeze["until"] else ""


@dataclass(frozen=True, slots=True)
class StoreTools:
    """What one issuer may use: the stack's HTTP, the admin login that lies under a host, and what other connections of the
    stack have published."""

    http: Http
    clock: Clock
    _login: Callable[[str, str], Mapping[str, Secret] | None]
    _credential: Callable[[str], Mapping[str, Secret] | None]

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        """The admin login for this host and path, or None."""
        return self._login(host, path)

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        """The published credential of the connection of this full name, or None."""
        return self._credential(connection)


@dataclass(frozen=True, slots=True)
class _LinkTools:
    """What one link may use."""

    _toolbox: "Toolbox"
    _inputs: Inputs
    _operation: LinkOperation | Operation
    looking: bool

    @property
    def clock(self) -> Clock:
        """The toolbox's clock."""
        return self._toolbox.clock

    def http(self, host: str) -> Http:
        """HTTP to this host."""
        hosts = self._inputs.get("hosts", {})
        return self._toolbox.http_to(host, hosts.get("ca_file", ""), hosts.get("private", {}).get(host, ()))

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        """The admin login for this host and path, from Vault."""
        return self._toolbox.vault.admin_login(self._inputs["vault"]["admins"], host, path)

    def hub(self, name: str) -> Mapping[str, Secret] | None:
        """The entry of a hub, from Vault."""
        return self._toolbox.vault.secret(self._inputs["vault"]["hubs"], name)

    def inbound(self) -> Inbound | None:
        """What came in for this link, from Vault."""
        entry = self._entry()
        values = self._operation.book.received(entry.inbound) if entry is not None and entry.inbound else None
        return Inbound(values, entry.inbound_generation) if entry is not None and values is not None else None

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        """Keep what the consumer gave, in place of what it gave before."""
        self._refuse_looking()
        entry = self._entry()
        people.receive(self._operation, self._inputs["link"], values, generation)
        if entry is not None and entry.inbound:
            self._operation.book.forget_received([entry.inbound])

    def notes(self) -> Mapping[str, str]:
        """What the journal has of them."""
        entry = self._entry()
        return entry.notes if entry is not None else {}

    def note(self, notes: Mapping[str, str]) -> None:
        """Put them into the journal."""
        self._refuse_looking()
        people.note_of_link(self._operation, self._inputs["link"], notes)

    def generation_of(self, secret: Mapping[str, Secret]) -> int | None:
        """Told by the keyed fingerprints in the journal."""
        journal, _ = self._operation.book.journal()
        fingerprint = marker.fingerprint(self._toolbox.keyring(self._inputs), self._operation.owner, secret)
        known = journal.generations if journal is not None else {}
        return next((number for number, made in sorted(known.items()) if made.fingerprint == fingerprint), None)

    def _entry(self) -> LinkEntry | None:
        journal, _ = self._operation.book.journal()
        return journal.link(self._inputs["link"], self._inputs.get("link_was", "")) if journal is not None else None

    def _refuse_looking(self) -> None:
        if self.looking:
            raise AssertionError("who only looks writes nothing")


def user_of(inputs: Inputs) -> User:
    """What a link's inputs declare of its user."""
    kind = link_kind_of(inputs)
    terms, mails = _terms(kind, inputs), bool(inputs.get("mail"))
    return User(bool(kind.what), bool(kind.inbound_fields), terms, mails, follows=bool(kind.shown))


def _terms(kind: LinkKind, inputs: Inputs) -> Terms | None:
    """How the user outside gets the values; `auto` is `sealed`, the safest. None where it reads Vault: so does a person who
    has no address."""
    how = inputs.get("handover", "auto")
    if not kind.what or not (inputs.get("recipient") or how != "auto"):
        return None
    return Terms(
        how="sealed" if how == "auto" else how,
        to=inputs.get("recipient", ""),
        key=inputs.get("recipient_key", ""),
        ttl=float(inputs["handover_ttl"]),
        what=kind.what,
        about=tuple(kind.about(inputs)),
    )


_NOT_OF_THE_LINK = frozenset(
    {"project", "stack", "connection", "was", "link", "link_was", "vault", "mail", "handle", "settle", "drift"}
    | {"status", "handover", "handover_ttl", "recipient", "recipient_key", "overlap"}
)
"""Inputs of a link that say where and how, not whom it serves: its entry in the journal keeps the others."""


class Toolbox:
    """Made once per process; thread-safe. Nothing is reached before it is needed."""

    def __init__(self, environ: Mapping[str, str] = os.environ, *, clock: Clock = now) -> None:
        self._environ = environ
        self.clock = clock
        self._lock = threading.Lock()
        self._vault: Vault | None = None
        self._https: dict[tuple[str, str, tuple[str, ...]], Http] = {}
        self._used: dict[str, CredentialKind | LinkKind] = {}

    @property
    def vault(self) -> Vault:
        """The one Vault, logged in when it is first used."""
        with self._lock:
            if self._vault is None:
                self._vault = Vault(VaultSettings.from_environment(self._environ))
            return self._vault

    def http(self, inputs: Inputs) -> Http:
        """The HTTP for a store: its own authorities and private networks, shared by all stores with the same."""
        host = host_of(kind_of(inputs).place(inputs))
        return self.http_to(host, inputs.get("ca_file", ""), inputs.get("private_networks", ()))

    def http_to(self, host: str, ca: str, private_networks: Iterable[str]) -> Http:
        """The HTTP for a host, with the authorities of a file and the private networks that it may lie in."""
        networks = tuple(private_networks)
        key = (ca, host if networks else "", networks)
        with self._lock:
            if key not in self._https:
                private = {host: tuple(ipaddress.ip_network(network) for network in networks)} if networks else {}
                ca_file = Path(key[0]) if key[0] else None
                self._https[key] = Http(HttpSettings(ca_file=ca_file, private=private))
            return self._https[key]

    def documents(self, inputs: Inputs) -> Documents:
        """The documents of the stack."""
        return self.vault.documents(inputs["vault"]["mount"], f"{inputs['project']}/{inputs['stack']}")

    def book(self, inputs: Inputs) -> Book:
        """The documents of one connection."""
        return Book(self.documents(inputs), owner_of(inputs), was=inputs.get("was", ""))

    def keyring(self, inputs: Inputs) -> Keyring:
        """The stack's keys for markers and fingerprints."""
        return self.vault.keyring(inputs["vault"]["transit"])

    def issuer(self, inputs: Inputs) -> Issuer:
        """The issuer of a credential. It does nothing yet."""
        mount = inputs["vault"]["admins"]

        def login(host: str, path: str) -> Mapping[str, Secret] | None:
            return self.vault.admin_login(mount, host, path)

        def credential(connection: str) -> Mapping[str, Secret] | None:
            book = Book(self.documents(inputs), Owner(inputs["project"], inputs["stack"], connection))
            # The journal tells where the documents of a renamed connection are.
            book.peek()
            published = book.published()
            return published.values if published.state == "live" else None

        kind = kind_of(inputs)
        with self._lock:
            self._used[kind_name(inputs)] = kind
        return kind.issuer(inputs, StoreTools(self.http(inputs), self.clock, login, credential))

    def operation(self, inputs: Inputs, *, report: Callable[[str], None] | None = None) -> Operation:
        """An operation on the connection that inputs describe.

        An entry to adopt lies under its store's address, `<adopt mount>/<host>[:port][/<path>]/<entry>`, as admin logins
        do: a declaration that names another address cannot send a hand-made key there.
        """
        mount, place = inputs["vault"]["adopt"], place_of(kind_of(inputs).place(inputs))
        given: dict[str, Any] = {} if report is None else {"report": report}
        return Operation(
            book=self.book(inputs),
            keyring=self.keyring(inputs),
            issuer=self.issuer(inputs),
            store=inputs[kind_of(inputs).identity],
            platform=kind_name(inputs),
            clock=self.clock,
            entry=lambda entry: self.vault.secret(mount, f"{place}/{entry}"),
            proof_age=kind_of(inputs).proof_age,
            revoke_adopted=bool(inputs.get("revoke_on_destroy", False)),
            inputs={word: inputs[word] for word in (*kind_of(inputs).kept, "revoke_on_destroy") if word in inputs},
            **given,
        )

    def link_operation(self, inputs: Inputs) -> LinkOperation:
        """What a link's run needs: it works on the journal, never at the store."""
        return LinkOperation(self.book(inputs), self.clock)

    def link_run(
        self,
        inputs: Inputs,
        *,
        operation: LinkOperation | Operation | None = None,
        again: str = "",
        show: Callable[[str], None] | None = None,
        looking: bool = False,
    ) -> LinkRun:
        """A run on the link that inputs describe. `again` is the reason to repeat a hand-over; `show` shows text on a
        terminal, to a person and nobody else; `looking` is for a run that writes nothing."""
        kind = link_kind_of(inputs)
        with self._lock:
            self._used[f"{inputs.get('platform', '')} to {inputs['to']}"] = kind
        operation = operation or self.link_operation(inputs)
        # Also where nothing is to be handed over: what once was is voided at the end.
        handover = Handover(_terms(kind, inputs), self.courier(inputs, show), self.clock, again) if kind.what else None

        def make(words: Inputs) -> Link:
            made = {**inputs, **words}
            return link_kind_of(made).link(made, _LinkTools(self, made, operation, looking))

        return LinkRun(
            operation,
            inputs["link"],
            make({}),
            was=inputs.get("link_was", ""),
            handover=handover,
            answers=bool(kind.inbound_fields),
            looks=kind.looks,
            words={word: value for word, value in inputs.items() if word not in _NOT_OF_THE_LINK},
            given=kind.given,
            make=make,
        )

    def courier(self, inputs: Inputs, show: Callable[[str], None] | None = None) -> StackCourier:
        """What carries the hand-overs of the stack."""
        ca_file = inputs.get("hosts", {}).get("ca_file", "")
        hubs = inputs["vault"].get("hubs", "")
        return StackCourier(self.vault, hubs, inputs.get("mail"), ca_file, self.clock, show)

    def close(self) -> None:
        """Log out everywhere, and end every connection and login of this process."""
        with self._lock:
            # The kinds first: to log out, they need the connections.
            for kind in self._used.values():
                kind.close()
            self._used.clear()
            for http in self._https.values():
                http.close()
            self._https.clear()
            if self._vault is not None:
                self._vault.close()
                self._vault = None
