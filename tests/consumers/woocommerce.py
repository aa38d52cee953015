"""A play at a WooCommerce store, whose keys are made and ended by its administration's pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from providers.core.journal import Journal
from sandbox.client import HandMadeKey
from tests.consumers.play import Links, Play, Wanted

PASSWORD = "sandbox-password"
PURPOSE = "orders and catalogue"


@dataclass
class KeyPlay(Play):
    """A store with a key of somebody else. A consumer's play says what its links look like."""

    shop: str = ""
    url: str = ""
    foreign: HandMadeKey | None = None

    STORE: ClassVar[str] = "fresh-roast"
    CONNECTION: ClassVar[str] = "fresh-roast/orders"

    def prepare(self) -> None:
        control = self.sandbox.client
        self.shop = f"shop-{self.tag}"
        users = [{"login": "hub-writer", "role": "shop_manager"}]
        self.url = control.create_store(self.shop, "11.0.1", PASSWORD, users=users, foreign_keys=[])
        self.login(self.url, username="connector", password=PASSWORD)
        self.foreign = control.insert_key(self.shop, description="another program", permissions="read_write")

    def file(self, wanted: Wanted) -> str:
        links = [f"      {name}: {self.link(words)}" for name, words in wanted.links.items()]
        lines = [
            "platform: woocommerce",
            f"url: {self.url}",
            "title: Fresh Roast",
            "team: retail",
            "connections:",
            "  orders:",
            f"    purpose: {PURPOSE}",
            "    rights: read_write",
            "    user: hub-writer",
            *([f"    rotate: {wanted.rotate}"] if wanted.rotate else []),
            "    links:",
            *links,
        ]
        return "\n".join([*lines, ""])

    def link(self, words: object) -> str:
        """What is declared of a link."""
        raise NotImplementedError

    def living(self) -> set[str]:
        """The tails of the keys that the store takes, but for the other program's."""
        assert self.foreign is not None
        keys = {key.key_id: key.truncated_key[-7:] for key in self.sandbox.client.keys(self.shop)}
        assert keys.pop(self.foreign.key_id) == self.foreign.consumer_key[-7:]
        return set(keys.values())

    def check_world(self, links: Links | None, journal: Journal) -> None:
        current = self.secret_of(journal.current) if journal.current is not None else {}
        assert self.living() == {current[name][-7:] for name in current if name == "consumer_key"}
