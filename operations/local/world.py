"""What both commands work in: the servers, prepared as the administrators of Vault, of the stores and of the mail would; and
the programs that are called there."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operations.local.place import PROJECT, STACK, LocalError, Place, write_private
from providers.core.policies import ROLES, PolicyNames, Role, render_policy
from sandbox import vault as vault_server
from sandbox.client import Client

Environment = Mapping[str, str]

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
