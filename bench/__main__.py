"""`make bench`: seconds of `up`, an empty `preview`, `refresh` and `destroy`, beside the floor, in one run.

Stores answer after 50 ms. Everything lies in a temporary folder; the figures go to `.local/bench.json`.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bench.floor import Target, run
from providers.core.policies import ROLES, PolicyNames, render_policy
from sandbox import server_process
from sandbox import vault as vault_server
from sandbox.tls import ensure_authority

ROOT = Path(__file__).resolve().parent.parent
LATENCY = 0.05
"""Seconds every store waits before it answers."""

AT_ONCE = 4
"""Calls in flight: what the engine's dynamic provider can do (engine.md 9), and so what the floor may do."""

PROJECT, STACK = "connections", "bench"
SETTINGS = """format: 1
vault: {{mount: kv, admins: admins, hubs: hubs, adopt: legacy, transit: transit}}
defaults: {{rotate_after: 90d, verify: read, ask: integrations@agency.example}}
teams: {{retail: {{mail: retail@agency.example}}}}
hosts: {{private: {{localhost: [127.0.0.0/8, "::1/128"]}}, ca_file: {ca}}}
"""
STORE = """platform: woocommerce
url: {url}
team: retail
connections:
  hub: {{purpose: measured, rights: read, user: hub-reader, links: {{hub: {{to: vault, overlap: 1s}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One command, measured once: wall seconds, peak resident MiB of all its processes together, calls to stores."""

    command: str
    connections: int
    seconds: float
    peak_mib: int
    store_calls: int


class Memory(threading.Thread):
    """Samples the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self._over = pid, 0, threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._over.wait(0.1):
            self.peak = max(self.peak, sum(_resident(pid) for pid in _below(self.pid)))

    def stop(self) -> int:
        """The peak, in MiB."""
        self._over.set()
        self.join()
        return self.peak // 1024


def _below(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        found.append(queue[0])
        queue += parents.get(queue.pop(0), [])
    return found


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


class Bench:
    """Servers, a project in a temporary folder, and the figures."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.project, self.console = folder / "project", console
        self.project.mkdir()
        for name in ("Pulumi.yaml", "__main__.py", "providers", ".venv"):
            (self.project / name).symlink_to(ROOT / name)
        self.stores = server_process.start(self.project / ".local" / "sandbox")
        authority = ensure_authority(self.project / ".local" / "sandbox" / "tls")
        self.vault = vault_server.start(folder / "vault", storage="inmem", authority=authority)
        names = PolicyNames(PROJECT, STACK)
        policies = {str(role): render_policy(role, names) for role in ROLES}
        prepared = vault_server.prepare(self.vault, PROJECT, STACK, policies)
        secret_id = folder / "secret-id"
        secret_id.write_text(prepared.roles["apply"].secret_id, encoding="ascii")
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_STACK": STACK,
            "VAULT_ADDR": self.vault.address,
            "VAULT_CACERT": str(self.vault.ca),
            "VAULT_ROLE_ID": prepared.roles["apply"].role_id,
            "VAULT_SECRET_ID_FILE": str(secret_id),
            "CONNECTIONS_OVERRIDE": "1000000",
        }
        self.figures: list[Figure] = []

    def make_stores(self, prefix: str, count: int) -> list[Target]:
        """`count` stores with a service user, their admin logins in Vault."""
        names = [f"{prefix}-{number:04d}" for number in range(count)]
        passwords = {name: secrets.token_urlsafe(12) for name in names}
        users = [{"login": "hub-reader", "role": "shop_manager"}]
        orders = [
            {"name": name, "version": "11.0.1", "admin_password": passwords[name], "users": users} for name in names
        ]
        self.stores.client.create_stores(orders)
        host = httpx.URL(self.stores.url).netloc.decode()
        with vault_server.client(self.vault) as http:
            for name in names:
                data = {"username": "connector", "password": passwords[name]}
                body = {"options": {"cas": 0}, "data": data}
                http.post(f"/admins/data/{host}/{name}", json=body).raise_for_status()
        return [
            Target(f"{self.stores.url}/{name}", "connector", passwords[name], "hub-reader", f"/kv/data/floor/{name}")
            for name in names
        ]

    def declare(self, names: list[str]) -> None:
        """Declare one connection at each of these stores."""
        folder = self.project / "stacks" / STACK
        shutil.rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "_stack.yaml").write_text(SETTINGS.format(ca=".local/sandbox/tls/ca.pem"), encoding="utf-8")
        for name in names:
            (folder / f"{name}.yaml").write_text(STORE.format(url=f"{self.stores.url}/{name}"), encoding="utf-8")

    def pulumi(self, label: str, connections: int, *arguments: str, **environment: str) -> None:
        """Run and measure one command of the engine."""
        self.stores.client.clear_requests()
        began = time.monotonic()
        process = subprocess.Popen(
            ["pulumi", *arguments],
            cwd=self.project,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        memory = Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        seconds = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"pulumi {' '.join(arguments)} failed:\n{output[-3000:]}")
        self.note(Figure(label, connections, seconds, memory.stop(), self.calls()))

    def calls(self) -> int:
        """Calls that stores were sent since the count was cleared."""
        return sum(sum(operations.values()) for operations in self.stores.client.counts().values())

    def note(self, figure: Figure) -> None:
        """Keep a figure, and say it."""
        self.figures.append(figure)
        self.console.print(
            f"{figure.command:<34} N={figure.connections:<5} {figure.seconds:8.1f} s {figure.peak_mib:6d} MiB "
            f"{figure.store_calls:7d} store calls"
        )

    def measure(self, count: int) -> None:
        """All commands for `count` connections."""
        self.stores.client.set_latency(0)
        floor = self.make_stores(f"floor-{count}", count)
        targets = self.make_stores(f"store-{count}", count)
        self.declare([target.url.rpartition("/")[2] for target in targets])
        self.stores.client.set_latency(LATENCY)
        self.stores.client.clear_requests()
        seconds = run(floor, str(self.vault.ca), f"{self.vault.address}/v1", self.vault.root_token, AT_ONCE)
        self.note(Figure("floor (asyncio + httpx)", count, seconds, 0, self.calls()))
        plain = ("--yes", "--skip-preview", "--non-interactive", "--suppress-progress")
        self.pulumi("up", count, "up", *plain)
        self.pulumi("preview, nothing to do", count, "preview", "--expect-no-changes", "--non-interactive")
        self.pulumi("refresh", count, "refresh", *plain)
        self.pulumi("destroy", count, "destroy", *plain)
        self.pulumi("up, without checkpoints", count, "up", *plain, PULUMI_SKIP_CHECKPOINTS="true")


def report(figures: list[Figure], console: Console) -> None:
    """The table, each command as a multiple of the floor of the same run."""
    table = Table(title=f"{LATENCY * 1000:.0f} ms per store request, {AT_ONCE} calls in flight")
    for column in ("command", "N", "seconds", "x floor", "peak MiB", "store calls", "calls each"):
        table.add_column(column, justify="left" if column == "command" else "right")
    floors = {figure.connections: figure.seconds for figure in figures if figure.command.startswith("floor")}
    for figure in figures:
        table.add_row(
            figure.command,
            str(figure.connections),
            f"{figure.seconds:.1f}",
            f"{figure.seconds / floors[figure.connections]:.2f}",
            str(figure.peak_mib or "-"),
            str(figure.store_calls),
            f"{figure.store_calls / figure.connections:.1f}",
        )
    console.print(table)


def main(arguments: list[str]) -> None:
    """Measure each number of connections in turn."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("connections", nargs="*", type=int, default=[100, 1000], help="numbers of connections")
    counts = parser.parse_args(arguments).connections
    console = Console(soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="connections-bench-"))
    bench = Bench(folder, console)
    try:
        subprocess.run(
            ["pulumi", "stack", "select", "--create", STACK],
            cwd=bench.project,
            env=bench.environment,
            check=True,
            capture_output=True,
        )
        for count in counts:
            bench.measure(count)
    finally:
        bench.stores.stop()
        bench.vault.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report(bench.figures, console)
    rows = [
        {name: getattr(figure, name) for name in ("command", "connections", "seconds", "peak_mib", "store_calls")}
        for figure in bench.figures
    ]
    (ROOT / ".local").mkdir(exist_ok=True)
    (ROOT / ".local" / "bench.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
