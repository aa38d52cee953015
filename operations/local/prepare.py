"""What stands in the sandbox before we come: stores, sites and hubs with their people, and the logins that the product needs
in Vault, each put there before it is good for anything.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from operations.local.place import Place, write_private
from providers.declarations import DeclaredLink
from sandbox import vault as vault_server
from sandbox.client import Client

VERSIONS: Mapping[str, str] = {
    "fresh-roast": "11.0.1",
    "acme-outdoor": "3.5.3",
    "acme-market": "3.4.2",
    "northside": "3.2.5",
    "old-mill": "2.6.14",
}
"""Which WooCommerce each store of the sandbox runs; a store added to its files runs the newest."""

NEWEST: Final = "11.0.1"

MAIL_USER: Final = "outbox"
"""Whom the mail server lets send."""

OTHERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Newsletter": {"Customers": "read-only"},
    "Shipping labels": {"Orders": "read-only"},
}
"""API accounts that a BigCommerce store of the sandbox has before we come, with their rows: nobody may touch them."""

QUOTA: Final = 450
"""Calls in 30 seconds that a BigCommerce store of the sandbox takes, as on the vendor's second largest plan: on the smallest
the proofs of two accounts in one run wait for the shop's visitors."""

PIMWORKS: Final = "agency"
"""The account at PIMworks in which people enter the stores of the sandbox."""

STACKONE: Final = "agency"
"""The organisation at StackOne that all stores share."""


def put_entry(access: vault_server.Access, path: str, **fields: str) -> None:
    """Write an entry in Vault over whatever lies there."""
    with vault_server.client(access) as http:
        answer = http.get(path)
        version = answer.json()["data"]["metadata"]["version"] if answer.status_code == 200 else 0
        http.post(path, json={"options": {"cas": version}, "data": fields}).raise_for_status()


def prepare_stores(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Everything that the sandbox's files name."""
    for prepare in (_woocommerce, _coopcycle, _wordpress, _stackone, _mail):
        prepare(place, access, stores)
    for furnish in (bigcommerce, surecart, pimworks):
        furnish(place, stores)


def _new_password() -> str:
    return secrets.token_urlsafe(24)


def _admins(place: Place, url: str) -> str:
    """Where the admin login for an address lies in Vault."""
    parts = urlsplit(url)
    return f"/{place.stack.settings.vault.admins}/data/{parts.netloc}{parts.path}"


def _hub(place: Place, name: str) -> str:
    return f"/{place.stack.settings.vault.hubs}/data/{name}"


def name_of(url: str) -> str:
    """What the sandbox calls whatever is at an address: the last part of its path."""
    return urlsplit(url).path.rpartition("/")[2]


# --- stores and sites with an admin login of the product ---


def _woocommerce(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Stores with the users that their connections name."""
    known = {row.name for row in stores.stores()}
    for store in place.stores("woocommerce"):
        name = name_of(store.address)
        if name not in known:
            password = _new_password()
            put_entry(access, _admins(place, store.address), username="connector", password=password)
            stores.create_store(name, VERSIONS.get(store.name, NEWEST), password)
        present = {user.login for user in stores.users(name)}
        for user in sorted({c.fields["user"] for c in place.stack.connections if c.store.name == store.name} - present):
            stores.add_user(name, user, "shop_manager")


def _coopcycle(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Servers with the Stores that their connections name, and one that nobody names."""
    known = {row.name for row in stores.coopcycle.all()}
    for server in place.stores("coopcycle"):
        name = name_of(server.address)
        if name in known:
            continue
        password = _new_password()
        put_entry(access, _admins(place, server.address), username="connector", password=password)
        named = [c.fields["for_store"] for c in place.stack.connections if c.store.name == server.name]
        stores.coopcycle.create(
            name,
            users=[{"username": "connector", "password": password, "admin": True}],
            stores={"Corner Bakery": 3, **{one["name"]: one["id"] for one in named}},
        )


def sites(place: Place) -> Sequence[DeclaredLink]:
    """The links whose user is a WordPress site."""
    return [link for connection in place.stack.connections for link in connection.links if link.to == "wordpress"]


def _wordpress(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Sites with both plugins; the product's login with an application password."""
    known = {row.name for row in stores.wordpress.all()}
    for link in sites(place):
        name = name_of(link.fields["site"])
        if name in known:
            continue
        password = _new_password()
        stores.wordpress.create(name, password)
        put_entry(
            access,
            _admins(place, link.fields["site"]),
            username="connector",
            password=password,
            application_password=stores.wordpress.application_password(name),
        )


def _stackone(place: Place, access: vault_server.Access, stores: Client) -> None:
    """The organisation, with the product's API key."""
    if STACKONE not in {row.name for row in stores.stackone.all()}:
        stores.stackone.create(STACKONE)
        key = stores.stackone.create_key(STACKONE, "accounts", "actions")
        put_entry(access, _hub(place, "stackone"), api_key=key.value)


def _mail(place: Place, access: vault_server.Access, stores: Client) -> None:
    """The mail server, which lets the product send."""
    if MAIL_USER not in stores.mail.server().usernames:
        password = _new_password()
        put_entry(access, _hub(place, "mail"), username=MAIL_USER, password=password)
        stores.mail.put_account(MAIL_USER, password)


# --- what only people can enter ---


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who alone can work at a place of a vendor's, at `panel`; the product has no such login."""

    panel: str
    mail: str
    password: str


def owner_file(place: Place, name: str) -> Path:
    """Where the login of such a person is kept, by the store's name, for whoever plays that person here."""
    return place.state / "owners" / f"{name}.json"


def owner(place: Place, name: str) -> Owner:
    """The person of a prepared place."""
    kept: dict[str, Any] = json.loads(owner_file(place, name).read_text(encoding="utf-8"))
    return Owner(**kept)


def _new_owner(place: Place, name: str, panel: str, mail: str) -> Owner:
    made = Owner(panel, mail, _new_password())
    write_private(owner_file(place, name), json.dumps(asdict(made), indent=2) + "\n")
    return made


def bigcommerce(place: Place, stores: Client) -> None:
    """Stores with an owner, who has made accounts for other programs before."""
    known = {row.hash for row in stores.bigcommerce.stores()}
    for store in place.stores("bigcommerce"):
        if store.address in known:
            continue
        panel = f"{store.endpoints['panel'].replace('{store_hash}', store.address)}/manage"
        who = _new_owner(place, store.name, panel, store.ask)
        user = {"mail": who.mail, "password": who.password, "role": "owner"}
        stores.bigcommerce.create_store(store.address, users=[user], quota=QUOTA)
        for title, rows in OTHERS.items():
            stores.bigcommerce.make_account(store.address, title, rows)


def surecart(place: Place, stores: Client) -> None:
    """Accounts with an owner, who has made a token for another program before."""
    known = {row.slug for row in stores.surecart.accounts()}
    for store in place.stores("surecart"):
        if store.address in known:
            continue
        who = _new_owner(place, store.name, store.endpoints["dashboard"], store.ask)
        stores.surecart.create_account(store.address, people=[{"mail": who.mail, "password": who.password}])
        stores.surecart.make_token(store.address, next(iter(OTHERS)))


def pimworks(place: Place, stores: Client) -> None:
    """An account whose module for channels is there, and a person who may use it."""
    if PIMWORKS not in {row.name for row in stores.pimworks.all()}:
        who = _new_owner(place, "pimworks", f"{stores.url}/pimworks.example", "catalogue@agency.example")
        user = {"mail": who.mail, "password": who.password, "role": "pim", "right": "read_write"}
        stores.pimworks.create(PIMWORKS, users=[user])
