"""A play at SureCart: an account whose tokens a person makes, and WordPress sites that use them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from providers.core import people
from providers.core.journal import Journal
from providers.core.redaction import Secret
from providers.core.toolbox import Toolbox
from sandbox.surecart.client import HandMadeToken
from sandbox.wordpress.client import SiteRow
from tests.consumers.play import READER, Links, Play, Script, Wanted

SITES = ("main", "blog")


@dataclass
class SureCartPlay(Play):
    """An account with two sites, and the token of somebody else on none of them."""

    slug: str = ""
    sites: dict[str, SiteRow] = field(default_factory=dict)
    made: dict[int, HandMadeToken] = field(default_factory=dict)
    foreign: str = ""

    STORE: ClassVar[str] = "acme-sites"
    CONNECTION: ClassVar[str] = "acme-sites/sites"

    def prepare(self) -> None:
        control = self.sandbox.client
        self.slug = f"acme-{self.tag}"
        control.surecart.create_account(self.slug)
        self.foreign = control.surecart.make_token(self.slug, "another program").id
        for name in SITES:
            site = self.sites[name] = control.wordpress.create(f"{self.slug}-{name}", "sandbox-password")
            password = control.wordpress.application_password(site.name)
            self.login(site.url, username=site.login, application_password=password)
        api, dashboard = control.surecart.api_url, control.surecart.dashboard_url
        self.settings = f"endpoints: {{surecart: {{api: {api}, dashboard: {dashboard}}}}}"

    def file(self, wanted: Wanted) -> str:
        links = ", ".join(f"{name}: {self._link(words)}" for name, words in wanted.links.items())
        lines = [
            "platform: surecart",
            f"account: {self.slug}",
            "team: retail",
            "connections:",
            "  sites:",
            "    purpose: checkout on the sites",
            "    rights: all",
            *([f"    rotate: {wanted.rotate}"] if wanted.rotate else []),
            f"    links: {{{links}}}",
        ]
        return "\n".join([*lines, ""])

    def _link(self, words: Mapping[str, str]) -> str:
        if "at" not in words:
            return READER
        was = f", was: {words['was']}" if "was" in words else ""
        return f"{{to: wordpress, site: {self.sites[words['at']].url}{was}}}"

    @staticmethod
    def used(wanted: Wanted | None) -> set[str]:
        """The sites that are declared."""
        return {words["at"] for words in (wanted.links if wanted is not None else {}).values() if "at" in words}

    # --- people -------------------------------------------------------------------------------------------------------

    def people(self, toolbox: Toolbox, *, ending: bool) -> bool:
        """The owner makes the token that is asked for, once, and deletes those that are to end."""
        operation = toolbox.operation(self.inputs())
        tasks = people.tasks(operation, None if ending else {"rights": "all"})
        asked = [task for task in tasks if not self._done(task.task, task.number)]
        for task in asked:
            if task.task == "make":
                if task.number not in self.made:
                    self.made[task.number] = self.sandbox.client.surecart.make_token(self.slug, f"#{task.number}")
                people.capture(operation, {"token": Secret(self.made[task.number].value)})
            else:
                self.sandbox.client.surecart.delete_token(self.slug, self.made[task.number].id)
        return bool(asked)

    def _done(self, task: str, number: int) -> bool:
        return task == "delete" and self.made[number].id not in self.living()

    def living(self) -> set[str]:
        return {token.id for token in self.sandbox.client.surecart.tokens(self.slug)}

    # --- invariants ---------------------------------------------------------------------------------------------------

    def check_always(self, script: Script) -> None:
        """No site lost a good token: the cloud never refused a plugin, and who had a token still has one that works."""
        control = self.sandbox.client.wordpress
        before, after = self.used(script.before), self.used(script.after)
        for name, site in self.sites.items():
            refused = [call for call in control.calls(site.name) if call.status in {401, 403}]
            assert self.late or refused == [], f"{name} was given a token that the cloud refuses"
            now = control.get(site.name)
            assert now.token == "stored" or name not in before & after, f"{name} lost its token"
            assert now.token in {"stored", "emptied"} or name not in before, f"the token of {name} was dropped"
            if now.token == "stored":
                assert control.cloud_status(site.name) == 200, f"the token of {name} does not work"

    def check_world(self, links: Links | None, journal: Journal) -> None:
        control = self.sandbox.client
        tokens = {number: token.id for number, token in self.made.items()}
        alive = self.living()
        assert self.foreign in alive
        current = {tokens[journal.current]} if journal.current is not None else set()
        assert alive - {self.foreign} == current
        used = self.used(Wanted(links or {}))
        hooks = [urllib.parse.urlsplit(hook.url).path for hook in control.surecart.webhook_endpoints(self.slug)]
        for name, site in self.sites.items():
            now = control.wordpress.get(site.name)
            if name in used:
                assert journal.current is not None
                assert now.holds(self.made[journal.current].value), f"{name} does not hold what is current"
            else:
                assert now.token in {"emptied", "absent"}, f"{name} still holds a token"
                assert not [hook for hook in hooks if hook.startswith(urllib.parse.urlsplit(site.url).path + "/")]
