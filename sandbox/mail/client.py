"""What tests and scripts ask of the mail server."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

Call = Callable[..., dict[str, Any]]
"""Method, path below `/_control`, and a JSON body where there is one; answers JSON."""


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail as it was taken."""

    number: int
    time: float
    sender: str
    """Of the envelope, as are the recipients."""
    recipients: tuple[str, ...]
    username: str | None
    """Who had logged in."""
    tls: str | None
    """`starttls` or `implicit`; None where it came in the clear."""
    content: bytes = field(repr=False)
    """Header and body, as they came."""

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.content, policy=policy.default)


@dataclass(frozen=True, slots=True)
class MailServerRow:
    """The server as it is now."""

    host: str
    starttls_port: int
    implicit_port: int
    settings: dict[str, Any]
    usernames: tuple[str, ...]


class MailClient:
    """One method per control route of the mail server."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def server(self) -> MailServerRow:
        """Where it listens, how it behaves, and who may send."""
        return _server(self._call("GET", "/mail"))

    def change_settings(self, **settings: Any) -> MailServerRow:
        """Set some settings, for connections made from now on. README.md lists them."""
        return _server(self._call("PATCH", "/mail/settings", settings))

    def reset_settings(self) -> MailServerRow:
        """Back to a strict and healthy server."""
        return _server(self._call("DELETE", "/mail/settings"))

    def put_account(self, username: str, password: str) -> MailServerRow:
        """Let somebody send, or give them another password."""
        return _server(self._call("POST", "/mail/accounts", {"username": username, "password": password}))

    def delete_account(self, username: str) -> MailServerRow:
        """Let somebody send no longer."""
        return _server(self._call("DELETE", f"/mail/accounts/{username}"))

    def mails(self, to: str | None = None, since: int = 0) -> list[MailRow]:
        """The mails after a number, oldest first; with `to` those to this address alone."""
        rows = [_mail(row) for row in self._call("GET", f"/mails?since={since}")["mails"]]
        return [row for row in rows if to is None or to in row.recipients]

    def clear(self) -> None:
        """Throw every mail away."""
        self._call("DELETE", "/mails")


def _server(row: dict[str, Any]) -> MailServerRow:
    ports = row["ports"]
    return MailServerRow("localhost", ports["starttls"], ports["implicit"], row["settings"], tuple(row["usernames"]))


def _mail(row: dict[str, Any]) -> MailRow:
    fields = {"recipients": tuple(row["recipients"]), "content": base64.b64decode(row["content"])}
    return MailRow(**row | fields)
