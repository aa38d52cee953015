"""What carries a stack's hand-overs: Vault's wrapping, its mail server, and a terminal where a person stands at one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from providers.core import mail
from providers.core.contract import Clock
from providers.core.errors import Refused
from providers.core.mail import MailLogin, MailSettings
from providers.core.redaction import Secret
from providers.core.vault import Vault
from providers.core.vault.wrapping import Wrapped, WrappingState

LOGIN = "mail"
"""The entry under the hubs' mount that holds `username` and `password` of the mail server, where it wants a login."""


class StackCourier:
    """Implements `handover.Courier`. `server` is the mail server of `_stack.yaml` (server, sender, port, security) and
    `ca_file` the authorities it may have; `hubs` the mount of its login; `show` shows a text on a terminal."""

    def __init__(
        self,
        vault: Vault,
        hubs: str,
        server: Mapping[str, Any] | None,
        ca_file: str,
        clock: Clock,
        show: Callable[[str], None] | None,
    ) -> None:
        self._vault, self._hubs, self._clock = vault, hubs, clock
        authorities = Path(ca_file) if ca_file else None
        self._mail = MailSettings(**server, ca_file=authorities) if server else None
        self.show = show

    @property
    def mails(self) -> bool:
        """Whether the stack has a mail server."""
        return self._mail is not None

    @property
    def address(self) -> str:
        """The address of Vault, for whoever opens a token."""
        return self._vault.settings.address

    def wrap(self, values: Mapping[str, Secret], ttl_seconds: int) -> Wrapped:
        """Put values behind a single-use token."""
        return self._vault.wrapping().wrap(values, ttl_seconds)

    def state(self, accessor: str) -> WrappingState:
        """Whether the token still waits."""
        return self._vault.wrapping().state(accessor)

    def void(self, accessor: str) -> None:
        """Make the token unopenable."""
        self._vault.wrapping().void(accessor)

    def send(self, to: str, subject: str, text: str) -> None:
        """Mail a text to one address, with the login that lies in Vault if there is one."""
        settings = self._settings()
        mail.send(settings, mail.compose(settings.sender, to, subject, text, self._clock()), self._login())

    def greet(self) -> str:
        """Talk to the mail server as far as its login, and send nothing; what was found, in words."""
        settings, login = self._settings(), self._login()
        mail.greet(settings, login)
        server, port = settings.place
        return f"{server}:{port} takes {'the login in Vault' if login is not None else 'mail without a login'}"

    def _settings(self) -> MailSettings:
        if self._mail is None:
            raise Refused("the stack has no mail server", do="Declare hubs.mail in _stack.yaml")
        return self._mail

    def _login(self) -> MailLogin | None:
        found = self._vault.secret(self._hubs, LOGIN)
        if found is None:
            return None
        if found.keys() != {"username", "password"}:
            raise Refused(f"{self._hubs}/{LOGIN} does not hold username and password", do="Write it again")
        return MailLogin(**found)
