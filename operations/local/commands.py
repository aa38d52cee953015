"""`up` and `down`: the sandbox's stores connected, and every key revoked again."""

import argparse
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from operations import local
from operations.local import people, servers
from operations.local.place import PROJECT, STACK, VAULT_PORT, LocalError, Place
from operations.local.prepare import name_of, prepare_stores
from operations.local.world import World, prepare_vault, select_stack, write_environment
from providers.core import ledger
from providers.core.errors import ConnectionsError, PersonNeeded
from providers.core.marker import stack_prefix
from providers.core.toolbox import Toolbox
from sandbox.bigcommerce.visitor import VisitError
from sandbox.mail.reader import SealError
from sandbox.pimworks.visitor import PimworksVisitError
from sandbox.server_process import StartError
from sandbox.stackone.visitor import HubVisitError
from sandbox.surecart.visitor import VisitError as DashboardError
from sandbox.vault import VaultFailedError

VISITS: Final = (VisitError, DashboardError, HubVisitError, PimworksVisitError, SealError)
"""How people fail at the vendors' pages, and at what came by mail."""

UP: Final = ("up", "--stack", STACK, "--yes", "--skip-preview", "--non-interactive")
DESTROY: Final = ("destroy", "--stack", STACK, "--yes", "--skip-preview", "--non-interactive")

NEXT = f"""
What to try next, with the stack [bold]{STACK}[/]:
  script/connections status            what is connected, and how it is
  script/connections verify            ask every store again what each key can do
  script/connections show fresh-roast/catalogue
  script/connections rotate fresh-roast/catalogue --reason "to see it"
  script/connections rotate acme-sites/sites --reason "to see it"
                                       one token on three sites: `connections sheet acme-sites/sites` asks its owner
                                       for the next, and `make up` plays the owner
  script/connections link acme-outdoor/unified/stackone --show
                                       what a person follows and fills in at StackOne; nobody has yet
  script/connections sheet westside/dispatch
                                       what the owner of westside is asked to do; the panel's login for
                                       whoever plays that owner is in .local/owners/westside.json
  script/pulumi preview --diff         after editing a file under stacks/{STACK}/
  make up                              after another right in stacks/{STACK}/acme-parts.yaml: a new account is made, proved
                                       and handed over, then the old one deleted
  make down                            revoke every key, and see that they are dead
"""


def begin(place: Place) -> World:
    """Servers running, Vault, stores and mail prepared, stack selected."""
    (place.state / "pulumi").mkdir(parents=True, exist_ok=True)
    place.say("Starting the sandbox's stores, its mail and a Vault server ...")
    with ThreadPoolExecutor() as pool:
        selected = pool.submit(select_stack, place)
        stores, access = servers.start(place)
        logins = prepare_vault(place, access)
        prepare_stores(place, access, stores)
        selected.result()
    write_environment(place, logins["apply"])
    return World(place, stores, access, logins)


def up(place: Place) -> int:
    """Connect the sandbox's stores. That a person is awaited is no failure."""
    world = begin(place)
    code = world.pulumi(*UP)
    while code == 0 and people.do_their_part(world):
        code = world.pulumi(*UP)
    world.close()
    shown = world.connections("apply", "status")
    if code == 0 and shown in {0, PersonNeeded.exit_code}:
        place.console.print(NEXT, highlight=False)
        return 0
    return code or shown


@dataclass(frozen=True, slots=True)
class Keys:
    """What stands at one store, as its administrator sees it: labels of keys of ours, and of all others."""

    ours: Sequence[str]
    others: Sequence[str]


def keys(world: World) -> Mapping[str, Keys]:
    """The keys of every store. Ours carry our marker; an API account has no room for one, but its name is its sheet's."""
    found = {}
    prefix = stack_prefix(PROJECT, STACK)
    for row in world.stores.stores():
        labels = [key.description for key in world.stores.keys(row.name)]
        found[row.name] = _told_apart(labels, [label for label in labels if prefix in label])
    for store in world.place.stores("bigcommerce"):
        titles = [entry.title for entry in world.stores.bigcommerce.accounts(store.address)]
        named = {c.fields.get("account_title") for c in world.place.stack.connections if c.store.name == store.name}
        ours = [title for title in titles if re.sub(r" #[0-9]+\Z", "", title) in named]
        # Accounts of others make no tokens here.
        tokens = [
            f"token of the storefront by account {token.account_id}"
            for token in world.stores.bigcommerce.storefront_tokens(store.address)
            if token.revoked is None and token.expires > time.time()
        ]
        found[store.name] = _told_apart([*titles, *tokens], [*ours, *tokens])
    for server in world.place.stores("coopcycle"):
        # A row stays for ever; what matters is whether its secret is anybody's.
        apps = [app for app in world.stores.coopcycle.apps(name_of(server.address)) if not app.retired]
        names = [f"{app.name} #{app.id}" for app in apps]
        found[server.name] = _told_apart(names, [name for name in names if prefix in name])
    for account in world.place.stores("surecart"):
        tokens = [token.name for token in world.stores.surecart.tokens(account.address)]
        found[account.name] = _told_apart(tokens, [name for name in tokens if name.startswith(f"{account.name}/")])
    return found


def _told_apart(labels: Sequence[str], ours: Sequence[str]) -> Keys:
    return Keys(ours, [label for label in labels if label not in ours])


def endings(world: World, since: datetime) -> Table:
    """What the journals say about every key that ended since then.

    A key is called dead only when its store's list, where there is one, lacks it and the store refuses it twice, while the
    store tells good ones from bad.
    """
    table = Table(title="Keys that ended, as their journals say")
    for column in ("connection", "generation", "key", "what was seen"):
        table.add_column(column)
    toolbox = Toolbox(world.environment("apply"))
    stack = {"project": PROJECT, "stack": STACK, "vault": world.place.stack.settings.vault.model_dump(mode="json")}
    for found in ledger.held(toolbox.documents(stack), {**stack, "declared": {}}):
        for number, generation in sorted(found.journal.generations.items()):
            ended = generation.times.get("revoked")
            if ended is not None and ended >= since:
                start = f"generation {number} "
                line = next(step.what for step in reversed(found.journal.steps) if step.what.startswith(start))
                key = generation.key_id or (f"...{generation.tail}" if generation.tail else "-")
                what = line.removeprefix(start).removeprefix("is ")
                table.add_row(found.owner.connection, str(number), key, what)
    toolbox.close()
    return table


def down(place: Place) -> int:
    """Destroy the sandbox's stack, look at the stores, and stop the servers."""
    if not (place.state / "vault" / "vault-keys.json").exists():
        place.say(f"There is no {STACK} here: nothing to do.")
        return 0
    world = begin(place)
    before, since = keys(world), datetime.now(UTC)
    code = world.pulumi(*DESTROY)
    if people.leave(world):
        place.say("Those who were asked have done their part. Again, so that the death of what they deleted is proved:")
        code = world.pulumi(*DESTROY)
    after = keys(world)
    world.close()
    place.console.print(endings(world, since))
    table = Table(title="Every store, as its administrator sees it")
    table.add_column("store")
    for column in ("our keys before", "our keys now", "keys of others before", "keys of others now"):
        table.add_column(column, justify="right")
    for name, now in after.items():
        counts = (before[name].ours, now.ours, before[name].others, now.others)
        table.add_row(name, *(str(len(labels)) for labels in counts))
    place.console.print(table)
    left = sum(len(now.ours) for now in after.values())
    touched = [name for name, now in after.items() if now.others != before[name].others]
    if code or left or touched:
        place.say(f"Not finished: {left} keys of ours are alive; the servers go on. Try `make down` again.")
        return code or 1
    servers.stop(place, "sandbox")
    servers.stop(place, "vault")
    place.say("No key of ours is left at any store, keys of others are untouched, the servers are stopped.")
    return 0


def main(command: str, place: Place) -> int:
    """`up` or `down`; any stack but the sandbox's is refused."""
    wanted = os.environ.get("PULUMI_STACK", STACK)
    if wanted != STACK:
        raise LocalError(f"this acts on the stack {STACK} alone, not on {wanted}", do="Unset PULUMI_STACK")
    return {"up": up, "down": down}[command](place)


def run(arguments: Sequence[str], root: Path, console: Console) -> int:
    """`main`, with its errors as one line."""
    parser = argparse.ArgumentParser(prog="python -m operations.local", description=local.__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--vault-port", type=int, default=VAULT_PORT, help="where the sandbox's Vault listens")
    asked = parser.parse_args(arguments)
    try:
        return main(asked.command, Place(root, console, asked.vault_port))
    except (ConnectionsError, VaultFailedError, StartError, *VISITS) as error:
        sys.stderr.write(f"{error}\n")
        return 1
