"""A play at StackOne: linked accounts that hold the key of a WooCommerce store, and a person who follows their links."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from providers.core.journal import Journal
from providers.core.redaction import Secret
from providers.core.toolbox import Toolbox
from sandbox.stackone.client import LinkedAccountRow, OrganisationRow
from sandbox.stackone.visitor import HubVisitor
from tests.consumers.play import READER, Links, Script, Wanted
from tests.consumers.woocommerce import KeyPlay

FIELDS = "{store_url: storeUrl, consumer_key: consumerKey, consumer_secret: consumerSecret}"


@dataclass
class StackOnePlay(KeyPlay):
    """An organisation with an account of somebody else, which holds a key that is not ours."""

    organisation: OrganisationRow = field(init=False)
    followed: set[str] = field(default_factory=set)

    WORDS: ClassVar[str] = ""

    def prepare(self) -> None:
        super().prepare()
        control = self.sandbox.client.stackone
        self.organisation = control.create(f"agency-{self.tag}")
        key = control.create_key(self.organisation.name, "accounts", "actions")
        self.entries["stackone"] = {"api_key": Secret(key.value)}
        self.settings = (
            f"endpoints: {{stackone: {{api: {self.organisation.api_url}}}}}\nhubs: {{stackone: {{region: eu1}}}}"
        )

    def link(self, words: object) -> str:
        assert isinstance(words, Mapping)
        if "at" not in words:
            return READER
        was = f", was: {words['was']}" if "was" in words else ""
        owner = f"{{id: {words['at']}, name: Fresh Roast}}"
        return f"{{to: stackone, origin_owner: {owner}{self.WORDS}{was}}}"

    # --- people -------------------------------------------------------------------------------------------------------

    def people(self, toolbox: Toolbox, *, ending: bool) -> bool:
        """Somebody follows each link that waits, once."""
        journal, _ = self.book.journal()
        acted = False
        for entry in journal.links.values() if journal is not None and not ending else ():
            values = self.book.received(entry.inbound) if entry.inbound else None
            if values is None or entry.acknowledged == entry.connecting or entry.inbound_generation != entry.connecting:
                continue
            link = values["auth_link_url"].reveal()
            if link in self.followed:
                continue
            self.followed.add(link)
            key = self.secret_of(entry.connecting)
            with HubVisitor(self.sandbox.ca) as person:
                person.connect(link, self.url, key["consumer_key"], key["consumer_secret"])
            acted = True
        return acted

    # --- invariants ---------------------------------------------------------------------------------------------------

    def accounts(self) -> dict[str, LinkedAccountRow]:
        """The accounts by their owners; no owner ever has two."""
        found = self.sandbox.client.stackone.accounts(self.organisation.name)
        owners = [account.origin_owner_id for account in found]
        assert len(owners) == len(set(owners)), "a second account"
        return dict(zip(owners, found, strict=True))

    def check_always(self, script: Script) -> None:
        """Whoever was linked and goes on being linked holds a key that works."""
        accounts, living = self.accounts(), self.living()
        if script.after is None:
            return
        for owner in {words.get("at") for words in script.before.links.values()} & {
            words.get("at") for words in script.after.links.values()
        } - {None}:
            held = accounts[str(owner)].consumer_key_sha256
            works = [tail for tail, digest in self._keys() if digest == held and tail in living]
            assert works, f"the account of {owner} holds no key that works"

    def _keys(self) -> list[tuple[str, str]]:
        """Tail and digest of every key that was ever made."""
        keys = [key["consumer_key"] for number in range(1, 20) if (key := self.secret_of(number))]
        return [(key[-7:], hashlib.sha256(key.encode()).hexdigest()) for key in keys]

    def check_world(self, links: Links | None, journal: Journal) -> None:
        super().check_world(links, journal)
        accounts = self.accounts()
        used = {words["at"] for words in (links or {}).values() if "at" in words}
        assert set(accounts) == used
        current = self.secret_of(journal.current) if journal.current is not None else {}
        for owner in used:
            account = accounts[owner]
            digests = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in current.items()}
            held = (account.status, account.consumer_key_sha256, account.consumer_secret_sha256)
            assert held == ("active", digests["consumer_key"], digests["consumer_secret"])


class PatchPlay(StackOnePlay):
    """Another key gets into the account by a call."""

    WORDS: ClassVar[str] = f", update: patch, bag: credentials, credential_fields: {FIELDS}"


__all__ = ["PatchPlay", "StackOnePlay", "Wanted"]
