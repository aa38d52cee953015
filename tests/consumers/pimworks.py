"""A play at PIMworks: a store of its channel that an agency fills in by a sealed mail, and takes out when it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from providers.core import people
from providers.core.handover import was_sent
from providers.core.journal import Journal
from providers.core.toolbox import Toolbox
from sandbox.pimworks.client import PimworksRow
from sandbox.pimworks.visitor import PimworksVisitor
from tests.consumers.play import READER, Links, Play, Script
from tests.consumers.woocommerce import PASSWORD, KeyPlay
from tests.protocol.handing import opened

STORES: Mapping[str, tuple[str, str]] = {
    "main": ("WooCommerce", "Fresh Roast"),
    "blog": ("WooCommerce EU", "Fresh Roast EU"),
}
"""Channel and store name by place. The stand-in's pages have one channel; its stores are told apart by name."""


@dataclass
class PimworksPlay(KeyPlay):
    """An account with a store of somebody else in the channel."""

    account: PimworksRow = field(init=False)
    agency: str = ""
    read: dict[int, Mapping[str, str]] = field(default_factory=dict)
    """What the agency found in its mails, by their number."""

    STORE: ClassVar[str] = "fresh-roast"

    def prepare(self) -> None:
        super().prepare()
        self.agency = f"{self.tag}@agency.example"
        user = {"mail": self.agency, "password": PASSWORD, "role": "super", "right": "read_write"}
        self.account = self.sandbox.client.pimworks.create(f"agency-{self.tag}", users=[user], subscribed=True)
        self.settings = f"hubs: {{mail: {{server: localhost, port: 587, from: {self.agency}}}}}"

    def link(self, words: object) -> str:
        assert isinstance(words, Mapping)
        if "at" not in words:
            return READER
        was = f", was: {words['was']}" if "was" in words else ""
        channel, name = STORES[words["at"]]
        terms = f"handover: sealed, recipient: {self.agency}, components: {{products: Products}}"
        return f"{{to: pimworks, channel: {channel}, store_name: {name}, {terms}{was}}}"

    # --- people -------------------------------------------------------------------------------------------------------

    def people(self, toolbox: Toolbox, *, ending: bool) -> bool:
        """The agency opens its mail, fills the store in and says so; and takes out what is linked no more."""
        journal, _ = self.book.journal()
        links = journal.links if journal is not None else {}
        acted = False
        with PimworksVisitor(self.account.url, self.sandbox.ca, self.agency, PASSWORD) as agency:
            kept = {entry.words.get("store_name") for entry in links.values()}
            for store in agency.stores():
                if store.name not in kept and not (ending and links):
                    agency.remove_store(store.name)
            for name, entry in links.items() if not ending else ():
                waits = entry.acknowledged != entry.connecting and was_sent(entry.receipt, entry.connecting)
                if entry.reads or not waits:
                    continue
                mail = len(self.world.mails)
                if mail not in self.read:
                    values = opened(self.world)
                    assert values is not None, "the last mail does not open"
                    self.read[mail] = values
                values, acted = self.read[mail], True
                pair = (values["consumer_key"], values["consumer_secret"])
                agency.save_store(entry.words["store_name"], self.url, *pair, ["Products"])
                people.confirm_link(toolbox.operation(self.inputs()), name, self.agency, entry.connecting)
        return acted

    # --- invariants ---------------------------------------------------------------------------------------------------

    def stores(self) -> dict[str, str]:
        """The digests of what PIMworks holds, by store name."""
        row = self.sandbox.client.pimworks.get(self.account.name)
        return {store.name: store.secret_key_sha256 for store in row.stores}

    def check_always(self, script: Script) -> None:
        """Whoever was linked and goes on being linked holds a key that works; no two messages can be opened."""
        waiting = [token for token in self.world.tokens.values() if token.state == "waiting" and token.sent]
        assert len(waiting) <= 1
        if script.after is None:
            return
        both = {words.get("at") for words in script.before.links.values()}
        both &= {words.get("at") for words in script.after.links.values()}
        living, held = self.living(), self.stores()
        keys = [key for number in range(1, 20) if (key := self.secret_of(number))]
        for at in both - {None}:
            digest = held[STORES[str(at)][1]]
            of_it = [key for key in keys if hashlib.sha256(key["consumer_secret"].encode()).hexdigest() == digest]
            assert [key for key in of_it if key["consumer_key"][-7:] in living], "PIMworks holds no key that works"

    def check_world(self, links: Links | None, journal: Journal) -> None:
        super().check_world(links, journal)
        assert [token for token in self.world.tokens.values() if token.state == "waiting" and token.sent] == []
        used = {STORES[words["at"]][1] for words in (links or {}).values() if "at" in words}
        held = self.stores()
        assert set(held) == used
        for name in used:
            assert journal.current is not None
            secret = self.secret_of(journal.current)["consumer_secret"]
            assert held[name] == hashlib.sha256(secret.encode()).hexdigest()


__all__ = ["PimworksPlay", "Play"]
