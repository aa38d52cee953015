"""The mail server: who may send, what it keeps, and what goes wrong on purpose."""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest

from sandbox.client import Client, ControlError
from sandbox.mail.reader import InterceptedError, SealError, text_of
from sandbox.server_process import StartError, start
from sandbox.stone_edge.office import Office, OutboundValues
from sandbox.vault import Access, client

USERNAME, PASSWORD = "connections", "mail-password"
SENDER, OFFICE = "integrations@agency.example", "sales@stoneedge.example"
SITE = "_mail"
CLIENT_NAME = "client.example"

Way = Literal["starttls", "implicit", "clear"]
WAYS: tuple[Way, ...] = ("starttls", "implicit")


@pytest.fixture
def mailbox(control: Client) -> Iterator[Client]:
    control.mail.put_account(USERNAME, PASSWORD)
    yield control
    control.clear_faults()
    control.mail.reset_settings()
    control.mail.clear()


def letter(text: str = "Hello.\n", to: str = OFFICE) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, "Values for fresh-roast"
    message.set_content(text)
    return message


def send(
    control: Client,
    message: EmailMessage,
    way: Way = "starttls",
    *,
    login: tuple[str, str] | None = (USERNAME, PASSWORD),
    mechanism: str = "",
) -> dict[str, tuple[int, bytes]]:
    """Send as a careful program does, and return who was refused."""
    server = control.mail.server()
    context = ssl.create_default_context(cafile=str(control.ca))
    # With a name of its own smtplib looks up none.
    if way == "implicit":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.implicit_port, CLIENT_NAME, timeout=10, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.starttls_port, CLIENT_NAME, timeout=10)
    try:
        if way == "starttls":
            smtp.starttls(context=context)
        if mechanism and login is not None:
            smtp.ehlo()
            smtp.user, smtp.password = login
            smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower()}"), initial_response_ok=False)
        elif login is not None:
            smtp.login(*login)
        return smtp.send_message(message)
    finally:
        smtp.close()


@pytest.mark.parametrize("way", WAYS)
def test_mails_are_kept_as_they_came(way: Way, mailbox: Client) -> None:
    text = "Hello,\n\n.a line with a dot\n.\n..\nand the last\n"
    send(mailbox, letter(text), way)
    (mail,) = mailbox.mail.mails()
    assert (mail.sender, mail.recipients, mail.username, mail.tls) == (SENDER, (OFFICE,), USERNAME, way)
    assert mail.message["Subject"] == "Values for fresh-roast"
    # Lines end as they do on the wire.
    assert mail.message.get_content() == text.replace("\n", "\r\n")


@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN"])
@pytest.mark.parametrize("way", WAYS)
def test_both_ways_to_log_in(way: Way, mechanism: str, mailbox: Client) -> None:
    send(mailbox, letter(), way, mechanism=mechanism)
    assert len(mailbox.mail.mails()) == 1
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(mailbox, letter(), way, login=(USERNAME, "wrong"), mechanism=mechanism)


def test_mails_are_chosen_by_recipient_and_number(mailbox: Client) -> None:
    for to in (OFFICE, "dev@fresh-roast.example", OFFICE):
        send(mailbox, letter(to=to))
    first, second, third = mailbox.mail.mails()
    assert mailbox.mail.mails(OFFICE) == [first, third]
    assert mailbox.mail.mails(since=first.number) == [second, third]
    mailbox.mail.clear()
    assert mailbox.mail.mails() == []
    send(mailbox, letter())
    assert mailbox.mail.mails()[0].number > third.number


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("login", [(USERNAME, "wrong"), ("nobody", PASSWORD)])
def test_wrong_logins(way: Way, login: tuple[str, str], mailbox: Client) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        send(mailbox, letter(), way, login=login)
    assert caught.value.smtp_code == 535
    assert mailbox.mail.mails() == []


def test_an_account_ends(mailbox: Client) -> None:
    mailbox.mail.put_account("other", "first")
    mailbox.mail.put_account("other", "second")
    send(mailbox, letter(), login=("other", "second"))
    assert mailbox.mail.delete_account("other").usernames == (USERNAME,)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(mailbox, letter(), login=("other", "second"))


def refusal(control: Client, way: Way, login: tuple[str, str] | None) -> int:
    """The code that refuses a sender."""
    with pytest.raises(smtplib.SMTPSenderRefused) as caught:
        send(control, letter(), way, login=login)
    return caught.value.smtp_code


def test_nothing_without_login_or_in_the_clear(mailbox: Client) -> None:
    assert [refusal(mailbox, way, None) for way in ("starttls", "implicit", "clear")] == [530, 530, 530]
    # A login is not even offered before TLS.
    mailbox.mail.put_account("other", "never-sent")
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(mailbox, letter(), "clear", login=("other", "never-sent"))
    assert mailbox.find_value("never-sent") == []


def test_a_careless_server_shows_who_was_careless(mailbox: Client) -> None:
    mailbox.mail.change_settings(tls_required=False)
    send(mailbox, letter(), "clear")
    mailbox.mail.change_settings(login_required=False, mechanisms=[])
    send(mailbox, letter(), "clear", login=None)
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(mailbox, letter(), "starttls")
    assert [(mail.tls, mail.username) for mail in mailbox.mail.mails()] == [(None, USERNAME), (None, None)]


@pytest.mark.parametrize(
    ("starttls", "error"), [("absent", smtplib.SMTPNotSupportedError), ("refused", smtplib.SMTPResponseException)]
)
def test_starttls_that_does_not_come_about(starttls: str, error: type[Exception], mailbox: Client) -> None:
    mailbox.mail.change_settings(starttls=starttls)
    with pytest.raises(error):
        send(mailbox, letter())
    assert refusal(mailbox, "clear", None) == 530
    send(mailbox, letter(), "implicit")


@pytest.mark.parametrize("certificate", ["other_host", "other_authority"])
@pytest.mark.parametrize("way", WAYS)
def test_certificates_that_prove_nothing(way: Way, certificate: str, mailbox: Client) -> None:
    mailbox.mail.change_settings(certificate=certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        send(mailbox, letter(), way)
    mailbox.mail.reset_settings()
    send(mailbox, letter(), way)


def test_settings_are_checked(mailbox: Client) -> None:
    for wrong in ({"certificate": "none"}, {"mechanisms": ["CRAM-MD5"]}, {"colour": "red"}):
        with pytest.raises(ControlError):
            mailbox.mail.change_settings(**wrong)


# --- faults ---------------------------------------------------------------------------------------------------------


def test_a_rejected_recipient(mailbox: Client) -> None:
    mailbox.add_fault(
        "status", store=SITE, operation="mail_recipient", path="^sales@", status=550, body="5.1.1 no such mailbox"
    )
    message = letter(to=f"{OFFICE}, dev@fresh-roast.example")
    assert send(mailbox, message) == {OFFICE: (550, b"5.1.1 no such mailbox")}
    assert mailbox.mail.mails()[0].recipients == ("dev@fresh-roast.example",)


TEMPORARY = [
    ("mail_hello", smtplib.SMTPHeloError),
    ("mail_login", smtplib.SMTPAuthenticationError),
    ("mail_sender", smtplib.SMTPSenderRefused),
    ("mail_recipient", smtplib.SMTPRecipientsRefused),
    ("mail_content", smtplib.SMTPDataError),
]


@pytest.mark.parametrize(("operation", "error"), TEMPORARY)
def test_temporary_refusals(operation: str, error: type[Exception], mailbox: Client) -> None:
    # A client may try another greeting or another way to log in.
    rule = mailbox.add_fault("status", store=SITE, operation=operation, status=451, body="4.7.1 later", times=2)
    with pytest.raises(error, match="4.7.1 later"):
        send(mailbox, letter())
    mailbox.remove_fault(rule)
    assert mailbox.mail.mails() == []
    send(mailbox, letter())


@pytest.mark.parametrize(("effect", "kept"), [("drop_before", 0), ("drop_after", 1)])
@pytest.mark.parametrize("way", WAYS)
def test_connections_dropped_around_the_acceptance(way: Way, effect: Any, kept: int, mailbox: Client) -> None:
    mailbox.add_fault(effect, store=SITE, operation="mail_content")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox, letter(), way)
    assert len(mailbox.mail.mails()) == kept
    assert [row.status for row in mailbox.requests(store=SITE) if row.fault == effect][-1] == 0


@pytest.mark.parametrize("operation", [operation for operation, _ in TEMPORARY])
def test_connections_dropped_at_any_command(operation: str, mailbox: Client) -> None:
    mailbox.add_fault("drop_before", store=SITE, operation=operation)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox, letter())
    assert mailbox.mail.mails() == []


def test_a_mail_that_arrives_late_and_one_that_arrives_twice(mailbox: Client) -> None:
    rule = mailbox.add_fault("late_commit", store=SITE, operation="mail_content")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mailbox, letter())
    assert mailbox.mail.mails() == []
    mailbox.release(rule)
    assert len(mailbox.mail.mails()) == 1
    mailbox.add_fault("duplicate", store=SITE, operation="mail_content")
    send(mailbox, letter())
    assert len(mailbox.mail.mails()) == 3


@pytest.mark.parametrize(
    ("operation", "before", "kept"), [("mail_content", True, 0), ("mail_content", False, 1), ("mail_login", True, 0)]
)
def test_a_reply_that_hangs(operation: str, before: bool, kept: int, mailbox: Client) -> None:
    rule = mailbox.add_fault("hang", store=SITE, operation=operation, before=before)
    thread = threading.Thread(target=send, args=(mailbox, letter()))
    thread.start()
    mailbox.wait_for_fault(rule, 1, timeout=10)
    assert len(mailbox.mail.mails()) == kept
    mailbox.release(rule)
    thread.join(10)
    assert len(mailbox.mail.mails()) == 1


@pytest.mark.parametrize(("effect", "operation"), [("truncate", "mail_content"), ("drop_after", "mail_login")])
def test_faults_that_mail_does_not_have(effect: Any, operation: str, mailbox: Client) -> None:
    mailbox.add_fault(effect, store=SITE, operation=operation, times=2)
    with pytest.raises(smtplib.SMTPResponseException, match="no such fault"):
        send(mailbox, letter())


# --- the log, the process, the office -------------------------------------------------------------------------------


def test_the_log_names_commands_and_no_values(mailbox: Client) -> None:
    since = mailbox.last_seq()
    mailbox.mail.put_account(USERNAME, "sent-once")
    send(mailbox, letter(), login=(USERNAME, "sent-once"))
    entries = mailbox.requests(since, SITE)
    assert [(row.operation, row.method, row.status) for row in entries] == [
        ("mail_hello", "EHLO", 250),
        ("mail_hello", "EHLO", 250),
        ("mail_login", "PLAIN", 235),
        ("mail_sender", "MAIL", 250),
        ("mail_recipient", "RCPT", 250),
        ("mail_content", "DATA", 250),
    ]
    assert entries[4].path == f"/{SITE}/{OFFICE}"
    assert entries[2].form_fields == ("username", "password")
    assert [row.seq for row in mailbox.find_value("sent-once")] == [entries[2].seq]


@pytest.mark.parametrize("text", ["Grüße\n", "x" * 2000 + "\n"])
def test_mails_that_need_an_encoding(text: str, mailbox: Client) -> None:
    send(mailbox, letter(text))
    assert text_of(mailbox.mail.mails()[0].message) == text


def test_an_old_greeting(mailbox: Client) -> None:
    server = mailbox.mail.server()
    with smtplib.SMTP(server.host, server.starttls_port, CLIENT_NAME, timeout=10) as smtp:
        assert smtp.helo() == (250, b"localhost")


def test_everything_survives_a_kill(tmp_path: Path) -> None:
    first = start(tmp_path)
    first.client.mail.put_account(USERNAME, PASSWORD)
    first.client.mail.change_settings(mechanisms=["LOGIN"])
    send(first.client, letter())
    before = first.client.mail.server()
    first.kill()
    with start(tmp_path) as second:
        assert second.client.mail.server() == before
        assert before.settings["mechanisms"] == ["LOGIN"]
        send(second.client, letter(), "implicit")
        assert [mail.number for mail in second.client.mail.mails()] == [1, 2]
        told = json.dumps([second.client._call("GET", path) for path in ("/mail", "/mails", "/health", "/requests")])
        assert PASSWORD not in told
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in ("mail.sqlite", "stone_edge.sqlite"))


def test_taken_ports_are_given_up(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        before = first.client.mail.server()
    with socket.create_server(("127.0.0.1", before.implicit_port)), start(tmp_path) as second:
        after = second.client.mail.server()
        assert after.implicit_port != before.implicit_port
        second.client.mail.put_account(USERNAME, PASSWORD)
        for way in WAYS:
            send(second.client, letter(), way)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_port_for_mail_is_taken_or_nothing_starts(tmp_path: Path) -> None:
    port = free_port()
    with start(tmp_path, mail_port=port) as first:
        assert first.client.mail.server().starttls_port == port
        implicit = first.client.mail.server().implicit_port
    with socket.create_server(("127.0.0.1", implicit)), start(tmp_path, mail_port=port) as second:
        assert second.client.mail.server().starttls_port == port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StartError):
        start(tmp_path, mail_port=port)


def test_the_office_reads_its_mail(mailbox: Client, vault_server: Access) -> None:
    office = Office(mailbox.stone_edge, mailbox.mail, vault_server.address, vault_server.ca)
    send(mailbox, letter("For somebody else.\n", "dev@fresh-roast.example"))
    with pytest.raises(SealError, match="no mail"):
        office.open_latest()
    send(mailbox, letter("An older one.\n"))
    values = {"client_id": "c", "client_secret": "s", "access_token": "a", "store_hash": "h"}
    with client(vault_server) as vault:
        answer = vault.post("/sys/wrapping/wrap", json=values, headers={"X-Vault-Wrap-TTL": "60s"})
    send(mailbox, letter(f"Open this once:\n\n{answer.json()['wrap_info']['token']}\n"))
    assert len(office.letters()) == 2
    assert office.open_latest() == OutboundValues(**values)
    with pytest.raises(InterceptedError):
        office.open_latest()
