"""A play at CoopCycle: a server whose apps are made and ended by its administration's pages, and sites with its plugin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from providers.core.journal import Journal
from sandbox.coopcycle.client import CoopInstance, HandMadeApp, OAuthClientRow
from sandbox.wordpress.client import SiteRow
from tests.consumers.play import READER, Links, Play, Script, Wanted

SITES = ("main", "blog")
PASSWORD = "sandbox-password"
OPTIONS = ("coopcycle_base_url", "coopcycle_api_key", "coopcycle_api_secret")


@dataclass
class CoopCyclePlay(Play):
    """A server with two stores and an app of somebody else, and two sites with the plugin."""

    server: CoopInstance = field(init=False)
    foreign: HandMadeApp = field(init=False)
    sites: dict[str, SiteRow] = field(default_factory=dict)

    STORE: ClassVar[str] = "northside-coop"
    CONNECTION: ClassVar[str] = "northside-coop/flowers"

    def prepare(self) -> None:
        control = self.sandbox.client
        users = [{"username": "robot", "password": PASSWORD, "admin": True}]
        stores = {"Acme Flowers": 12, "Corner Bakery": 3}
        self.server = control.coopcycle.create(f"coop-{self.tag}", users=users, stores=stores)
        self.login(self.server.url, username="robot", password=PASSWORD)
        self.foreign = control.coopcycle.make_app(self.server.name, "another program", store=12)
        for name in SITES:
            site = self.sites[name] = control.wordpress.create(f"coop-{self.tag}-{name}", PASSWORD)
            self.login(site.url, username=site.login, password=PASSWORD)

    def file(self, wanted: Wanted) -> str:
        links = ", ".join(f"{name}: {self._link(words)}" for name, words in wanted.links.items())
        lines = [
            "platform: coopcycle",
            f"url: {self.server.url}",
            "team: retail",
            "connections:",
            "  flowers:",
            "    purpose: deliveries of the shop",
            "    for_store: {id: 12, name: Acme Flowers}",
            "    rights: [deliveries]",
            *([f"    name: {wanted.name}"] if wanted.name else []),
            *([f"    rotate: {wanted.rotate}"] if wanted.rotate else []),
            f"    links: {{{links}}}",
        ]
        return "\n".join([*lines, ""])

    def _link(self, words: Mapping[str, str]) -> str:
        if "at" not in words:
            return READER
        was = f", was: {words['was']}" if "was" in words else ""
        return f"{{to: wordpress, site: {self.sites[words['at']].url}{was}}}"

    # --- invariants ---------------------------------------------------------------------------------------------------

    def options(self, site: SiteRow) -> tuple[object, ...]:
        found = self.sandbox.client.wordpress.get(site.name).options
        return tuple(found.get(name) for name in OPTIONS)

    def check_always(self, script: Script) -> None:
        """Nobody ever saves the form of an app, and nothing of somebody else's is touched."""
        received = self.sandbox.client.requests(store=self.server.site)
        saved = [row.path for row in received if row.method == "POST" and "/admin/api/apps/" in row.path]
        assert [path for path in saved if not path.endswith("/new")] == []
        (client,) = [row for row in self.clients() if row.identifier == self.foreign.identifier]
        assert (client.active, client.regenerated) == (True, 0)
        assert client.secret_sha256 == hashlib.sha256(self.foreign.secret.encode()).hexdigest()

    def clients(self) -> list[OAuthClientRow]:
        return self.sandbox.client.coopcycle.clients(self.server.name)

    def check_world(self, links: Links | None, journal: Journal) -> None:
        current = self.secret_of(journal.current) if journal.current is not None else {}
        live = [row.identifier for row in self.clients() if row.active and not row.retired]
        assert set(live) - {self.foreign.identifier} == {current[name] for name in current if name == "identifier"}
        apps = {row.id for row in self.sandbox.client.coopcycle.apps(self.server.name)} - {self.foreign.id}
        noted = {int(generation.key_id) for generation in journal.generations.values() if generation.key_id}
        assert apps <= noted | {int(key_id) for key_id in journal.residual}, "an app that no journal knows"
        used = {words["at"] for words in (links or {}).values() if "at" in words}
        for name, site in self.sites.items():
            url, identifier, secret = self.options(site)
            if name not in used:
                assert not any((url, identifier, secret)), f"{name} still holds a pair"
                continue
            digest = hashlib.sha256(current["secret"].encode()).hexdigest()
            assert (url, identifier, secret) == (self.server.url, current["identifier"], f"sha256:{digest}"), name
            (client,) = [row for row in self.clients() if row.identifier == identifier]
            assert client.secret_sha256 == digest, f"what {name} holds does not work"
