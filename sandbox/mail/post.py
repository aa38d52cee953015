"""What the mail server knows: who may send, how it behaves, and the mails it has taken."""

from __future__ import annotations

import base64
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.documents import Documents

MAIL, ACCOUNT, SETTINGS, PORTS = "mail", "account", "settings", "ports"
"""Kinds of documents."""

Transport = Literal["starttls", "implicit"]
"""How a connection gets its TLS."""

Mechanism = Literal["LOGIN", "PLAIN"]


class MailSettings(BaseModel):
    """How the server behaves; the defaults are a strict and healthy submission server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    login_required: bool = True
    mechanisms: tuple[Mechanism, ...] = ("LOGIN", "PLAIN")
    """How one may log in; none is a server without logins."""
    tls_required: bool = True
    """Neither logins nor mail before STARTTLS. Off: a careless server takes both in the clear."""
    starttls: Literal["works", "absent", "refused"] = "works"
    """`absent`: not offered, as behind a proxy that strips it; `refused`: offered, then answered 454."""
    certificate: Literal["good", "other_host", "other_authority"] = "good"


class Account(BaseModel):
    """Somebody who may send."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str
    password: str = Field(repr=False)


class MailPorts(BaseModel):
    """Where the server listens; 0 is any free port."""

    model_config = ConfigDict(frozen=True)

    starttls: int = 0
    implicit: int = 0


class KeptMail(BaseModel):
    """One mail as it was taken."""

    model_config = ConfigDict(frozen=True)

    number: int
    time: float
    sender: str
    """Of the envelope, as are the recipients."""
    recipients: tuple[str, ...]
    username: str | None
    """Who had logged in."""
    tls: Transport | None
    """None where it came in the clear."""
    content: str = Field(repr=False)
    """The whole mail, header and body, in base64."""


class Post:
    """Accounts, settings and mails of the process, kept in memory and written through."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.settings = MailSettings()
        for document in documents.all(SETTINGS):
            self.settings = MailSettings.model_validate_json(document)
        stored = [Account.model_validate_json(document) for document in documents.all(ACCOUNT)]
        self._accounts = {account.username: account for account in stored}
        self._mails = [KeptMail.model_validate_json(document) for document in documents.all(MAIL)]
        self._last = self._mails[-1].number if self._mails else 0
        self.ports = MailPorts()
        for document in documents.all(PORTS):
            self.ports = MailPorts.model_validate_json(document)

    def change_settings(self, changes: dict[str, Any]) -> MailSettings:
        """Set some settings; they hold for connections made from now on."""
        self.settings = MailSettings.model_validate(self.settings.model_dump() | changes)
        self._documents.put(SETTINGS, "", self.settings.model_dump_json())
        return self.settings

    def reset_settings(self) -> MailSettings:
        """Back to the defaults."""
        self.settings = MailSettings()
        self._documents.clear(SETTINGS)
        return self.settings

    def listen_on(self, ports: MailPorts) -> None:
        """Remember the ports: who was told them finds the server there after a restart."""
        self.ports = ports
        self._documents.put(PORTS, "", ports.model_dump_json())

    # Accounts

    def usernames(self) -> list[str]:
        """Who may send."""
        return sorted(self._accounts)

    def put_account(self, order: dict[str, Any]) -> Account:
        """Let somebody send, or give them another password."""
        account = Account.model_validate(order)
        self._accounts[account.username] = account
        self._documents.put(ACCOUNT, account.username, account.model_dump_json())
        return account

    def delete_account(self, username: str) -> None:
        """Let somebody send no longer."""
        self._accounts.pop(username, None)
        self._documents.delete(ACCOUNT, username)

    def may_send(self, username: str, password: str) -> bool:
        """Whether these are the credentials of an account."""
        account = self._accounts.get(username)
        return account is not None and account.password == password

    # Mails

    def keep(
        self,
        sender: str,
        recipients: tuple[str, ...],
        username: str | None,
        tls: Transport | None,
        content: bytes,
    ) -> KeptMail:
        """Take a mail."""
        self._last += 1
        mail = KeptMail(
            number=self._last,
            time=time.time(),
            sender=sender,
            recipients=recipients,
            username=username,
            tls=tls,
            content=base64.b64encode(content).decode(),
        )
        self._mails.append(mail)
        # Documents come back in the order of their names.
        self._documents.put(MAIL, f"{mail.number:012}", mail.model_dump_json())
        return mail

    def mails(self, since: int = 0) -> list[KeptMail]:
        """The mails after a number, oldest first."""
        return [mail for mail in self._mails if mail.number > since]

    def clear(self) -> None:
        """Throw every mail away; the numbers go on while the process lives."""
        self._mails.clear()
        self._documents.clear(MAIL)
