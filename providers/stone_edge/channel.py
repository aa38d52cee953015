"""The link to Stone Edge Order Manager: the account's values go out, a login of Connect2Cart comes back and is checked.

The check shows that the script and the login work. That the vendor moved to a new account it cannot show, since the old
one goes on working: after a rotation a person says so, or the vendor's values are put in anew (stone_edge.md 1.2).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from providers.core.address import host_of
from providers.core.contract import TAKEN_OVER, Finding, LinkTools
from providers.core.redaction import Secret
from providers.stone_edge.inbound import inbound
from providers.stone_edge.seti import LOGIN, check


class Channel:
    """Implements `Link`. `negative_control` has every check try a wrong password too."""

    def __init__(self, tools: LinkTools, *, negative_control: bool) -> None:
        self._tools, self._negative_control = tools, negative_control

    @property
    def place(self) -> str:
        """No place of ours: the vendor keeps as many channels as it likes."""
        return ""

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """A person, where the check cannot."""
        return "person"

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Whatever the account is to do was proved when it became current."""
        return ()

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """The hand-over did it."""

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """The same check: what the vendor holds it has no call to tell."""
        return self.verify(generation, secret)

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """The vendor has no call for it: what it holds dies with the account."""
        return ()

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """The check of the Script URL, once the vendor gave it; what came in for this generation proves it taken over."""
        answer = self._tools.inbound()
        if answer is None:
            return ()
        found = inbound(answer.values)
        http = self._tools.http(host_of(found.script.origin))
        findings = check(http, found, negative_control=self._negative_control)
        works = any(finding.check == LOGIN and finding.verdict == "confirmed" for finding in findings)
        if works and answer.generation == generation:
            evidence = "the vendor's values came for this generation, and work"
            return (*findings, Finding(TAKEN_OVER, "confirmed", evidence))
        return findings


def channel(inputs: Mapping[str, Any], tools: LinkTools) -> Channel:
    """The link of these inputs; no call is made yet."""
    return Channel(tools, negative_control=bool(inputs.get("negative_control", False)))
