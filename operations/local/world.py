"""What both commands work in: the servers, prepared as the administrators of Vault, of the stores and of the mail would; and
the programs that are called there."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from operations.local.place import PROJECT, STACK, LocalError, Place, write_private
from providers.core.policies import ROLES, PolicyNames, Role, render_policy
from sandbox import vault as vault_server
from sandbox.client import Client

Environment = Mapping[str, str]

VERSIONS: Mapping[str, str] = {
    "fresh-roast": "11.0.1",
    "acme-outdoor": "3.5.3",
    "acme-market": "3.4.2",
    "northside": "3.2.5",
    "old-mill": "2.6.14",
}
"""Which WooCommerce each store of the sandbox runs; a store added to its files runs the newest."""

NEWEST: Final = "11.0.1"

MAIL_USER: Final = "connections"
"""Whom the mail server lets send."""

OTHERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Newsletter": {"Customers": "read-only"},
    "Shipping labels": {"Orders": "read-only"},
}
"""API accounts that a BigCommerce store of the sandbox has before we come, with their rows: nobody may touch them."""

LOGINS: Final[tuple[Role, ...]] = ("apply", "operator")
"""The roles that are used here: what the engine runs as, and persons who put values in and read none."""


@dataclass(frozen=True, slots=True)
class World:
    """The sandbox, ready for use. `logins` is what a program needs in its environment to reach Vault, by role."""

    place: Place
    stores: Client
    access: vault_server.Access
    logins: Mapping[Role, Environment]

    def close(self) -> None:
        """Close the connections; the servers go on."""
        self.stores.close()

    def environment(self, role: Role) -> dict[str, str]:
        """The environment of a program that runs as this role."""
        return {**os.environ, **self.logins[role]}

    def pulumi(self, *arguments: str) -> int:
        """Run the engine; its output is shown as it comes."""
        self.place.console.print(f"[bold]$ pulumi {' '.join(arguments)}[/]")
        return subprocess.run(
            ["pulumi", *arguments], cwd=self.place.root, env=self.environment("apply"), check=False
        ).returncode

    def connections(self, role: Role, *arguments: str, given: str | None = None) -> int:
        """Run the command as this role; its output is shown as it comes. `given` is its standard input."""
        told = " <what it is to take in>" if given is not None else ""
        self.place.console.print(f"[bold]$ connections {' '.join(arguments)}{told}[/]  (role {role})", highlight=False)
        return subprocess.run(
            [sys.executable, "-m", "operations", "--stack", STACK, *arguments],
            cwd=self.place.root,
            env=self.environment(role),
            input=given,
            text=True,
            check=False,
        ).returncode

    def must(self, role: Role, *arguments: str, given: str | None = None) -> None:
        """The same, where nothing can go on without it."""
        code = self.connections(role, *arguments, given=given)
        if code:
            raise LocalError(f"connections {arguments[0]} ended with exit code {code}", do="See above, then try again")


# --- the engine ---


def select_stack(place: Place) -> None:
    """The stack in the sandbox's own backend, made if it is not there; a lock that a killed run left is let go."""
    selected = _quietly(place, "stack", "select", "--create", STACK)
    if selected.returncode:
        raise LocalError(f"the engine could not open the stack {STACK}: {selected.stdout.strip()[-300:]}")
    _quietly(place, "cancel", "--yes", "--stack", STACK)


def _quietly(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", *arguments],
        cwd=place.root,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# --- Vault ---


def prepare_vault(place: Place, access: vault_server.Access) -> Mapping[Role, Environment]:
    """Mounts, keys, policies and roles, as an administrator of Vault would; the environments of `LOGINS`."""
    vault = place.stack.settings.vault
    names = PolicyNames(PROJECT, STACK, vault.mount, vault.admins, vault.hubs, vault.adopt, vault.transit)
    mounts = vault_server.Mounts(vault.mount, vault.admins, vault.hubs, vault.adopt, vault.transit)
    policies = {str(role): render_policy(role, names) for role in ROLES}
    prepared = vault_server.prepare(access, PROJECT, STACK, policies, mounts)
    return {role: _login(place, access, role, prepared.roles[role]) for role in LOGINS}


def _login(place: Place, access: vault_server.Access, role: Role, login: vault_server.AppRole) -> Environment:
    secret_id = place.state / "vault" / f"{role}-secret-id"
    write_private(secret_id, login.secret_id)
    return {
        "VAULT_ADDR": access.address,
        "VAULT_CACERT": str(access.ca),
        "VAULT_ROLE_ID": login.role_id,
        "VAULT_SECRET_ID_FILE": str(secret_id),
    }


def write_environment(place: Place, environment: Environment) -> None:
    """What a shell needs to reach the sandbox's Vault; script/environment reads it."""
    lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
    (place.state / "environment").write_text("".join(lines), encoding="utf-8")


def _put_login(access: vault_server.Access, path: str, username: str) -> str:
    """Write a login with a new password over whatever lies there, and say the password."""
    password = secrets.token_urlsafe(24)
    with vault_server.client(access) as http:
        answer = http.get(path)
        version = answer.json()["data"]["metadata"]["version"] if answer.status_code == 200 else 0
        body = {"options": {"cas": version}, "data": {"username": username, "password": password}}
        http.post(path, json=body).raise_for_status()
    return password


# --- stores and mail ---


def prepare_stores(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Every declared store with its people, and the mail server with the product's account; their logins for the product in
    Vault, each before it is good for anything."""
    prepare_woocommerce(place, access, stores)
    prepare_bigcommerce(place, stores)
    if MAIL_USER not in stores.mail.server().usernames:
        hubs = place.stack.settings.vault.hubs
        stores.mail.put_account(MAIL_USER, _put_login(access, f"/{hubs}/data/mail", MAIL_USER))


def prepare_woocommerce(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Stores with the users that their connections name, and their admin logins in Vault."""
    stack = place.stack
    known = {row.name for row in stores.stores()}
    for store in place.stores("woocommerce"):
        parts = urlsplit(store.address)
        name = parts.path.strip("/")
        if name not in known:
            place_of_login = f"/{stack.settings.vault.admins}/data/{parts.netloc}/{name}"
            password = _put_login(access, place_of_login, "connector")
            stores.create_store(name, VERSIONS.get(store.name, NEWEST), password)
        present = {user.login for user in stores.users(name)}
        users = sorted({c.fields["user"] for c in stack.connections if c.store.name == store.name})
        for user in users:
            if user not in present:
                stores.add_user(name, user, "shop_manager")


@dataclass(frozen=True, slots=True)
class Owner:
    """A store's owner, who alone can work in its control panel at `panel`; the product has no such login."""

    panel: str
    mail: str
    password: str


def owner_file(place: Place, store: str) -> Path:
    """Where the login of a store's owner is kept, for whoever plays that owner here."""
    return place.state / "owners" / f"{store}.json"


def owner(place: Place, store: str) -> Owner:
    """The owner of a prepared store."""
    kept: dict[str, Any] = json.loads(owner_file(place, store).read_text(encoding="utf-8"))
    return Owner(**kept)


def prepare_bigcommerce(place: Place, stores: Client) -> None:
    """Stores with an owner, who has made accounts for other programs before."""
    known = {row.hash for row in stores.bigcommerce.stores()}
    for store in place.stores("bigcommerce"):
        if store.address in known:
            continue
        panel = f"{store.endpoints['panel'].replace('{store_hash}', store.address)}/manage"
        login = {"panel": panel, "mail": store.ask, "password": secrets.token_urlsafe(24)}
        write_private(owner_file(place, store.name), json.dumps(login, indent=2) + "\n")
        user = {"mail": login["mail"], "password": login["password"], "role": "owner"}
        stores.bigcommerce.create_store(store.address, users=[user])
        for title, rows in OTHERS.items():
            stores.bigcommerce.make_account(store.address, title, rows)
