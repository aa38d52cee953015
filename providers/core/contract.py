"""What a platform implements: an Issuer for a credential, a Link for a consumer, and the values they pass.

Two small contracts (design.md section 3). Everything else, the diff, the journal, Vault, retries, rails, redaction and
Pulumi, is core's. No response body travels in these values, and a secret only as `Secret`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task

if TYPE_CHECKING:
    from providers.core.http import Http

Clock = Callable[[], datetime]
"""The present time with its zone."""

Fields = Mapping[str, Any]
"""Declared fields of a credential as the store keeps them: JSON values in the vendor's words, by declared name."""

Verdict = Literal["confirmed", "contradicted", "unverifiable"]
"""What a live check showed. `unverifiable` concludes nothing and is never drift."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do with a kind of credential.

    `made_by` and `revoked_by` say who acts; `revisable` names the fields that change in place; `lists` is whether every
    credential of the store can be listed completely; `settle` is how many seconds a lost request may still commit;
    `relabels` is whether `revise` can put our marker on a key that lacks it; `lifetime` names the declared field with the
    seconds after which a credential ends by itself, counted from the decision to make it, empty where it never does.
    `residual` is whether a revoked credential stays in the list as something that opens nothing: it is named, and left
    alone. `lingers` says in words what goes on working for a while after a revoke, empty where nothing does.
    """

    made_by: Literal["api", "form", "person"]
    revoked_by: Literal["store", "person"]
    revisable: frozenset[str]
    lists: bool
    settle: float
    relabels: bool = False
    lifetime: str = ""
    residual: bool = False
    lingers: str = ""


@dataclass(frozen=True, slots=True)
class StoreKey:
    """One credential as its store shows it, never with its secret.

    `label` is the whole text that may carry our marker; `tail` the visible end of the key, to compare with the stored
    one; `fields` the observed values under the declared names (rights, user, ...; empty where only listed, and without
    what the store does not show, which then counts as it was made); `facts` are for people (last use, owner's name).
    """

    key_id: str
    label: str
    tail: str
    fields: Fields = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selector:
    """Which keys `find` returns: the label contains `text`, or the id is in `key_ids`.

    An empty `text` selects every key of the store. `details` asks for `fields`, which may cost a call per key; nobody needs
    those of the ids in `plain`.
    """

    text: str
    key_ids: frozenset[str] = frozenset()
    details: bool = True
    plain: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Order:
    """What to make: the declared fields and the marker that must stand in the new key's label.

    `decided` is when it was decided to make it; from then counts the life of what ends by itself, however late the request
    is sent. A change in place has none.
    """

    fields: Fields
    marker: str
    decided: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential just made. `secret` holds the platform's fixed field names, secret values only."""

    key_id: str
    secret: Mapping[str, Secret]


RECOGNISED = "recognised"
"""The check that tells whether a store accepts the credential at all."""

LASTS = "lasts"
"""The check that tells whether a credential lives long enough to wait for its regular replacement. Contradicted, it is no
fault of the credential: its evidence says when it ends, and another one is due before that."""

TAKEN_OVER = "taken over"
"""The check of a link that, confirmed, proves that its user works with this generation, where else a person must say so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One live check: what was looked at, what it showed, and the evidence in words without any secret.

    Two checks are special. `RECOGNISED`, contradicted, says that the credential is not accepted at all; `LASTS`, that it
    soon ends by itself. `pins` is the id by which the store knows the place that the credential opens, where it tells one
    that never changes: what the first proof saw, every later one must see.
    """

    check: str
    verdict: Verdict
    evidence: str
    pins: str = ""


Life = Literal["accepted", "refused", "unknown"]
"""What a store says to a credential right now; `unknown` whenever the answer could have another cause."""


class Issuer(Protocol):
    """Makes, lists, changes, proves and revokes one kind of credential at one store.

    Every method raises only errors of `providers.core.errors`; one that changes something raises `UnclearOutcome` when
    its reply was lost. Nothing is retried that is not safe to repeat. Thread-safe.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """Every selected key of the store, completely listed, or an error: never a part of the list.

        `fresh=False` allows a listing that another look of this process made a moment ago.
        """
        ...

    def ready(self) -> str:
        """What `issue` still waits for without anybody's fault, in words; empty where it can be asked. Raises what is in its
        way. Called before anything is decided; changes nothing."""
        ...

    def issue(self, order: Order) -> Issued:
        """Make one credential. A refusal that changed nothing is `Rejected`."""
        ...

    def revise(self, key_id: str, order: Order) -> None:
        """Bring what can change in place to `order`; the caller reads back."""
        ...

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """End the credential. Ending one that is already gone is no error; the caller reads back.

        `secret` is the credential itself, where it is known: some stores end by nothing else, and one that was adopted where
        no list shows it has no id (an empty `key_id`).
        """
        ...

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """Live proof, both ways, that the credential can do what `fields` declare and no more. Changes nothing."""
        ...

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """The visible end of this credential, as the store shows it beside the key."""
        ...

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """One cheap live call with the credential: is it accepted?"""
        ...

    def control(self) -> Finding:
        """Positive control: that this store, right now, would tell a good credential from a bad one."""
        ...

    def public(self) -> Mapping[str, str]:
        """What a direct reader needs beside the secret, under fixed names (the store's address). No calls, no secrets."""
        ...

    def facts(self) -> Mapping[str, str]:
        """Facts of the store worth showing (version, address); stable from run to run."""
        ...

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """What vanishes with this credential when it is deleted, in words, as its store tells now; empty where nothing."""
        ...

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """What a person does at the store to make the credential of this number, or to delete it. No calls, no secrets."""
        ...


class Link(Protocol):
    """One user of a credential at one consumer.

    Every method raises only errors of `providers.core.errors`, and `PersonNeeded` where only a person can go on. `secret`
    holds the values of the generation together with what is published beside them (the store's address).
    """

    @property
    def place(self) -> str:
        """The identity of the slot this link fills at its consumer, empty for none; two links on one place exclude each
        other. Another place is another user: the former one is cleared."""
        ...

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """Who says that the new credential is in use: this link's proof, the passing of time, or a person."""
        ...

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Proof, before anything is given, that this credential serves its user. What is contradicted is never given.
        Does not touch the consumer."""
        ...

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Give the consumer this credential. Repeating it does no harm. `PersonNeeded` while a person must go on."""
        ...

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Proof through the consumer that it works with this credential."""
        ...

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """What the consumer shows of this generation, which it was given, changing nothing anywhere. What is contradicted is
        drift, and the next run gives it once more; `TAKEN_OVER`, confirmed, says that it has come to work with it."""
        ...

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Clear the place at the consumer; what is left for a person to do there, in words. Repeating it does no harm.
        `secret` is the generation it was given, empty where that is destroyed."""
        ...


@dataclass(frozen=True, slots=True)
class Inbound:
    """What a consumer's vendor gave in return, as fixed field names, and the generation it answers (0: unknown)."""

    values: Mapping[str, Secret]
    generation: int


class LinkTools(Protocol):
    """What core lends to a link for as long as an operation lasts."""

    @property
    def clock(self) -> Clock:
        """The present time."""
        ...

    @property
    def looking(self) -> bool:
        """Whether this operation only looks: nothing may be written anywhere then."""
        ...

    def http(self, host: str) -> "Http":
        """HTTP to this host, with what `_stack.yaml` says about it."""
        ...

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        """The admin login that lies in Vault under this host and path (no slash at either end), or None."""
        ...

    def hub(self, name: str) -> Mapping[str, Secret] | None:
        """The entry of this hub in Vault (`<hubs>/<name>`), or None."""
        ...

    def inbound(self) -> Inbound | None:
        """What the vendor gave in return, or None until it did."""
        ...

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        """Keep in Vault what the consumer gave for this generation, such as a link that only a person may follow. It takes
        the place of what was kept before, and is destroyed with the link."""
        ...

    def notes(self) -> Mapping[str, str]:
        """What the link noted about its consumer: short texts, no secret (the id of an account)."""
        ...

    def note(self, notes: Mapping[str, str]) -> None:
        """Add to the notes; an empty text takes one out."""
        ...

    def generation_of(self, secret: Mapping[str, Secret]) -> int | None:
        """Which generation of the connection has exactly these values, whatever became of it; None for none of them."""
        ...


def _nothing_about(_inputs: Mapping[str, Any]) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class LinkKind:
    """One kind of consumer, as its folder offers it to core.

    `link` makes the link from its inputs and does no I/O itself. `what` names it in a hand-over's subject, empty where
    nothing is ever handed over; `about` gives the lines on top of that message. `inbound_fields` are the values that its
    vendor gives in return, and `parse` reads them from a text; without it, lines of `name=value` are read. `looks` tells
    whether `observe` can show anything. `shown` are the fields of what it keeps that a person is shown on a terminal, with
    the credential's values, to go on by hand; while a generation waits for that, its person is awaited. `given` are inputs
    that a person gets with the values: where one changes, all is handed over once more. `close` ends what the kind keeps
    between operations of the process, and may be called more than once.
    """

    link: Callable[[Mapping[str, Any], LinkTools], Link]
    what: str = ""
    about: Callable[[Mapping[str, Any]], Sequence[str]] = _nothing_about
    inbound_fields: tuple[str, ...] = ()
    parse: Callable[[bytes], Mapping[str, Secret]] | None = None
    looks: bool = True
    shown: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None


DocumentState = Literal["absent", "present", "destroyed"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document of Vault: `version` is the number to write against (0: never written); `written` is when the version
    that was read came into being, by Vault's own clock."""

    state: DocumentState
    version: int
    data: Mapping[str, Any] = field(default_factory=dict)
    written: datetime | None = field(default=None, compare=False)


class Documents(Protocol):
    """The KV documents of one stack; `path` is relative to the stack's base path, and validated segment by segment.

    "absent" is only ever answered when the stack's sentinel could be read through the same mount.
    """

    def read(self, path: str, *, version: int | None = None) -> Document:
        """The latest (or the given) version, from the active node."""
        ...

    def write(self, path: str, data: Mapping[str, Any], *, cas: int) -> int:
        """Write against a version; the new version. `VaultConflict` if another write came first, `VaultUnclear` if the
        reply was lost: the caller reads back."""
        ...

    def destroy(self, path: str, versions: Sequence[int]) -> None:
        """Destroy the data of these versions for ever; metadata stays."""
        ...

    def list(self, path: str) -> Sequence[str]:
        """Names below a path; folders end in `/`. Empty where there are none."""
        ...


class Keyring(Protocol):
    """Keyed digests by keys that cannot leave Vault."""

    def mac(self, key: Literal["marker", "fingerprint"], texts: Sequence[str]) -> Sequence[str]:
        """One digest per text, as lower-case hex, in one call."""
        ...


class Tools(Protocol):
    """What core lends to a platform for as long as an operation lasts."""

    @property
    def http(self) -> "Http":
        """The one place that builds clients: TLS, no redirects, the address guard, retries."""
        ...

    @property
    def clock(self) -> Clock:
        """The present time."""
        ...

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        """The admin login that lies in Vault under this host and path (no slash at either end), or None.

        Its fields are the platform's; a person's login has `username` and `password`.
        """
        ...

    def credential(self, connection: str) -> Mapping[str, Secret] | None:
        """The published credential of another connection of this stack, by its full name, or None where none is live."""
        ...


@dataclass(frozen=True, slots=True)
class CredentialKind:
    """One kind of credential of a platform, as its folder offers it to core.

    `identity` is the input that tells which store it is (`url`, ...); `address` gives the URL that its calls go to where
    that is another than the identity: under it lie logins and entries to adopt, and `_stack.yaml` opens private networks
    for its host; `fields` are the declared fields that belong to the
    credential, and what `Order.fields` and `StoreKey.fields` carry; `revisable` those that change in place;
    `secret_fields` are the fixed names of the `credential` document; `issuer` makes the issuer from all inputs (the
    store's address and settings among them) and does no I/O itself; `kept` are further inputs that its issuer
    needs, which the journal keeps; `close` ends what the kind keeps between operations
    of the process, such as admin sessions, and may be called more than once; `wider` says in words what other fields
    permit that the former ones did not, empty where nothing; `parse` reads what a person gives, with the inputs, where
    lines of `name=value` are not all; `proof_age` is for how many seconds a preview may go by an earlier proof; `needs`
    names the input that says by which other connection of the same store the issuer works, empty where by none: that one is
    made before this one and ended after it.
    """

    name: str
    identity: str
    fields: tuple[str, ...]
    revisable: frozenset[str]
    secret_fields: tuple[str, ...]
    issuer: Callable[[Mapping[str, Any], Tools], Issuer]
    close: Callable[[], None] = lambda: None
    kept: tuple[str, ...] = ()
    wider: Callable[[Fields, Fields], str] = lambda before, after: ""
    address: Callable[[Mapping[str, Any]], str] | None = None
    parse: Callable[[bytes, Mapping[str, Any]], Mapping[str, Secret]] | None = None
    proof_age: float = 0.0
    needs: str = ""

    def place(self, inputs: Mapping[str, Any]) -> str:
        """The URL that calls for a credential with these inputs go to."""
        found: str = self.address(inputs) if self.address is not None else inputs[self.identity]
        return found
