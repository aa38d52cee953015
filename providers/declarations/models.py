"""What may stand in a declared file: typed, frozen models that know no platform (declarations.md sections 1 to 3).

A platform adds its own words by subclassing `StoreWords` and `ConnectionWords`. Docstrings under fields are what
editors show. A word that was not written is absent from `model_fields_set`; where its value then comes from, `load` decides.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from providers.declarations.values import (
    Age,
    Count,
    Day,
    Endpoint,
    Flag,
    Host,
    Line,
    Mail,
    Name,
    Networks,
    Port,
    PublicKey,
    Recipient,
    RelativeFile,
    Seconds,
    Segment,
    VaultPath,
    Word,
    recipient,
    text,
)

Handover = Literal["auto", "sealed", "person", "plain"]
Risk = Literal["irrevocable", "plain_handover", "adopt_foreign"]
Permit = Literal["irrevocable", "plain_handover", "adopt_foreign", "verify_full"]


class Declared(BaseModel):
    """Base of everything declared: unknown words are refused, values do not change, errors show no input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class Freeze(Declared):
    """No change until a day, save for a compromised key."""

    until: Day
    """The last day of the freeze, such as `2026-11-20`."""
    reason: Line
    """Why, for those who meet it."""


class Shared(Declared):
    """Words that may stand at a connection, at its store, and under `defaults` in `_stack.yaml`; the nearest wins."""

    ask: Mail | None = None
    """Who does the steps that a person must do. Gets the sheet, never a secret."""
    rotate_after: Age = None
    """The age at which a credential is replaced: `90d`, or `never`."""
    overlap: Seconds | None = None
    """How long the former credential goes on working for those who read it in Vault: `24h`."""
    handover: Handover | None = None
    """How a person gets a credential; `plain` must be permitted in `_stack.yaml` and accepted."""
    handover_ttl: Seconds | None = None
    """How long a hand-over can be opened: `72h`."""
    verify: Literal["read", "full"] | None = None
    """How far a proof goes; `full` sends write probes and must be permitted in `_stack.yaml`."""
    freeze: Freeze | None = None
    """No change until a day, save for a compromised key."""


# --- stores, connections, links ---------------------------------------------------------------------------------------


class StoreWords(Shared):
    """One place that issues credentials. A platform adds its identity (`url`, `store_hash`, ...)."""

    platform: Name
    """The platform of this store."""
    title: Line | None = None
    """What people read, at the hubs too."""
    team: Name | None = None
    """The team that answers for it, from `teams` in `_stack.yaml`."""
    moved_from: Line | None = None
    """The former address, after the store has moved."""
    was: Name | None = None
    """The former name of this store, after its file was renamed."""
    connections: dict[Name, Any]
    """The credentials of this store, by name."""


class ConnectionWords(Shared):
    """One credential and everybody who uses it. A platform adds its rights and other words."""

    credential: Word | None = None
    """The kind of credential, where the platform has several."""
    purpose: Line
    """What this is for; also the reason for write rights."""
    team: Name | None = None
    """The team that answers for it, where it is not the store's."""
    adopt: Segment | None = None
    """The entry in Vault, under the adopt mount and the store's address, that holds the credential to take over."""
    revoke_on_destroy: Flag = False
    """Whether a destroy revokes an adopted credential even where it never got our marker, and does not only forget it.

    On WooCommerce adoption puts our marker on the key, so a destroy revokes it whatever stands here."""
    rotate: Line | None = None
    """The reason for one rotation: a new text replaces the credential once."""
    was: Name | None = None
    """The former name of this connection."""
    accept: dict[Risk, Line] = Field(default_factory=dict)
    """Risks taken, each with the reason; only such as `_stack.yaml` permits."""
    links: dict[Name, Any]
    """Who uses the credential, by name."""


class LinkWords(Declared):
    """One user of a credential."""

    to: Name | None = None
    """The consumer, where it is not the link's name."""
    was: Name | None = None
    """The former name of this link."""


class VaultLink(LinkWords):
    """Somebody who reads the `credential` document in Vault."""

    overlap: Seconds | None = None
    """How long the former credential goes on working: `24h`."""


class HandoverLink(LinkWords):
    """Somebody outside who gets the credential handed over."""

    handover: Handover | None = None
    """How: `plain` must be permitted in `_stack.yaml` and accepted."""
    handover_ttl: Seconds | None = None
    """How long the hand-over can be opened: `72h`."""
    recipient: Mail | None = None
    """To whom a sealed hand-over goes; one of `recipients` in `_stack.yaml`."""


class PersonLink(HandoverLink):
    """A person outside who gets the credential handed over."""


EVERYWHERE: dict[str, type[LinkWords]] = {"vault": VaultLink, "person": PersonLink}
"""Consumers that every kind of credential has."""


# --- _stack.yaml ------------------------------------------------------------------------------------------------------


def _format(value: object) -> int:
    if text(value) != "1":
        raise ValueError("this version reads format 1")
    return 1


class VaultPlaces(Declared):
    """Where things lie in Vault."""

    mount: VaultPath
    """The mount of the KV version 2 engine."""
    admins: VaultPath = "admins"
    """Admin logins, under the host they are for."""
    hubs: VaultPath = "hubs"
    """Keys of hubs."""
    adopt: VaultPath = "adopt"
    """Hand-made credentials to take over."""
    transit: VaultPath = "transit"
    """The mount of the transit engine that holds the marker and fingerprint keys."""


class Rotation(Declared):
    """When age replaces credentials."""

    by: Literal["schedule", "up"] = "schedule"
    """`schedule`: only `connections rotate` does, run by a schedule; `up`: every `up` does."""
    spread: Seconds | None = None
    """Over how long rotations due together are spread: `14d`."""
    at_most: Count | None = None
    """How many credentials one run replaces for their age."""


class Team(Declared):
    """A team that answers for stores."""

    mail: Mail
    """Where it is reached."""


class MailHub(Declared):
    """The server that sends hand-overs and sheets."""

    server: Host
    """Its host name."""
    port: Port | None = None
    """Where it listens, if not at 587, or at 465 for `tls`."""
    security: Literal["starttls", "tls"] = "starttls"
    """How TLS begins; without it nothing is sent."""
    sender: Mail = Field(alias="from")
    """The sender's address."""


class Hubs(Declared):
    """Hubs that all stores share."""

    mail: MailHub | None = None
    """The mail server."""


class Hosts(Declared):
    """Exceptions of the address guard."""

    private: dict[Host, Networks] = Field(default_factory=dict)
    """Hosts that may lie in private networks, each with the networks allowed."""
    ca_file: RelativeFile | None = None
    """Certificate authorities trusted besides the public ones, as a file inside the project."""


class Receiver(Declared):
    """To whom a hand-over may go."""

    mail: Recipient
    """A mail address, or all of a domain as `*@agency.example`."""
    key: PublicKey | None = None
    """The receiver's public key of age, for one who cannot reach Vault: `age1...`."""


def _receiver(value: object, whole: ValidatorFunctionWrapHandler) -> Receiver:
    """A receiver who is only an address may be written as that address."""
    if isinstance(value, str):
        return Receiver(mail=recipient(value))
    receiver: Receiver = whole(value)
    return receiver


def _once_each(receivers: tuple[Receiver, ...]) -> tuple[Receiver, ...]:
    """Of two entries for one address nobody could say whose key is meant."""
    mails = [receiver.mail.lower() for receiver in receivers]
    twice = next((receiver.mail for receiver in receivers if mails.count(receiver.mail.lower()) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} stands here twice; write one entry, with its key if there is one")
    return receivers


Receivers = Annotated[
    tuple[Annotated[Receiver, WrapValidator(_receiver, json_schema_input_type=Recipient | Receiver)], ...],
    AfterValidator(_once_each),
]


class Settings(Declared):
    """What a whole stack shares; owned by the security people."""

    format: Annotated[int, PlainValidator(_format), WithJsonSchema({"const": 1})]
    """The version of these files: 1."""
    vault: VaultPlaces
    defaults: Shared = Field(default_factory=Shared)
    """Values for whatever no store, connection or link writes."""
    rotation: Rotation = Field(default_factory=Rotation)
    teams: dict[Name, Team]
    """Who answers for stores, by name."""
    hubs: Hubs = Field(default_factory=Hubs)
    hosts: Hosts = Field(default_factory=Hosts)
    endpoints: dict[Name, dict[Word, Endpoint]] = Field(default_factory=dict)
    """Other hosts than a vendor's own, by platform or consumer, only for a sandbox or a proxy: all calls go there."""
    recipients: Receivers = ()
    """To whom a sealed hand-over may go; an address, or an address and the receiver's public key."""
    permit: tuple[Permit, ...] = ()
    """Dangerous switches that stores of this stack may use."""

    def receiver(self, mail: str) -> Receiver | None:
        """The entry that lets a hand-over go to this address: its own, else its domain's; None where it may not."""
        lower = mail.lower()
        entries = {entry.mail.lower(): entry for entry in self.recipients}
        return entries.get(lower) or entries.get(f"*@{lower.rpartition('@')[2]}")
