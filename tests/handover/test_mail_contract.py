"""Mails against the sandbox's mail server: what arrives, how, and what is said where it did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from providers.core.errors import ConnectionsError, Rejected, Transient, Unauthorized, UnclearOutcome, Unreachable
from providers.core.mail import MailLogin, MailSettings, compose, send
from providers.core.redaction import Secret
from sandbox.server_process import ServerProcess, start

SENDER, RECIPIENT = "integrations@agency.example", "sales@vendor.example"
LOGIN = MailLogin(Secret("mailer"), Secret("mail-canary-ü"))
MESSAGE = compose(SENDER, RECIPIENT, "Übergabe", "Open this once:\n\n.token\n", datetime(2026, 5, 4, tzinfo=UTC))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("mail")) as process:
        process.client.mail.put_account("mailer", "mail-canary-ü")
        yield process


@pytest.fixture(autouse=True)
def clean(sandbox: ServerProcess) -> Iterator[None]:
    yield
    sandbox.client.clear_faults()
    sandbox.client.mail.reset_settings()
    sandbox.client.mail.clear()


def settings(sandbox: ServerProcess, security: Literal["starttls", "tls"] = "starttls") -> MailSettings:
    server = sandbox.client.mail.server()
    port = server.starttls_port if security == "starttls" else server.implicit_port
    return MailSettings(
        server=server.host, sender=SENDER, security=security, port=port, ca_file=sandbox.ca, deadline=10
    )


@pytest.mark.parametrize(("security", "tls"), [("starttls", "starttls"), ("tls", "implicit")])
@pytest.mark.parametrize("mechanisms", [["PLAIN"], ["LOGIN"], ["LOGIN", "PLAIN"]], ids="-".join)
def test_a_mail_arrives(
    security: Literal["starttls", "tls"], tls: str, mechanisms: list[str], sandbox: ServerProcess
) -> None:
    sandbox.client.mail.change_settings(mechanisms=mechanisms)
    send(settings(sandbox, security), MESSAGE, LOGIN)
    (mail,) = sandbox.client.mail.mails()
    assert (mail.sender, mail.recipients, mail.username, mail.tls) == (SENDER, (RECIPIENT,), "mailer", tls)
    assert mail.message["Subject"] == "Übergabe"
    assert mail.message.get_content().split() == ["Open", "this", "once:", ".token"]


def test_a_server_without_logins(sandbox: ServerProcess) -> None:
    sandbox.client.mail.change_settings(login_required=False, mechanisms=[])
    send(settings(sandbox), MESSAGE)
    (mail,) = sandbox.client.mail.mails()
    assert mail.username is None


SETTINGS: list[tuple[dict[str, Any], MailLogin | None, type[ConnectionsError]]] = [
    ({"starttls": "absent", "tls_required": False}, LOGIN, Rejected),
    ({"starttls": "refused", "tls_required": False}, LOGIN, Transient),
    ({"certificate": "other_host"}, LOGIN, Unreachable),
    ({"certificate": "other_authority"}, LOGIN, Unreachable),
    ({}, MailLogin(Secret("mailer"), Secret("mistyped")), Unauthorized),
    ({"mechanisms": []}, LOGIN, Rejected),
    ({}, None, Rejected),
]


@pytest.mark.parametrize(("changed", "login", "error"), SETTINGS)
def test_what_surely_was_not_sent(
    changed: dict[str, Any], login: MailLogin | None, error: type[ConnectionsError], sandbox: ServerProcess
) -> None:
    sandbox.client.mail.change_settings(**changed)
    with pytest.raises(error, match="nothing was sent"):
        send(settings(sandbox), MESSAGE, login)
    assert sandbox.client.mail.mails() == []


FAULTS: list[tuple[Any, str, dict[str, Any], type[ConnectionsError], int]] = [
    ("status", "mail_recipient", {"status": 550}, Rejected, 0),
    ("status", "mail_content", {"status": 451}, Transient, 0),
    ("drop_before", "mail_recipient", {}, Unreachable, 0),
    ("drop_before", "mail_content", {}, UnclearOutcome, 0),
    ("drop_after", "mail_content", {}, UnclearOutcome, 1),
]


@pytest.mark.parametrize(("effect", "operation", "details", "error", "kept"), FAULTS)
def test_whether_it_was_sent(
    effect: Any,
    operation: str,
    details: dict[str, Any],
    error: type[ConnectionsError],
    kept: int,
    sandbox: ServerProcess,
) -> None:
    sandbox.client.add_fault(effect, store="_mail", operation=operation, **details)
    with pytest.raises(error):
        send(settings(sandbox), MESSAGE, LOGIN)
    assert len(sandbox.client.mail.mails()) == kept
