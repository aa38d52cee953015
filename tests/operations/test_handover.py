"""`connections handover` and `receive`: the whole way of an account to its vendor and back, and what goes wrong on it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.mail.reader import InterceptedError, find_sealed
from sandbox.stone_edge.office import InboundValues, OutboundValues
from tests.operations.bigcommerce_store import LINK, NAME, Account, open_account
from tests.operations.conftest import Called, Project
from tests.operations.terminal import on_a_terminal, rest, until


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Account:
    files = tmp_path / "downloads"
    files.mkdir()
    return open_account(project, files)


@pytest.fixture
def live(account: Account) -> Account:
    """Made, captured, and handed over by mail."""
    account.live()
    return account


def link(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = account.project.journal(NAME)["links"]["office"]
    return found


def answer(account: Account) -> tuple[InboundValues, bytes]:
    """What the office gives in return, as it writes it."""
    values = account.office.answer(account.store.hash)
    account.project.secrets.add(values.cart_password)
    text = (
        f"Cart ID/Username: {values.cart_id}\nCart Password: {values.cart_password}\nScript URL: {values.script_url}\n"
    )
    return values, text.encode()


def received(account: Account, given: bytes | Path, *options: str, role: str = "operator") -> Called:
    project = account.project
    project.role = role
    try:
        if isinstance(given, Path):
            return project("receive", LINK, "--file", str(given), *options)
        return project("receive", LINK, *options, given=given)
    finally:
        project.role = "apply"


def known_to(account: Account) -> OutboundValues:
    opened = account.office.open_latest()
    account.project.secrets |= {opened.client_secret, opened.access_token}
    return opened


# --- the whole way ---


def test_from_the_sheet_to_an_answer_that_works(account: Account, tmp_path: Path) -> None:
    project = account.project
    project.up()
    assert project.ask("status", code=4)["connections"][0]["state"] == "awaiting_person"
    assert account.capture(account.by_the_sheet(), "--delete").code == 0
    project.up()
    assert len(account.mails()) == 1
    opened = known_to(account)
    assert (opened.store_hash, len(opened.access_token) > 20) == (account.store.hash, True)
    assert link(account)["receipt"]["by"] == "mail"
    (status,) = project.ask("status", code=4)["connections"]
    assert f"`connections receive {LINK}`" in " ".join(status["reasons"])

    values, text = answer(account)
    file = tmp_path / "answer.txt"
    file.write_bytes(text)
    called = received(account, file, "--delete")
    assert (called.code, f"{LINK}: its vendor's values are in Vault" in called.out) == (0, True)
    assert not file.exists()
    project.up()
    (status,) = project.ask("status")["connections"]
    assert (status["state"], status["links"][0]["state"]) == ("live", "acknowledged")
    assert set(account.project.control.stone_edge.received(account.store.hash)) == {"sendversion", "ordercount"}
    assert values.cart_password not in str(project.journal(NAME))

    # Another account: the vendor's script cannot show that it is in use, so a person says so.
    assert project("rotate", NAME, "--reason", "routine").code == 4
    assert account.capture(account.by_the_sheet(), "--delete").code == 0
    project.up()
    assert len(account.mails()) == 2
    second = known_to(account)
    assert second.access_token != opened.access_token
    (status,) = project.ask("status", code=4)["connections"]
    assert f"connections confirm {LINK}" in " ".join(status["reasons"])
    assert project("confirm", LINK, "--by", "the office, by telephone", "--generation", "2").code == 0
    entry = link(account)
    assert (entry["acknowledged"], entry["receipt"]["confirmed_by"]) == (2, "the office, by telephone")


def test_an_earlier_hand_over_is_not_repeated_by_itself(live: Account) -> None:
    project = live.project
    project.up()
    called = project("handover", LINK)
    assert called.code == 0
    assert re.search(rf"{LINK}: generation 1 was handed over on .* already", called.out)
    assert f"`connections handover {LINK} --again --reason TEXT`" in called.out
    assert len(live.mails()) == 1
    assert project.ask("handover", LINK)["exit_code"] == 0


def test_once_more_voids_what_nobody_opened(live: Account) -> None:
    project = live.project
    first = find_sealed(live.mails()[0])
    called = project("handover", LINK, "--again", "--reason", "the mail was lost")
    assert (called.code, "The earlier one was opened" in called.out) == (0, False)
    assert f"{LINK}: generation 1 is handed over by mail" in called.out
    with pytest.raises(InterceptedError):
        live.office.open(first)
    known_to(live)
    called = project("handover", LINK, "--again", "--reason", "the mail was lost")
    assert "To repeat it for another reason" in called.out
    assert len(live.mails()) == 2


def test_somebody_else_opened_it(live: Account) -> None:
    """The receiver finds a token that is spent; the command says what that may mean, and what to do."""
    project = live.project
    known_to(live)
    with pytest.raises(InterceptedError):
        live.office.open_latest()
    called = project("handover", LINK, "--again", "--reason", "the office found it spent")
    assert called.code == 0
    assert "The earlier one was opened. If not by its receiver, the key is in other hands:" in called.out
    assert f"connections rotate {NAME} --compromised --reason TEXT" in called.out
    assert live.project.journal(NAME)["links"]["office"]["receipt"]["earlier"] == "opened"


# --- what cannot be ---


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((LINK, "--again"), "a repeated hand-over takes --again and --reason"),
        ((LINK, "--reason", "x"), "a repeated hand-over takes --again and --reason"),
        ((LINK, "--again", "--reason", " \t"), "--reason"),
        ((NAME,), "store/connection/link is to be named"),
        ((f"{NAME}/other",), f"{NAME} declares no link 'other'"),
        (("acme-parts/other/office",), "no connection is called"),
        (("nothing",), "no connection is called"),
        ((LINK,), "no current credential"),
    ],
)
def test_what_makes_no_sense(account: Account, arguments: tuple[str, ...], says: str) -> None:
    account.project.up()
    called = account.project("handover", *arguments)
    assert (called.code, called.out, len(called.err.splitlines())) == (1, "", 1)
    assert says in called.err
    document = account.project.ask("handover", *arguments, code=1)
    assert says in document["error"]


def test_readers_of_vault_are_handed_nothing(connected: tuple[Project, str]) -> None:
    project, _ = connected
    called = project("handover", "fresh-roast/orders/hub")
    assert (called.code, "nothing is handed over to 'vault'" in called.err) == (1, True)
    called = project("receive", "fresh-roast/orders/hub", given=b"x")
    assert (called.code, "'vault' gives nothing in return" in called.err) == (1, True)


def test_whoever_had_it_otherwise_gets_it_only_when_asked_for(account: Account) -> None:
    account.declare(links="office: {to: person}")
    account.live()
    project = account.project
    assert project("confirm", LINK, "--by", "dev@agency.example").code == 0
    account.declare(links=f"office: {{to: person, recipient: {account.office.address}}}")
    called = project("handover", LINK)
    assert (called.code, "without a hand-over, by a person's word" in called.err) == (4, True)
    assert account.mails() == []
    called = project("handover", LINK, "--again", "--reason", "the developer lost it")
    assert called.code == 0, called.err
    assert known_to(account).store_hash == account.store.hash


def test_who_reads_no_secret_cannot_hand_over(live: Account) -> None:
    project = live.project
    project.role = "operator"
    called = project("handover", LINK, "--again", "--reason", "lost")
    assert (called.code, called.out) == (3, "")
    assert len(called.err.splitlines()) == 1
    project.role = "apply"
    assert len(live.mails()) == 1


def test_a_mail_server_that_refuses(live: Account) -> None:
    project = live.project
    project.control.mail.delete_account("connections")
    called = project("handover", LINK, "--again", "--reason", "lost")
    assert called.code in {1, 3}
    assert len(called.err.strip().splitlines()[-1]) < 400
    assert "is handed over" not in called.out


# --- a terminal ---


def as_a_person(account: Account) -> None:
    account.declare(links=f"office: {{to: stone-edge, handover: person, recipient: {account.office.address}}}")


def ended(process: subprocess.Popen[bytes], master: int, seen: bytearray) -> int:
    rest(master, seen)
    return process.wait(timeout=60)


def test_shown_once_on_a_terminal(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    as_a_person(account)
    account.live()
    project = account.project
    project.note_secrets()
    values = project.documents(f"{NAME}/")[f"{NAME}/credential"]
    assert account.mails() == []
    (status,) = project.ask("status", code=4)["connections"]
    assert f"connections handover {LINK}" in " ".join(status["reasons"])
    for called in (project("handover", LINK), project("handover", LINK, "--json")):
        assert (called.code, "shown on a terminal only" in called.err) == (5, True)
    seen = bytearray()
    with on_a_terminal(project, "handover", LINK, whole=True) as (process, master):
        assert ended(process, master, seen) == 0, bytes(seen)
    shown = seen.decode().replace("\r\n", "\n")
    for name in ("client_id", "client_secret", "access_token", "store_hash"):
        assert f"\n{name}: {values[name]}\n" in shown
    assert f"{LINK}: generation 1 is handed over by terminal" in shown
    assert link(account)["receipt"]["by"] == "terminal"
    assert values["access_token"] not in str(project.journal(NAME))
    seen.clear()
    with on_a_terminal(project, "handover", LINK, whole=True) as (process, master):
        assert ended(process, master, seen) == 0
    assert b"already" in seen
    assert values["access_token"].encode() not in seen


@pytest.mark.parametrize(
    ("whole", "variables", "options"), [(False, {}, ()), (True, {"CI": "true"}, ()), (True, {}, ("--json",))]
)
def test_never_where_output_is_kept(
    account: Account,
    whole: bool,
    variables: dict[str, str],
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    as_a_person(account)
    account.live()
    seen = bytearray()
    with on_a_terminal(account.project, "handover", LINK, *options, whole=whole, **variables) as (process, master):
        assert ended(process, master, seen) == 5
        out = process.stdout.read() if process.stdout is not None else b""
    account.project.said += [seen.decode(), out.decode()]
    assert b"never where output is kept" in seen
    assert "sent_at" not in link(account).get("receipt", {})


def test_a_sealed_one_may_be_shown_too(live: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    seen = bytearray()
    reason = ("--again", "--reason", "in the same room")
    with on_a_terminal(live.project, "handover", LINK, "--show", *reason, whole=True) as (process, master):
        assert ended(process, master, seen) == 0, bytes(seen)
    assert live.office.open(find_sealed(seen.decode())).store_hash == live.store.hash
    assert len(live.mails()) == 1


# --- what comes back ---


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "cart_id and cart_password and script_url was not given"),
        (b"Cart ID: shop\nCart Password: canary\n", "script_url was not given"),
        (b"canary of the answer", "line 1 is not understood"),
        (b"Cart ID: shop\nCart Password: canary\nScript URL: http://a.example/x\n", "plain http is refused"),
        (b"\xff\xfe\x00", "no text"),
        (b"a" * 20_000, "more than 16384 bytes"),
    ],
)
def test_an_answer_that_is_none(live: Account, given: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_bytes(given)
    for called in (received(live, given), received(live, file, "--delete")):
        assert (called.code in {1, 5}, called.out, len(called.err.splitlines())) == (True, "", 1)
        assert says in called.err
        assert "canary" not in called.err
    assert file.exists()
    assert not [name for name in live.project.documents(f"{NAME}/") if "/inbound/" in name]


def test_receive_before_anything_was_given(account: Account) -> None:
    account.project.up()
    called = received(account, b"")
    assert (called.code, "this link was given nothing yet" in called.err) == (1, True)
    for arguments in ((LINK, "--delete"), (f"{NAME}/other",), (LINK, "--delete", "--file", "missing.txt")):
        called = account.project("receive", *arguments)
        assert (called.code, len(called.err.splitlines())) == (1, 1)


@pytest.mark.parametrize("role", ["operator", "apply"])
def test_the_last_answer_counts(live: Account, role: str, tmp_path: Path) -> None:
    project = live.project
    _, wrong = answer(live)
    answer_again, text = answer(live)
    assert received(live, wrong, role=role).code == 0
    file = tmp_path / "answer.txt"
    file.write_bytes(text)
    called = received(live, file, role=role)
    assert f"Delete {file}: secrets stand in it." in called.out
    project.up()
    assert link(live)["acknowledged"] == 1
    assert answer_again.cart_id in str(project.documents(f"{NAME}/"))


def test_an_answer_that_does_not_work_is_said(live: Account) -> None:
    project = live.project
    _, old = answer(live)
    answer(live)
    assert received(live, old).code == 0
    project.up()
    assert link(live).get("acknowledged", 0) == 0
    assert any("answers username and password with an error" in text for text in project.said)
    # What is handed over once more is said, and so is that it does not work.
    called = project("handover", LINK, "--again", "--reason", "asked to begin anew")
    assert called.code == 1
    assert f"{LINK}: generation 1 is handed over by mail" in called.out
    assert "does not work with generation 1" in called.out


def test_a_file_of_the_answer_that_cannot_be_deleted(
    live: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: Path) -> None:
        raise PermissionError

    file = tmp_path / "answer.txt"
    file.write_bytes(answer(live)[1])
    monkeypatch.setattr(Path, "unlink", denied)
    called = received(live, file, "--delete")
    assert called.code == 4
    assert "its vendor's values are in Vault" in called.out
    assert f"{file} could not be deleted" in called.out


def test_an_answer_typed_on_a_terminal(live: Account) -> None:
    values, _ = answer(live)
    project = live.project
    seen = bytearray()
    with on_a_terminal(project, "receive", LINK, "--quiet") as (process, master):
        for name, value in zip(
            ("cart_id", "cart_password", "script_url"),
            (values.cart_id, values.cart_password, f"Script URL: {values.script_url}"),
            strict=True,
        ):
            until(master, f"{name} (not shown): ", seen)
            os.write(master, f"{value}\n".encode())
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, bytes(seen)
    project.said += [seen.decode(), out.decode()]
    project.up()
    assert link(live)["acknowledged"] == 1


def test_a_typed_answer_is_checked_like_any_other(live: Account) -> None:
    seen = bytearray()
    with on_a_terminal(live.project, "receive", LINK) as (process, master):
        for name, value in (("cart_id", "shop"), ("cart_password", "canary-pass"), ("script_url", "http://a.example")):
            until(master, f"{name} (not shown): ", seen)
            os.write(master, f"{value}\n".encode())
        rest(master, seen)
        assert process.wait(timeout=60) == 5
    assert b"plain http is refused" in seen
    assert b"canary-pass" not in seen


def test_the_mail_holds_no_value(live: Account) -> None:
    project = live.project
    project.note_secrets()
    (mail,) = live.office.mails.mails(live.office.address)
    text = mail.content.decode()
    secrets = {secret for secret in project.secrets if len(secret) > 8}
    assert [secret[:6] for secret in secrets if secret in text] == []
    assert "generation 1" in live.mails()[0]
