"""The REST API of one WordPress site, as far as SureCart's plugin serves it there (sheet surecart.md 4 and 5).

A read gives the token in clear to any administrator: it is a `Secret` from the moment it is read, and nothing else of these
bodies is kept, logged or told. Errors are told apart by the body's `code`, since a bad token is answered 500.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn

from providers.core.address import place_of
from providers.core.errors import Forbidden, Rejected, StoreError, Transient, Unauthorized, Unexpected
from providers.core.http import Answer, Origin
from providers.core.redaction import Secret

SETTINGS: Final = "/wp-json/surecart/v1/settings"
HEALTH: Final = "/wp-json/surecart/v1/site-health/api-connectivity/"

Login = Mapping[str, Secret]
"""`username` and `application_password` of an administrator of the site; a password for wp-admin never serves."""

LOGIN_FIELDS: Final = ("username", "application_password")


class TokenDropped(StoreError):
    """The plugin was refused by the cloud with what it was given, and has dropped the token it had."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the site reads as its token: `absent` (never set, dropped, or no longer readable), `emptied`, or a token."""

    shape: Literal["absent", "emptied", "token"]
    token: Secret | None = field(default=None, repr=False)

    def holds(self, token: Secret) -> bool:
        """Whether it is exactly this token."""
        return self.token is not None and self.token.same(token)


class Site:
    """One site. `login` gives the login from Vault, or None; it is asked for at the first call. Thread-safe."""

    def __init__(self, origin: Origin, login: Callable[[], Login | None]) -> None:
        self._origin, self._login = origin, login

    @property
    def url(self) -> str:
        """The address of the site in its one spelling."""
        return self._origin.url

    @property
    def where(self) -> str:
        """The site, as errors name it: several may share a host."""
        return place_of(self._origin.url)

    def stored(self) -> Stored:
        """What the site reads as its token. It asks nothing of the cloud."""
        return self._settings(self._call("GET", SETTINGS, safe=True))

    def write(self, token: Secret) -> None:
        """Give the plugin this token, which it tries at the cloud before it keeps it; an empty one is kept untried.

        `TokenDropped` where the cloud refused it: the plugin has then lost the one it had. Sent once: after
        `UnclearOutcome`, `Transient` and `Unexpected` a read tells what became of it. Every other error means that the
        site kept what it had.
        """
        self._settings(self._call("PATCH", SETTINGS, {"api_token": token}, safe=False))

    def healthy(self) -> bool:
        """Whether the plugin's own call to the cloud succeeds now. A refusal by the cloud makes it drop its token: only ask
        where the stored token was proved a moment ago. Asked once."""
        answer = self._call("GET", HEALTH, safe=False)
        document = _object(answer)
        status = document.get("status")
        if answer.status != 200 or status not in ("good", "critical"):
            self._refused(answer, document)
        return bool(status == "good")

    def _call(self, method: str, path: str, body: Mapping[str, Secret] | None = None, *, safe: bool) -> Answer:
        login = self._login()
        if login is None or not all(name in login and login[name].reveal() for name in LOGIN_FIELDS):
            raise Unauthorized(
                "there is no application password for this site in Vault",
                do=f"Make one for an administrator (Users > Profile), and put `{LOGIN_FIELDS[0]}` and `{LOGIN_FIELDS[1]}`"
                f" among the admin logins, under {self.where}",
                where=self.where,
            )
        pair = (login[LOGIN_FIELDS[0]], login[LOGIN_FIELDS[1]])
        headers = {"accept": "application/json"}
        return self._origin.request(method, path, safe=safe, json=body, headers=headers, auth=pair)

    def _settings(self, answer: Answer) -> Stored:
        document = _object(answer)
        if answer.status != 200 or document.get("object") != "settings":
            self._refused(answer, document)
        match document.get("api_token"):
            case False:
                return Stored("absent")
            case "":
                return Stored("emptied")
            case str(text):
                return Stored("token", Secret(text))
        raise Unexpected("the site shows its token in a form that is not known", where=self.where)

    def _refused(self, answer: Answer, document: Mapping[str, Any]) -> NoReturn:
        """Say what an answer means that is no success. No text of it is repeated."""
        found = document.get("code")
        code = found if isinstance(found, str) else ""
        for known in _REFUSALS:
            if code in known.codes and answer.status in known.statuses:
                raise known.error(known.words, do=known.do, where=self.where)
        for known in _REFUSALS:
            if not known.codes and answer.status in known.statuses:
                raise known.error(f"{known.words} ({answer.status})", do=known.do, where=self.where)
        raise Unexpected(f"the site answers {answer.status} in a form that is not SureCart's", where=self.where)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How a refusal is recognised, by `code` where there are `codes`, and what it means."""

    codes: frozenset[str]
    statuses: range
    error: type[StoreError]
    words: str
    do: str = ""


_ANY: Final = range(100, 600)

_REFUSALS: Final = (
    _Refusal(
        frozenset({"invalid_token"}),
        _ANY,
        TokenDropped,
        "SureCart's cloud refused the plugin, which has dropped the token it had",
    ),
    _Refusal(
        frozenset({"http_request_failed"}),
        _ANY,
        Transient,
        "the site cannot reach SureCart's cloud; it kept the token it had",
        "See why its server has no way out, and run again",
    ),
    _Refusal(
        frozenset({"rest_no_route"}),
        _ANY,
        Rejected,
        "the site has no SureCart plugin that answers",
        "Install and activate SureCart there, and run again",
    ),
    _Refusal(
        frozenset(),
        range(401, 402),
        Unauthorized,
        "the site does not take its application password",
        "Put the right one into Vault; see that the site is served on https, that no plugin switches application passwords"
        " off, and that the server hands the header Authorization on",
    ),
    _Refusal(
        frozenset(),
        range(403, 404),
        Forbidden,
        "the site does not let its login do this",
        "Give the login the role administrator (`manage_options`), or see which security plugin is in the way",
    ),
    _Refusal(
        frozenset(),
        range(404, 405),
        Rejected,
        "nothing answers at /wp-json/",
        "Choose pretty permalinks (Settings > Permalinks), or correct the address of the site",
    ),
    _Refusal(
        frozenset(),
        range(300, 400),
        Rejected,
        "the site leads to another address",
        "Declare the address that its visitors end at",
    ),
    _Refusal(
        frozenset(),
        range(500, 600),
        Transient,
        "the site fails, or SureCart's cloud behind it",
        "Try later",
    ),
)
"""What refusals mean (sheet 4); those with codes come first."""


def place(site: str) -> str:
    """The identity of the slot: the plugin of one site. Other plugins of the site are other slots."""
    return f"SureCart plugin at {site}"


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except Unexpected:
        return {}
    return document if isinstance(document, dict) else {}
