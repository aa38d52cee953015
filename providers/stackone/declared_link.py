"""What may be declared of a link to StackOne (stackone.md 3, 4 and 6), and what can be refused before any call."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from providers.declarations.models import Declared, LinkWords
from providers.declarations.platforms import DeclaredConsumer, Remark
from providers.declarations.stack import Connection, DeclaredLink
from providers.declarations.values import Flag, Line, Seconds, shaped
from providers.stackone import identity

PROOF_ACTION: Final = "woocommerce_list_products"
"""The action that proves an account. How StackOne calls the actions of its WooCommerce connector is not published: this is
its manner elsewhere, a doubt that `proof_action` settles."""

Region = Annotated[str, *shaped(r"[a-z]{2,6}[0-9]{0,2}", "a region such as eu1")]
OwnerId = Annotated[
    str, *shaped(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}", "an id: letters, digits and . _ : @ -, 100 at most")
]
FieldKey = Annotated[str, *shaped(r"[A-Za-z][A-Za-z0-9_]{0,63}", "a field's key, such as consumerKey")]
Action = Annotated[
    str, *shaped(r"woocommerce_(list|get|search)_[a-z0-9_]{1,60}", "a read action such as woocommerce_list_products")
]


class StackOneHub(Declared):
    """StackOne, for every store of the stack. Its API key lies in Vault under the hubs' `stackone`, as `api_key`."""

    region: Region
    """The region of the API key, such as `eu1`: the API is at `api.eu1.stackone.com` then."""


class OriginOwner(Declared):
    """Whose linked account it is, in StackOne's words."""

    id: OwnerId
    """The id by which StackOne's callers know the owner."""
    name: Line
    """The owner's name for people."""


class CredentialFields(Declared):
    """Under which keys StackOne takes the three values. They are not published."""

    consumer_key: FieldKey
    """The key of Consumer Key."""
    consumer_secret: FieldKey
    """The key of Consumer Secret."""
    store_url: FieldKey
    """The key of Store URL."""


class LinkedAccountWords(LinkWords):
    """A linked account at StackOne, which reads the store through its unified API."""

    origin_owner: OriginOwner | None = None
    """Whose account it is; the store's name and title where it is left out, kept as they were at the first link."""
    label: Line | None = None
    """The account's label at StackOne."""
    expires_in: Seconds = 24 * 3600
    """How long a person can follow the link of a connect session: `24h`."""
    update: Literal["session", "patch"] = "session"
    """How another key gets into an account that is there: a person in an edit session, or a call of ours."""
    bag: Literal["credentials", "secrets"] | None = None
    """In which part of a change the values go, for `update: patch`. Not published."""
    credential_fields: CredentialFields | None = None
    """Under which keys the values go, for `update: patch`. Not published."""
    proof_action: Action = PROOF_ACTION
    """The read action that proves the account."""
    adopt: Flag = False
    """Whether an account of this owner that is not ours is taken over: its key is replaced, and a destroy deletes it."""


READS: Final = frozenset({"read", "read_write"})
"""Rights with which StackOne connects (section 4)."""


def _owner(connection: Connection, link: DeclaredLink) -> identity.Owner:
    return identity.owner(link.fields, _pins(connection, link))


def _pins(connection: Connection, link: DeclaredLink) -> Mapping[str, str]:
    if link.fields.get("origin_owner"):
        return {}
    store = connection.store
    return {"origin_owner_id": store.name, "origin_owner_name": store.title or store.name}


def _place(connection: Connection, link: DeclaredLink) -> str:
    return identity.place(link.endpoints["api"], link.hub, _owner(connection, link))


def _rules(connection: Connection, link: DeclaredLink) -> Iterator[Remark]:
    path, fields = ("links", link.name), link.fields
    rights = connection.fields["rights"]
    if rights not in READS:
        what = f"rights: {rights}: StackOne connects with read or read_write only; it reads, and such a key may not"
        yield Remark(("rights",), what)
    if not connection.store.address.startswith("https://"):
        yield Remark(path, "StackOne takes stores at https addresses only")
    told = [word for word in ("bag", "credential_fields") if fields.get(word)]
    if fields["update"] == "patch" and len(told) < 2:
        what = (
            "update: patch needs `bag` and `credential_fields`: StackOne does not publish where the values go, so somebody"
            " who knows must say it"
        )
        yield Remark((*path, "update"), what)
    if fields["update"] == "session" and told:
        yield Remark((*path, told[0]), f"{told[0]} means nothing without `update: patch`")
    keys = list((fields.get("credential_fields") or {}).values())
    if len(set(keys)) < len(keys):
        yield Remark((*path, "credential_fields"), "credential_fields: two values under one key")


CONSUMERS: Final = (
    DeclaredConsumer(
        name="stackone",
        serves=frozenset({"woocommerce/api_key"}),
        words=LinkedAccountWords,
        rules=_rules,
        place=_place,
        pins=_pins,
        takes=("url",),
        endpoints={"api": identity.API},
        hub=StackOneHub,
    ),
)
"""StackOne, which takes REST API keys of WooCommerce."""
