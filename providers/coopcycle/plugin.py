"""`coopcycle.PluginLink`: the CoopCycle plugin of a WordPress site, which sends the shop's orders to the app's store.

Its settings are the only way in, and its own check is one save late (sheet coopcycle.md 6): neither its message nor its
banner is ever read. What counts is what the settings page holds, and our own calls with exactly that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from providers.coopcycle.api import Api
from providers.coopcycle.scopes import PLUGIN
from providers.coopcycle.verification import bound, life
from providers.core.address import host_of, place_of
from providers.core.admin_session import Login
from providers.core.contract import Finding, LinkTools
from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    PersonNeeded,
    Rejected,
    StoreError,
    Transient,
    UnclearOutcome,
    Unexpected,
)
from providers.core.redaction import Secret
from providers.wordpress.options import Failed, Form, Site

PAGE: Final = "/wp-admin/options-general.php"
QUERY: Final = {"page": "coopcycle-settings"}
GROUP: Final = "coopcycle_woocommerce"
FIELDS: Final = {"base_url": "coopcycle_base_url", "identifier": "coopcycle_api_key", "secret": "coopcycle_api_secret"}
"""Our names, and the plugin's options (sheet 6)."""
BANNER: Final = "coopcycle_app_name"
"""The cached name for "Connected to app", which the plugin never clears (P7)."""

WORKS, SETTINGS = "calls as the plugin", "settings of the site"

Values = Mapping[str, Secret]


class PluginLink:
    """Implements `Link`. `adopt` allows to overwrite a pair that is not ours."""

    def __init__(self, site: str, adopt: bool, tools: LinkTools) -> None:
        self._site, self._adopt, self._tools = site, adopt, tools
        self._netloc, _, self._path = place_of(site).partition("/")

    @property
    def place(self) -> str:
        """The plugin of this site: it holds one pair."""
        return place(self._site)

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """Our own proof with what the site holds."""
        return "here"

    # --- looking ------------------------------------------------------------------------------------------------------

    def check(self, generation: int, secret: Values) -> Sequence[Finding]:
        """Whether the plugin could work with this: it asks for `deliveries`, and then for `/api/me`."""
        return self._works(_ours(secret), secret)

    def verify(self, generation: int, secret: Values) -> Sequence[Finding]:
        """The calls that the plugin makes, with the three values as the site has them."""
        held = self._held()
        findings = _compared(held, secret, None)
        if findings.verdict != "confirmed":
            return (findings,)
        return (findings, *self._works(held, secret))

    def observe(self, generation: int, secret: Values) -> Sequence[Finding]:
        """What the settings page holds against what the site was given."""
        try:
            held = self._held()
        except PersonNeeded as needed:
            return (Finding(SETTINGS, "unverifiable", str(needed)),)
        return (_compared(held, secret, self._generation(held)),)

    def _works(self, held: Values, secret: Values) -> tuple[Finding, ...]:
        """Token and `/api/me`, as the plugin asks; raises where the server cannot say now."""
        where, api = place_of(held["base_url"].reveal()), self._api(held)
        found, status = api.entry_point()
        if not found:
            raise CouldNotLook(f"GET /api: {status}: this is not the entry point of CoopCycle", where=where)
        granted = api.token(held["identifier"], held["secret"], [PLUGIN])
        if granted.token is None:
            words = f"POST /oauth2/token with scope {PLUGIN}: {granted}"
            if granted.refused or granted.scope_refused:
                return (Finding(WORKS, "contradicted", words),)
            raise CouldNotLook(words, do="Try again", where=where)
        seen = api.get("/api/me", granted.token)
        words = f"POST /oauth2/token with scope {PLUGIN}: 200, GET /api/me: {seen.status}"
        if seen.me is None and seen.status in {200, 408, 429, 502, 503, 504}:
            raise Transient(words, do="Try again", where=where)
        if seen.me is None:
            return (Finding(WORKS, "contradicted", f"{words}: this pair opens nothing"),)
        store = secret["store"].reveal() if "store" in secret else ""
        return (Finding(WORKS, "confirmed", words), bound(seen.me, int(store) if store else None))

    def _api(self, held: Values) -> Api:
        address = held["base_url"].reveal()
        return Api(self._tools.http(host_of(address)).origin(address))

    # --- giving -------------------------------------------------------------------------------------------------------

    def connect(self, generation: int, secret: Values) -> None:
        """Save the three values and read them back; all other settings stay. Nothing is saved where they stand already."""
        ours = _ours(secret)
        with self._open() as site:
            held = _values(self._settings(site))
            if _same(held, ours):
                return
            self._may_overwrite(held, ours)
            trouble = self._save(site, ours)
            if isinstance(trouble, Failed) and not _same(self._read(site), ours) and self._is_dead(held, ours):
                # What it breaks on is the pair that it holds: without one it makes no call.
                self._save(site, dict.fromkeys(FIELDS, Secret("")))
                trouble = self._save(site, ours)
            if _same(self._read(site), ours):
                return
        if trouble is not None:
            raise trouble
        raise Unexpected("the site did not keep what was saved in the plugin's settings", where=self._netloc)

    def _may_overwrite(self, held: Values, ours: Values) -> None:
        empty = not held["identifier"].reveal() and not held["secret"].reveal()
        known = held["identifier"].same(ours["identifier"]) or self._generation(held) is not None
        if not (empty or known or self._adopt):
            raise Rejected(
                f"the CoopCycle plugin of {self._site} holds credentials that are not ours",
                do="Find out who uses them; then `adopt: true` at the link lets them be replaced",
                where=self._netloc,
            )

    def _is_dead(self, held: Values, ours: Values) -> bool:
        """Whether the pair that the site holds opens nothing at our server: a site never loses one that works."""
        if not held["base_url"].same(ours["base_url"]):
            return False
        return life(self._api(held), {"identifier": held["identifier"], "secret": held["secret"]}) != "accepted"

    def _save(self, site: Site, values: Values) -> StoreError | None:
        """One save; what went wrong where it is not known what is stored now."""
        try:
            site.save(PAGE, QUERY, GROUP, {FIELDS[name]: value for name, value in values.items()})
        except Failed:
            return Failed(
                "the CoopCycle plugin breaks while it saves (500): it tries the pair that the site holds, and does not catch"
                " what CoopCycle answers to one that opens nothing",
                do="Empty its three settings, with `wp option delete coopcycle_api_key coopcycle_api_secret` if its page"
                " breaks too, and run again",
                where=self._netloc,
            )
        except UnclearOutcome as lost:
            return lost
        return None

    # --- clearing -----------------------------------------------------------------------------------------------------

    def disconnect(self, secret: Values) -> Sequence[str]:
        """Empty the three values and the banner's name; a pair that is not ours stays."""
        with self._open() as site:
            form = site.form(PAGE, QUERY, GROUP)
            if form is None:
                return self._without_page(site, secret)
            held = _values(form)
            if not self._is_ours(held, secret):
                return self._left()
            nothing = dict.fromkeys(FIELDS, Secret(""))
            trouble = None if _same(held, nothing) else self._save(site, nothing)
            if not _same(self._read(site), nothing):
                raise trouble or Unexpected("the site did not empty the plugin's settings", where=self._netloc)
            return self._banner(site)

    def _left(self) -> Sequence[str]:
        return (f"the CoopCycle plugin of {self._site} holds credentials that are not ours; they were left there",)

    def _without_page(self, site: Site, secret: Values) -> Sequence[str]:
        """Where the plugin is not active, its options may still be there."""
        held = {name: site.option(option) or Secret("") for name, option in FIELDS.items()}
        if not self._is_ours(held, secret):
            return self._left()
        if _empty(held):
            return ()
        site.empty(tuple(FIELDS.values()))
        return self._banner(site)

    def _banner(self, site: Site) -> Sequence[str]:
        """The name that the plugin shows for ever, though nothing is connected (P7)."""
        try:
            left = site.option(BANNER)
            if left is not None and left.reveal():
                site.empty((BANNER,))
                left = site.option(BANNER)
            if left is None or not left.reveal():
                return ()
            why = "the site keeps it"
        except StoreError as error:
            why = error.what
        advice = f"delete the option `{BANNER}` (`wp option delete {BANNER}`)"
        return (f"{self._site}: {advice}, or the plugin goes on saying that it is connected: {why}",)

    def _is_ours(self, held: Values, secret: Values) -> bool:
        given = "identifier" in secret and held["identifier"].same(secret["identifier"])
        return _empty(held) or given or self._generation(held) is not None

    # --- the site -----------------------------------------------------------------------------------------------------

    def _open(self) -> Site:
        def login() -> Login | None:
            # With the port, where it is not the usual one: another service of the same host must not get this login.
            return self._tools.admin_login(self._netloc, self._path)

        return Site(self._tools.http(host_of(self._site)), self._site, login)

    def _settings(self, site: Site) -> Form:
        form = site.form(PAGE, QUERY, GROUP)
        if form is None:
            raise Forbidden(
                "the settings of the CoopCycle plugin cannot be opened (403)",
                do="See that the plugin is active, and that the login is an administrator's",
                where=self._netloc,
            )
        return form

    def _read(self, site: Site) -> Values:
        return _values(self._settings(site))

    def _held(self) -> Values:
        with self._open() as site:
            return self._read(site)

    def _generation(self, held: Values) -> int | None:
        return self._tools.generation_of({"identifier": held["identifier"], "secret": held["secret"]})


def place(site: str) -> str:
    """The identity of the slot: the plugin of one site."""
    return f"CoopCycle plugin at {site}"


def _values(form: Form) -> Values:
    """The three values of the plugin's form; `Unexpected` where it is another form."""
    if not all(form.has(option) for option in FIELDS.values()):
        raise Unexpected("the settings of the CoopCycle plugin are not those we know")
    return {name: Secret(form.value(option).reveal().strip()) for name, option in FIELDS.items()}


def _ours(secret: Values) -> Values:
    if not secret.keys() >= FIELDS.keys():
        raise Unexpected("the plugin works with an address, an identifier and a secret, and one of them is not there")
    return {name: secret[name] for name in FIELDS}


def _same(held: Values, ours: Values) -> bool:
    return all(held[name].same(ours[name]) for name in FIELDS)


def _empty(held: Values) -> bool:
    return not any(value.reveal() for value in held.values())


def _compared(held: Values, secret: Values, generation: int | None) -> Finding:
    """What the settings page holds against what was given."""
    ours = _ours(secret)
    if _same(held, ours):
        return Finding(SETTINGS, "confirmed", "the site holds what it was given")
    if _empty(held):
        words = "they were emptied"
    elif held["identifier"].same(ours["identifier"]) and held["secret"].same(ours["secret"]):
        words = "they name another server"
    elif generation is not None:
        words = f"they hold generation {generation}"
    else:
        words = "they hold another pair"
    return Finding(SETTINGS, "contradicted", words)


def link(inputs: Mapping[str, Any], tools: LinkTools) -> PluginLink:
    """The link for its inputs: `site`, and `adopt` where that is declared."""
    return PluginLink(inputs["site"], bool(inputs.get("adopt")), tools)
