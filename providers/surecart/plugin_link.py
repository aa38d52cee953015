"""`surecart.PluginLink`: the token in SureCart's plugin on one WordPress site (sheet surecart.md 4 to 7).

Giving the plugin a bad token costs it the good one, so nothing is given that was not proved at the cloud a moment before;
and what makes the plugin call the cloud is only asked where the token that it holds was proved too. A look (`observe`)
reads what is stored, and makes no call to the cloud at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from providers.core.address import host_of, parse, place_of
from providers.core.contract import Finding, LinkTools
from providers.core.errors import Rejected, StoreError, Transient, Unauthorized, UnclearOutcome, Unexpected
from providers.core.redaction import Secret
from providers.surecart.account_proof import ask, findings
from providers.surecart.cloud import HOOK, Cloud, api
from providers.surecart.site import Site, Stored, TokenDropped, place
from providers.surecart.token_text import FIELD

STORED: Final = "stored token"
CONNECTED: Final = "connected"
"""The checks at the site: that it holds exactly this token, and that its plugin's own call to the cloud succeeds."""

_GONE: Final = (
    "no token is there: never set, dropped after the cloud refused it, or no longer readable since the site's salts"
    " changed"
)
_OVERRIDE: Final = "a constant SURECART_API_TOKEN in the site's wp-config.php overrides what is stored"


class PluginLink:
    """Implements `Link`. `account` is the slug of the account; `adopt` permits to replace a token that is none of ours."""

    def __init__(self, site: Site, cloud: Cloud, tools: LinkTools, *, account: str, adopt: bool) -> None:
        self._site, self._cloud, self._tools = site, cloud, tools
        self._account, self._adopt = account, adopt
        self._proved: Secret | None = None

    @property
    def place(self) -> str:
        """The plugin of this site: it holds one token."""
        return place(self._site.url)

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """The site shows whether it is connected."""
        return "here"

    # --- before anything is given -------------------------------------------------------------------------------------

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Whether the cloud takes the token now, and whether it is of the declared account. Where that cannot be told, an
        error: such a token is not given either."""
        self._proved = None
        token = _token(secret)
        said = ask(self._cloud, token)
        found = tuple(findings(said, self._account))
        if any(finding.verdict == "contradicted" for finding in found):
            return found
        if said.account is None:
            raise Unexpected(
                f"the token cannot be proved, and nothing was given to the site: {said.words}", where=self._cloud.where
            )
        self._proved = token
        return found

    def _prove(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Be sure of the token: an error where it fails its check."""
        if self._proved is not None and self._proved.same(_token(secret)):
            return
        for finding in self.check(generation, secret):
            if finding.verdict == "contradicted":
                raise Unauthorized(
                    f"the token was not given to the site: {finding.evidence}", do=_AFRESH, where=self._site.where
                )

    # --- giving -------------------------------------------------------------------------------------------------------

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Put the token into the plugin, and read it back. Where it is there already, nothing is sent."""
        token = _token(secret)
        former = self._site.stored()
        if former.holds(token):
            return
        if former.token is not None and not self._adopt and self._generation(former.token) is None:
            raise Rejected(
                "the site has a token that is none of ours; nothing was changed",
                do="Write `adopt: true` at the link to replace it. It may stand in the constant SURECART_API_TOKEN, which"
                " only an edit of wp-config.php takes away",
                where=self._site.where,
            )
        self._prove(generation, secret)
        try:
            self._site.write(token)
        except TokenDropped:
            self._repair(generation, secret, former)
        except (UnclearOutcome, Transient, Unexpected):
            # What is stored now tells whether it was carried out, and with which end.
            now = self._site.stored()
            if now.shape == "absent" and former.shape != "absent":
                self._repair(generation, secret, former)
            elif not now.holds(token):
                raise
        self._read_back(token)

    def _read_back(self, token: Secret) -> None:
        now = self._site.stored()
        if now.holds(token):
            return
        if now.token is not None:
            # The plugin said yes, and goes on reading another one.
            raise Rejected(
                f"the site took the token and still uses another one: {_OVERRIDE}",
                do="Take that line out of wp-config.php, and run again",
                where=self._site.where,
            )
        raise Rejected(
            "the site took the token and cannot read it back: its salts (LOGGED_IN_KEY, LOGGED_IN_SALT, or SureCart's own"
            " constants) change from request to request, or something empties it",
            do="See that wp-config.php has fixed salts, and run again",
            where=self._site.where,
        )

    def _repair(self, generation: int, secret: Mapping[str, Secret], former: Stored) -> None:
        """Give the site a token once more that lost the one it had: this one, if the cloud takes it after all; else the one
        that it had before, if that is good. An error where the site does not have this one in the end."""
        self._proved = None
        try:
            self._prove(generation, secret)
            self._site.write(_token(secret))
            return
        except StoreError as error:
            why = error.what
        if former.token is not None and self._is_back(former.token):
            raise Rejected(
                f"the cloud does not take this token through the site: {why}",
                do="The site has the token that it had before, and works with it. Run again",
                where=self._site.where,
            )
        raise Rejected(
            f"the site lost its token when this one was given to it, and is NOT connected now: {why}",
            do="Run `pulumi up` again; where the token is dead, capture a new one at once",
            where=self._site.where,
        )

    def _is_back(self, token: Secret) -> bool:
        """Whether the site could be given back what it had."""
        try:
            if ask(self._cloud, token).life != "accepted":
                return False
            self._site.write(token)
            return self._site.stored().holds(token)
        except StoreError:
            return False

    # --- looking ------------------------------------------------------------------------------------------------------

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """That the site holds exactly this token, and that its plugin reaches the account with it: the plugin's own call is
        made last, and only where the token that it holds was proved."""
        token = _token(secret)
        self._prove(generation, secret)
        held = self._held(self._site.stored(), token)
        if held.verdict != "confirmed":
            return (held,)
        if self._site.healthy():
            return held, Finding(CONNECTED, "confirmed", "the site's own call to the cloud succeeds")
        if self._site.stored().holds(token):
            raise Transient(
                "the site has the token, but its own call to the cloud fails",
                do="Run again later",
                where=self._site.where,
            )
        words = (
            "the cloud refused the plugin, which has dropped the token: it was deleted meanwhile, or the site calls another"
            " cloud (constant SURECART_API_URL)"
        )
        return (Finding(CONNECTED, "contradicted", words),)

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """Whether the site still holds the token. Nothing is asked that could make the plugin call the cloud."""
        token = _token(secret)
        return (self._held(self._site.stored(), token),)

    def _held(self, stored: Stored, token: Secret) -> Finding:
        if stored.holds(token):
            return Finding(STORED, "confirmed", "the site holds exactly this token")
        if stored.token is None:
            words = "the token was emptied" if stored.shape == "emptied" else _GONE
        else:
            number = self._generation(stored.token)
            words = f"the token of generation {number} is there" if number else "another token is there, none of ours"
            words += f"; put there by hand, or {_OVERRIDE}"
        return Finding(STORED, "contradicted", words)

    def _generation(self, token: Secret) -> int | None:
        return self._tools.generation_of({FIELD: token})

    # --- ending -------------------------------------------------------------------------------------------------------

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Delete the site's webhook endpoint at the cloud, then take the token out of the plugin. A token that is none of
        ours stays, and with it the webhook: somebody else uses the site."""
        stored = self._site.stored()
        known = secret.get(FIELD)
        given = known is not None and stored.holds(known)
        if stored.token is not None and not given and self._generation(stored.token) is None:
            return (f"{self._site.where} has another token by now, none of ours: it was left as it is",)
        left = [*self._unhook([token for token in (known, stored.token) if token is not None])]
        if stored.token is not None:
            self._site.write(Secret(""))
            if self._site.stored().token is not None:
                left.append(f"{self._site.where} still reads a token: {_OVERRIDE}; take that line out")
        return left

    def _unhook(self, tokens: Sequence[Secret]) -> Iterator[str]:
        """Delete the endpoint that sends to this site; what is left to do where none of these tokens lives."""
        ours = f"{self._site.url}{HOOK}"
        for token in tokens:
            try:
                for hook in [hook for hook in self._cloud.webhooks(token) if hook.url.rstrip("/") == ours]:
                    self._cloud.delete_webhook(token, hook)
            except Unauthorized:
                continue
            return
        yield (
            f"delete the webhook endpoint of {self._site.where} in SureCart's dashboard, if there is one:"
            " only a living token can do that from here"
        )


_AFRESH: Final = "Get a new token (`connections rotate`, then `connections capture`), and run `pulumi up`"


def _token(secret: Mapping[str, Secret]) -> Secret:
    if FIELD not in secret:
        raise Unexpected(f"the stored credential lacks {FIELD}")
    return secret[FIELD]


def plugin_link(inputs: Mapping[str, Any], tools: LinkTools) -> PluginLink:
    """The link of these inputs: `site`, its address; `account`, the slug; `api` where it is not the vendor's own; `adopt`.
    No call is made yet."""
    url, cloud = parse(inputs["site"]).url, api(inputs)
    host, _, path = place_of(url).partition("/")
    return PluginLink(
        # With its port, where it has one: another service of the same host must not get this login.
        Site(tools.http(host_of(url)).origin(url), lambda: tools.admin_login(host, path)),
        Cloud(tools.http(host_of(cloud)).origin(cloud)),
        tools,
        account=inputs["account"],
        adopt=bool(inputs.get("adopt", False)),
    )
