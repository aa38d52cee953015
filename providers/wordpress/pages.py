"""What every page and redirect of wp-admin says, as pure functions of its text (sheet woocommerce.md 3 and 4)."""

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.core.html import tree

_NONCE = re.compile(r"[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect of wp-admin, known by the end of its path and by its query. It is never followed."""

    ending: str
    values: Mapping[str, str] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    def is_it(self, location: str) -> bool:
        """Whether a `Location` is this one."""
        parts = urllib.parse.urlsplit(location)
        found = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        return (
            parts.path.endswith(self.ending)
            and self.values.items() <= found.items()
            and self.present <= found.keys()
            and not self.absent & found.keys()
        )


LOGGED_OUT = Redirect("/wp-login.php", {"loggedout": "true"})
CONFIRM_EMAIL = Redirect("/wp-login.php", {"action": "confirm_admin_email"})
LOGIN = (
    Redirect("/wp-login.php", {"reauth": "1"}),
    Redirect("/wp-login.php", absent=frozenset({"action", "loggedout"})),
)
UPGRADE = Redirect("/upgrade.php")


def leads_to_login(location: str) -> bool:
    """Whether a redirect asks to log in first: the session is over."""
    return any(redirect.is_it(location) for redirect in LOGIN)


def query(link: str) -> dict[str, str]:
    """The query of a link."""
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))


def is_nonce(text: str) -> bool:
    """Whether a text has the form of a nonce: ten hex digits."""
    return bool(_NONCE.fullmatch(text))


def login_refused(text: str) -> bool:
    """Whether the login page says no; it does so with status 200 (sheet 4.1, L7)."""
    return bool(tree(text).xpath('//*[@id="login_error"]'))


def logout_nonce(text: str) -> str:
    """The nonce of the log-out link of an admin page, empty where there is none."""
    if "wp-admin-bar-logout" not in text:
        return ""
    links = tree(text).xpath('//*[@id="wp-admin-bar-logout"]//a/@href')
    return next((nonce for link in links if (nonce := query(link).get("_wpnonce", ""))), "")
