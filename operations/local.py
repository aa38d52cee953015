"""The local sandbox: `make up` connects its stores with the real engine and a real Vault, `make down` revokes and shows it.

Acts on the stack `sandbox` alone, and writes nothing outside `.local` in the checkout. Both can be repeated at any time;
what is already there is taken up.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from providers.core import ledger
from providers.core.errors import ConnectionsError
from providers.core.marker import stack_prefix
from providers.core.policies import ROLES, PolicyNames, render_policy
from providers.core.toolbox import Toolbox
from providers.declarations import Stack, load, platforms
from sandbox import server_process
from sandbox import vault as vault_server
from sandbox.client import Client
from sandbox.tls import ensure_authority

STACK, PROJECT = "sandbox", "connections"

VERSIONS: Mapping[str, str] = {
    "fresh-roast": "11.0.1",
    "acme-outdoor": "3.5.3",
    "acme-market": "3.4.2",
    "northside": "3.2.5",
    "old-mill": "2.6.14",
}
"""Which WooCommerce each store of the sandbox runs; a store added to its files runs the newest."""

NEWEST = "11.0.1"
VAULT_PORT = 18200
ENDS_WITHIN = 10.0
"""Seconds a server is given to end."""

NEXT = f"""
What to try next, with the stack [bold]{STACK}[/]:
  script/connections status            what is connected, and how it is
  script/connections verify            ask every store again what each key can do
  script/connections show fresh-roast/catalogue
  script/connections rotate fresh-roast/catalogue --reason "to see it"
  script/pulumi preview --diff         after editing a file under stacks/{STACK}/
  make down                            revoke every key, and see that they are dead
"""


class LocalError(ConnectionsError):
    """The sandbox could not be started, used or stopped."""


@dataclass(frozen=True, slots=True)
class Place:
    """A checkout with its sandbox."""

    root: Path
    console: Console
    vault_port: int = VAULT_PORT

    @property
    def state(self) -> Path:
        """Everything that a run leaves."""
        return self.root / ".local"

    @property
    def stack(self) -> Stack:
        """What the sandbox's files declare."""
        return load(self.root / "stacks", STACK, platforms(), project=PROJECT)


# --- servers ---


def _pid_file(place: Place, name: str) -> Path:
    return place.state / f"{name}.pid"


def running(place: Place, name: str) -> int | None:
    """The process of a server that an earlier run started, if it still runs."""
    try:
        pid = int(_pid_file(place, name).read_text(encoding="ascii"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # The number may have been given to another process since: only one that works in our folder is ours. A process that
    # ended and was not yet collected has no words.
    return pid if str(place.state).encode() in words else None


def remember(place: Place, name: str, pid: int | None) -> None:
    """Keep the number of a server's process for later runs."""
    _pid_file(place, name).write_text(str(pid), encoding="ascii")


def require_free(port: int, what: str) -> None:
    """Say whose port is taken before a server fails on it with words of its own."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalError(
                f"port {port}, on which {what} listens, is taken by another program",
                do="End that program, then try again",
            ) from None


def store_port(stack: Stack) -> int:
    """The port of the sandbox's stores, as their files say."""
    ports = {urlsplit(store.address).port for store in stack.stores}
    port = ports.pop() if len(ports) == 1 else None
    if port is None:
        raise LocalError("the stores of the sandbox are not all at one port of this machine")
    return port


def start_stores(place: Place) -> Client:
    """The sandbox's stores: started in the background, or found running."""
    port, directory = store_port(place.stack), place.state / "sandbox"
    if running(place, "sandbox") is not None:
        return Client(f"https://localhost:{port}", directory / "tls" / "ca.pem")
    require_free(port, "the sandbox")
    started = server_process.start(directory, port, outlive=True)
    remember(place, "sandbox", started.pid)
    return started.client


def start_vault(place: Place) -> vault_server.Access:
    """The sandbox's Vault: started in the background, or found running."""
    directory = place.state / "vault"
    authority = ensure_authority(place.state / "sandbox" / "tls")
    if running(place, "vault") is not None:
        token = json.loads((directory / "vault-keys.json").read_text(encoding="utf-8"))["root_token"]
        return vault_server.RemoteVault(f"https://127.0.0.1:{place.vault_port}", authority.certificate_path, token)
    require_free(place.vault_port, "the sandbox's Vault")
    server = vault_server.start(directory, place.vault_port, authority=authority)
    remember(place, "vault", server.pid)
    return server


def stop(place: Place, name: str) -> None:
    """End a server that an earlier run started; its data stay."""
    pid = running(place, name)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + ENDS_WITHIN
        while running(place, name) is not None and time.monotonic() < deadline:
            time.sleep(0.02)
    _pid_file(place, name).unlink(missing_ok=True)


# --- preparing ---


def prepare_vault(place: Place, access: vault_server.Access) -> Mapping[str, str]:
    """Mounts, keys, policies and roles, as an administrator of Vault would; the environment of the role `apply`."""
    vault = place.stack.settings.vault
    names = PolicyNames(PROJECT, STACK, vault.mount, vault.admins, vault.hubs, vault.adopt, vault.transit)
    mounts = vault_server.Mounts(vault.mount, vault.admins, vault.hubs, vault.adopt, vault.transit)
    policies = {str(role): render_policy(role, names) for role in ROLES}
    prepared = vault_server.prepare(access, PROJECT, STACK, policies, mounts)
    login = prepared.roles["apply"]
    secret_id = place.state / "vault" / "apply-secret-id"
    write_private(secret_id, login.secret_id)
    return {
        "VAULT_ADDR": access.address,
        "VAULT_CACERT": str(access.ca),
        "VAULT_ROLE_ID": login.role_id,
        "VAULT_SECRET_ID_FILE": str(secret_id),
    }


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, at no moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def prepare_stores(place: Place, access: vault_server.Access, stores: Client) -> None:
    """Every declared store with the users that its connections name, and its admin login in Vault."""
    stack = place.stack
    known = {row.name for row in stores.stores()}
    with vault_server.client(access) as http:
        for store in stack.stores:
            parts = urlsplit(store.address)
            name = parts.path.strip("/")
            path = f"/{stack.settings.vault.admins}/data/{parts.netloc}/{name}"
            users = sorted({c.fields["user"] for c in stack.connections if c.store.name == store.name})
            answer = http.get(path)
            if name not in known:
                version = answer.json()["data"]["metadata"]["version"] if answer.status_code == 200 else 0
                password = secrets.token_urlsafe(24)
                body = {"options": {"cas": version}, "data": {"username": "connector", "password": password}}
                http.post(path, json=body).raise_for_status()
                stores.create_store(name, VERSIONS.get(store.name, NEWEST), password)
            present = {user.login for user in stores.users(name)}
            for user in users:
                if user not in present:
                    stores.add_user(name, user, "shop_manager")


def write_environment(place: Place, environment: Mapping[str, str]) -> None:
    """What a shell needs to reach the sandbox's Vault; script/environment reads it."""
    lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
    (place.state / "environment").write_text("".join(lines), encoding="utf-8")


# --- the engine ---


def pulumi(place: Place, environment: Mapping[str, str], *arguments: str, show: bool = True) -> tuple[int, str]:
    """Run the engine; its output is shown as it comes, or given back."""
    if show:
        place.console.print(f"[bold]$ pulumi {' '.join(arguments)}[/]")
    done = subprocess.run(
        ["pulumi", *arguments],
        cwd=place.root,
        env={**os.environ, **environment},
        check=False,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout or ""


def select_stack(place: Place, environment: Mapping[str, str]) -> None:
    """The stack in the sandbox's own backend, made if it is not there; a lock that a killed run left is let go."""
    code, words = pulumi(place, environment, "stack", "select", "--create", STACK, show=False)
    if code:
        raise LocalError(f"the engine could not open the stack {STACK}: {words.strip()[-300:]}")
    pulumi(place, environment, "cancel", "--yes", "--stack", STACK, show=False)


def begin(place: Place) -> tuple[Client, Mapping[str, str]]:
    """Servers running, Vault and stores prepared, stack selected."""
    say = place.console.print
    (place.state / "pulumi").mkdir(parents=True, exist_ok=True)
    say("Starting the sandbox's stores ...")
    stores = start_stores(place)
    say("Starting a Vault server ...")
    access = start_vault(place)
    environment = prepare_vault(place, access)
    prepare_stores(place, access, stores)
    write_environment(place, environment)
    select_stack(place, environment)
    return stores, environment


# --- the two commands ---


def up(place: Place) -> int:
    """Connect the sandbox's stores."""
    stores, environment = begin(place)
    stores.close()
    code, _ = pulumi(place, environment, "up", "--stack", STACK, "--yes", "--skip-preview", "--non-interactive")
    status = [sys.executable, "-m", "operations", "--stack", STACK, "status"]
    shown = subprocess.run(status, cwd=place.root, env={**os.environ, **environment}, check=False)
    if code == 0 and shown.returncode == 0:
        place.console.print(NEXT, highlight=False)
    return code or shown.returncode


def ours_and_others(stores: Client) -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
    """What stands at each store, as its administrator sees it: labels of keys with our marker, and all other keys."""
    prefix = stack_prefix(PROJECT, STACK)
    found = {}
    for store in stores.stores():
        labels = [key.description for key in stores.keys(store.name)]
        ours = [label for label in labels if prefix in label]
        found[store.name] = (ours, [label for label in labels if prefix not in label])
    return found


def endings(place: Place, environment: Mapping[str, str], since: datetime) -> Table:
    """What the journals say about every key that ended since then.

    A key is called dead only when its store's list lacks it and the store refuses it twice, while it would accept a good
    one.
    """
    table = Table(title="Keys that ended, as their journals say")
    for column in ("connection", "generation", "key", "what was seen"):
        table.add_column(column)
    toolbox = Toolbox({**os.environ, **environment})
    stack = {"project": PROJECT, "stack": STACK, "vault": place.stack.settings.vault.model_dump(mode="json")}
    for found in ledger.held(toolbox.documents(stack), {**stack, "declared": {}}):
        for number, generation in sorted(found.journal.generations.items()):
            ended = generation.times.get("revoked")
            if ended is not None and ended >= since:
                line = next(step.what for step in reversed(found.journal.steps) if f"generation {number} " in step.what)
                table.add_row(
                    found.owner.connection,
                    str(number),
                    generation.key_id,
                    line.partition(" is ")[2],
                )
    toolbox.close()
    return table


def down(place: Place) -> int:
    """Destroy the sandbox's stack, look at the stores, and stop the servers."""
    if not (place.state / "vault" / "vault-keys.json").exists():
        place.console.print(f"There is no {STACK} here: nothing to do.")
        return 0
    stores, environment = begin(place)
    before, since = ours_and_others(stores), datetime.now(UTC)
    code, _ = pulumi(place, environment, "destroy", "--stack", STACK, "--yes", "--skip-preview", "--non-interactive")
    after = ours_and_others(stores)
    stores.close()
    place.console.print(endings(place, environment, since))
    table = Table(title="Every store, as its administrator sees it")
    table.add_column("store")
    for column in ("our keys before", "our keys now", "keys of others before", "keys of others now"):
        table.add_column(column, justify="right")
    for name, (ours, others) in after.items():
        table.add_row(name, str(len(before[name][0])), str(len(ours)), str(len(before[name][1])), str(len(others)))
    place.console.print(table)
    left = sum(len(ours) for ours, _ in after.values())
    touched = [name for name in after if after[name][1] != before[name][1]]
    if code or left or touched:
        place.console.print(f"Not finished: {left} keys of ours are alive; the servers go on. Try `make down` again.")
        return code or 1
    stop(place, "sandbox")
    stop(place, "vault")
    place.console.print("No key of ours is left at any store, keys of others are untouched, the servers are stopped.")
    return 0


def main(command: str, place: Place) -> int:
    """`up` or `down`; any stack but the sandbox's is refused."""
    wanted = os.environ.get("PULUMI_STACK", STACK)
    if wanted != STACK:
        raise LocalError(f"this acts on the stack {STACK} alone, not on {wanted}", do="Unset PULUMI_STACK")
    return {"up": up, "down": down}[command](place)


def run(arguments: Sequence[str], root: Path, console: Console) -> int:
    """`main`, with its errors as one line."""
    parser = argparse.ArgumentParser(prog="python -m operations.local", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--vault-port", type=int, default=VAULT_PORT, help="where the sandbox's Vault listens")
    asked = parser.parse_args(arguments)
    try:
        return main(asked.command, Place(root, console, asked.vault_port))
    except (ConnectionsError, vault_server.VaultFailedError, server_process.StartError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], Path.cwd(), Console(soft_wrap=True)))
