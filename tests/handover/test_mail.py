"""One message by SMTP: never without TLS, never two headers for one, and never a doubt about whether it went out."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, compat32, default
from pathlib import Path
from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from providers.core.errors import (
    ConnectionsError,
    DeclarationError,
    Refused,
    Rejected,
    Transient,
    Unauthorized,
    UnclearOutcome,
    Unreachable,
)
from providers.core.mail import MailLogin, MailSettings, compose, send
from providers.core.redaction import Secret
from providers.declarations.values import Mail
from tests.handover.smtp import CLOSE, SILENCE, Server, mail_server
from tests.http.authority import Authority

SENDER, RECIPIENT = "integrations@agency.example", "sales@vendor.example"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LOGIN = MailLogin(Secret("mailer"), Secret("mail-canary-ü"))


def message(subject: str = "Hand-over of stone-edge", text: str = "Open this once:\n\ntoken\n") -> EmailMessage:
    return compose(SENDER, RECIPIENT, subject, text, NOW)


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    with mail_server(certificate) as server:
        yield server


@pytest.fixture
def settings(server: Server, authority: Authority) -> MailSettings:
    return MailSettings(server="localhost", sender=SENDER, port=server.port, ca_file=authority.file, deadline=10)


def received(server: Server) -> EmailMessage:
    """The one message that came, as a reader gets it."""
    (raw,) = server.messages
    content = raw.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.").replace(b"\r\n", b"\n")
    return message_from_bytes(content, policy=default)


def test_a_message_goes_out_under_starttls(server: Server, settings: MailSettings) -> None:
    send(settings, message(), LOGIN)
    assert server.clear == ["ehlo agency.example", "STARTTLS"]
    login = base64.b64encode("\0mailer\0mail-canary-ü".encode()).decode()
    assert server.covered[:5] == [
        "ehlo agency.example",
        f"AUTH PLAIN {login}",
        f"mail FROM:<{SENDER}>",
        f"rcpt TO:<{RECIPIENT}>",
        "data",
    ]
    mail = received(server)
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, RECIPIENT, "Hand-over of stone-edge")
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"].endswith("@agency.example>")
    assert mail.get_content() == "Open this once:\n\ntoken\n"


def test_a_message_goes_out_under_tls_from_the_first_byte(certificate: Path, authority: Authority) -> None:
    with mail_server(certificate, implicit=True) as server:
        place = MailSettings(
            server="localhost", sender=SENDER, security="tls", port=server.port, ca_file=authority.file, deadline=10
        )
        send(place, message())
    assert server.clear == []
    assert server.covered[:4] == ["ehlo agency.example", f"mail FROM:<{SENDER}>", f"rcpt TO:<{RECIPIENT}>", "data"]
    assert len(server.messages) == 1


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_the_usual_ports(security: Literal["starttls", "tls"], port: int) -> None:
    settings = MailSettings(server="smtp.agency.example", sender=SENDER, security=security)
    assert settings.place == ("smtp.agency.example", port)


TEXTS = [
    ("Plain", ".\n..\n.hidden\nend", ".\n..\n.hidden\nend\n"),
    ("Grüße aus Köln " * 8, "Zeile ü\r\nzwei\rdrei", "Zeile ü\nzwei\ndrei\n"),
    ("Long", "t" * 900, "t" * 900 + "\n"),
    ("Longer", "t" * 2000, "t" * 2000 + "\n"),
    ("Empty", "", "\n"),
]


@pytest.mark.parametrize(("subject", "text", "read"), TEXTS)
def test_texts_arrive_as_they_were(subject: str, text: str, read: str, server: Server, settings: MailSettings) -> None:
    send(settings, message(subject, text))
    mail = received(server)
    assert mail["Subject"] == subject
    assert mail.get_content() == read
    assert server.messages[0].isascii()


def test_a_token_stands_unbroken_in_the_raw_message(server: Server, settings: MailSettings) -> None:
    send(settings, message(text="x" * 300))
    assert b"x" * 300 in server.messages[0]


# --- logging in -----------------------------------------------------------------------------------------------------

OFFERS = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH {}"


def test_a_login_in_two_steps(server: Server, settings: MailSettings) -> None:
    server.answers |= {"EHLO": OFFERS.format("CRAM-MD5 LOGIN"), "AUTH": "334 VXNlcm5hbWU6"}
    with pytest.raises(Unreachable):
        send(settings, message(), LOGIN)
    said = [line.removeprefix("AUTH ") for line in server.covered[1:4]]
    assert said[0] == "LOGIN"
    assert [base64.b64decode(text).decode() for text in said[1:]] == ["mailer", "mail-canary-ü"]


@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("answer", "error"), [("535 no", Unauthorized), ("454 later", Transient)])
def test_a_refused_login(
    offered: str, answer: str, error: type[Exception], server: Server, settings: MailSettings
) -> None:
    server.answers |= {"EHLO": OFFERS.format(offered), "AUTH": answer}
    with pytest.raises(error, match="nothing was sent"):
        send(settings, message(), LOGIN)
    assert len([line for line in server.covered if line.startswith("AUTH")]) == 1
    assert server.messages == []


@pytest.mark.parametrize("ehlo", [OFFERS.format("CRAM-MD5 XOAUTH2"), "250-mail.example\r\n250 STARTTLS"])
def test_a_login_that_nobody_here_knows(ehlo: str, server: Server, settings: MailSettings) -> None:
    server.answers["EHLO"] = ehlo
    with pytest.raises(Rejected, match="no login that is known"):
        send(settings, message(), LOGIN)
    assert server.messages == []


# --- what goes wrong ------------------------------------------------------------------------------------------------

FAULTS: list[tuple[dict[str, str | None], type[ConnectionsError], str]] = [
    ({"": "554 go away"}, Rejected, "refuses"),
    ({"": "421 busy"}, Transient, "puts it off"),
    ({"": "SSH-2.0-x"}, Unreachable, "no mail server"),
    ({"": "2" * 9000}, Rejected, "refuses"),
    ({"": CLOSE}, Unreachable, "falls silent"),
    ({"EHLO": "250 mail.example"}, Rejected, "no STARTTLS"),
    ({"STARTTLS": "454 not now"}, Transient, "puts it off"),
    ({"STARTTLS": CLOSE}, Unreachable, "falls silent"),
    ({"MAIL": "550 not you"}, Rejected, "refuses"),
    ({"RCPT": "550 nobody"}, Rejected, "refuses"),
    ({"RCPT": "450 greylisted"}, Transient, "puts it off"),
    ({"RCPT": CLOSE}, Unreachable, "falls silent"),
    ({"DATA": "554 no"}, Rejected, "refuses"),
    ({"DATA": "451 later"}, Transient, "puts it off"),
    ({"DATA": CLOSE}, Unreachable, "falls silent"),
    ({".": "554 spam"}, Rejected, "refuses"),
    ({".": "452 full"}, Transient, "puts it off"),
    ({".": CLOSE}, UnclearOutcome, "may have been sent"),
    ({".": "hm"}, UnclearOutcome, "may have been sent"),
    ({".": "354 hm"}, UnclearOutcome, "may have been sent"),
    ({".": "2" * 9000}, UnclearOutcome, "may have been sent"),
]


@pytest.mark.parametrize(("answers", "error", "words"), FAULTS, ids=[str(row[0])[:30] for row in FAULTS])
def test_whether_it_was_sent_is_always_said(
    answers: dict[str, str | None],
    error: type[ConnectionsError],
    words: str,
    server: Server,
    settings: MailSettings,
) -> None:
    server.answers |= answers
    with pytest.raises(error, match=words) as caught:
        send(settings, message())
    assert type(caught.value) is error
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert (len(server.messages) == 1) == ("." in answers)
    assert error is UnclearOutcome or "nothing was sent" in str(caught.value)
    assert caught.value.where == f"localhost:{server.port}"


def test_what_is_said_after_the_message_was_taken_is_of_no_account(server: Server, settings: MailSettings) -> None:
    server.answers["QUIT"] = SILENCE
    send(settings, message())
    assert len(server.messages) == 1


@pytest.mark.parametrize(("silent", "error"), [("", Unreachable), ("RCPT", Unreachable), (".", UnclearOutcome)])
def test_nothing_is_waited_for_longer_than_the_deadline(
    silent: str, error: type[Exception], server: Server, authority: Authority
) -> None:
    server.answers[silent] = SILENCE
    place = MailSettings(server="localhost", sender=SENDER, port=server.port, ca_file=authority.file, deadline=0.3)
    with pytest.raises(error):
        send(place, message())


def test_the_deadline_is_for_everything_together(server: Server, settings: MailSettings) -> None:
    """Each step is quick, but by the clock ten seconds are over after some of them."""
    passed = iter(range(1000))
    with pytest.raises(Unreachable):
        send(settings, message(), monotonic=lambda: float(next(passed)))
    assert server.messages == []


def test_nobody_there(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached"):
        send(MailSettings(server="localhost", sender=SENDER, port=port, ca_file=authority.file), message())


def test_a_name_that_cannot_be_looked_up(authority: Authority) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        send(MailSettings(server="a" * 70 + ".localhost", sender=SENDER, ca_file=authority.file), message())


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("kind", ["stranger", "other name", "none", "clear"])
def test_no_word_without_trusted_tls(implicit: bool, kind: str, authority: Authority, tmp_path: Path) -> None:
    strange = Authority(tmp_path / "strange")
    certificates = {
        "stranger": strange.issue("mail", ("localhost",)),
        "other name": authority.issue("other", ("mail.example",)),
        "none": None,
        "clear": None,
    }
    with mail_server(certificates[kind], implicit=implicit and kind != "clear") as server:
        place = MailSettings(
            server="localhost",
            sender=SENDER,
            security="tls" if implicit else "starttls",
            port=server.port,
            ca_file=authority.file,
            deadline=10,
        )
        with pytest.raises(Unreachable, match="nothing was sent") as caught:
            send(place, message(), LOGIN)
    assert ("certificate" in str(caught.value)) == (kind in {"stranger", "other name"})
    assert server.covered == []
    assert not any(line.startswith(("AUTH", "mail")) for line in server.clear)


def test_an_authority_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="PEM"):
        send(MailSettings(server="localhost", sender=SENDER, ca_file=tmp_path / "none"), message())


# --- what is not sent at all ----------------------------------------------------------------------------------------


def changed(name: str, value: str | None) -> EmailMessage:
    found = message()
    del found[name]
    if value is not None:
        found[name] = value
    return found


def raw(name: str, value: str) -> EmailMessage:
    """A header as nobody should make it: old policies take line breaks."""
    found = EmailMessage(policy=compat32)
    for header in ("From", "To", "Subject"):
        found[header] = message()[header]
    del found[name]
    found[name] = value
    found.set_payload("text\r\n")
    return found


def with_body(payload: str) -> EmailMessage:
    found = message()
    found.set_payload(payload)
    return found


def copied(name: str) -> EmailMessage:
    found = message()
    found[name] = "canary@elsewhere.example"
    return found


BAD: list[Callable[[], EmailMessage]] = [
    lambda: raw("Subject", "x\r\nBcc: canary@elsewhere.example"),
    lambda: raw("Subject", "x\nBcc: canary@elsewhere.example"),
    lambda: raw("Subject", "x\rBcc: canary@elsewhere.example"),
    lambda: raw("Subject", "x\0canary"),
    lambda: raw("X y", "canary"),
    lambda: changed("To", "canary@elsewhere.example, other@elsewhere.example"),
    lambda: changed("To", "Canary <canary@elsewhere.example>"),
    lambda: changed("To", "Everybody:;"),
    lambda: changed("To", None),
    lambda: changed("From", None),
    lambda: changed("Subject", None),
    lambda: changed("From", "canary@elsewhere.example"),
    lambda: copied("Cc"),
    lambda: copied("bcc"),
    lambda: copied("Sender"),
    lambda: copied("Resent-To"),
    lambda: with_body("x" * 999),
    lambda: with_body("x\0canary"),
    lambda: with_body("xü"),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_a_message_that_says_more_than_one_thing_is_not_sent(
    number: int, server: Server, settings: MailSettings
) -> None:
    with pytest.raises(Refused, match="nothing was sent") as caught:
        send(settings, BAD[number]())
    assert "canary" not in str(caught.value)
    assert server.commands == []


ADDRESSES = [
    "",
    "x",
    "a@b\r\nRCPT TO:<c@d>",
    "a b@c.example",
    "<a@b.example>",
    "a@b.example>",
    "ü@b.example",
    "*@b.example",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Mail).validate_python(address)
    for parts in ((SENDER, address), (address, RECIPIENT)):
        with pytest.raises(Refused, match="no plain mail address"):
            compose(*parts, "subject", "text", NOW)


@pytest.mark.parametrize(
    "address", ["a@b", "a.b+c%d_e-f@sub.domain.example", "A1@B-2.example", f"{'a' * 64}@b.example"]
)
def test_an_address_that_may_be_declared_may_be_written_to(address: str) -> None:
    assert TypeAdapter(Mail).validate_python(address) == address
    assert compose(address, address, "subject", "text", NOW)["To"] == address


@pytest.mark.parametrize("subject", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b"])
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(Refused, match="one line"):
        message(subject)


def test_a_text_ends_no_message(server: Server, settings: MailSettings) -> None:
    smuggled = ("one", ".", "MAIL FROM:<canary@elsewhere.example>", "RCPT TO:<canary@elsewhere.example>", "DATA", "two")
    for end in ("\n", "\r", "\r\n", "\n\r"):
        server.messages.clear()
        send(settings, with_body(end.join(smuggled)))
        assert received(server).get_content().split() == " ".join(smuggled).split()
    assert not any("canary" in command for command in server.commands)


def test_a_bare_line_end_becomes_a_whole_one(server: Server, settings: MailSettings) -> None:
    send(settings, with_body("one\ntwo\n.\nthree"))
    assert server.messages[0].endswith(b"\r\n\r\none\r\ntwo\r\n..\r\nthree\r\n.\r\n")
    assert message().policy == SMTP
