"""The courier on a real Vault, with the roles that hand over, and the sandbox's mail server and office."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from providers.core.courier import StackCourier
from providers.core.errors import Refused, Unauthorized, VaultDenied
from providers.core.handover import Handover, Terms
from providers.core.journal import Book
from providers.core.links import LinkOperation
from providers.core.marker import Owner
from providers.core.policies import Role
from providers.core.redaction import Secret
from sandbox.mail.reader import InterceptedError
from sandbox.server_process import ServerProcess, start
from sandbox.stone_edge.office import Office
from sandbox.vault import Prepared, client
from tests.fixtures_vault import VaultAs

USERNAME, PASSWORD = "mailer", "mail-canary-ü"
SENDER, OFFICE = "integrations@agency.example", "sales@stoneedge.example"
VALUES = {
    "client_id": Secret("client-canary-id"),
    "client_secret": Secret("client-canary-secret"),
    "access_token": Secret("access-canary"),
    "store_hash": Secret("12e4567"),
}
HANDING_OVER: tuple[Role, ...] = ("apply", "operator")

MakeCourier = Callable[..., StackCourier]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("courier")) as process:
        process.client.mail.put_account(USERNAME, PASSWORD)
        yield process


@pytest.fixture(autouse=True)
def clean(sandbox: ServerProcess) -> Iterator[None]:
    yield
    sandbox.client.clear_faults()
    sandbox.client.mail.clear()


@pytest.fixture
def login(prepared: Prepared) -> Callable[[dict[str, str]], None]:
    """Puts the mail server's login where the courier looks for it."""
    place = f"/{prepared.mounts.hubs}/data/mail"

    def put(data: dict[str, str]) -> None:
        with client(prepared.access) as http:
            known = http.get(place)
            version = known.json()["data"]["metadata"]["version"] if known.status_code == 200 else 0
            http.post(place, json={"options": {"cas": version}, "data": data}).raise_for_status()

    put({"username": USERNAME, "password": PASSWORD})
    return put


@pytest.fixture
def courier(
    sandbox: ServerProcess, prepared: Prepared, vault_as: VaultAs, login: Callable[[dict[str, str]], None]
) -> MakeCourier:
    server = sandbox.client.mail.server()

    def make(role: Role = "apply", *, mails: bool = True, show: Any = None) -> StackCourier:
        words = {"server": server.host, "sender": SENDER, "port": server.starttls_port, "security": "starttls"}
        ca_file = str(sandbox.ca) if mails else ""
        hubs = prepared.mounts.hubs
        return StackCourier(vault_as(role), hubs, words if mails else None, ca_file, lambda: datetime.now(UTC), show)

    return make


@pytest.fixture
def office(sandbox: ServerProcess, prepared: Prepared) -> Office:
    access, control = prepared.access, sandbox.client
    return Office(control.stone_edge, control.mail, access.address, access.ca, address=OFFICE)


def hand_over(courier: StackCourier, receipt: dict[str, Any], again: str = "", key: str = "") -> dict[str, Any]:
    """One hand-over; the last receipt."""
    kept = [receipt]
    sealed = Terms("sealed", OFFICE, key, 600.0, "API account")
    handover = Handover(sealed, courier, lambda: datetime.now(UTC), again)
    handover.give("shop/orders/office", 1, VALUES, receipt, lambda noted, what: kept.append(dict(noted)))
    assert "canary" not in str(kept)
    return kept[-1]


def test_the_office_opens_what_was_mailed_once(courier: MakeCourier, office: Office, sandbox: ServerProcess) -> None:
    receipt = hand_over(courier(), {})
    (mail,) = sandbox.client.mail.mails(OFFICE)
    assert (mail.sender, mail.username, mail.tls) == (SENDER, USERNAME, "starttls")
    assert mail.message["Subject"] == "API account (generation 1)"
    assert b"canary" not in mail.content
    opened = office.open_latest()
    assert opened.access_token == VALUES["access_token"].reveal()
    assert (opened.client_secret, opened.store_hash) == (VALUES["client_secret"].reveal(), "12e4567")
    with pytest.raises(InterceptedError):
        office.open_latest()
    assert courier().state(receipt["accessor"]) == "opened or expired"


def test_an_interception_is_seen_and_a_repetition_voids(courier: MakeCourier, office: Office) -> None:
    receipt = hand_over(courier(), {})
    # Somebody on the way opens it.
    office.open_latest()
    receipt = hand_over(courier(), receipt, "the office could not open it")
    assert receipt["earlier"] == "opened"
    receipt = hand_over(courier(), receipt, "sent to another desk")
    assert "earlier" not in receipt
    texts = office.letters()
    assert len(texts) == 3
    assert office.open_latest().store_hash == "12e4567"


def test_what_was_handed_over_is_voided_at_the_end(courier: MakeCourier, office: Office) -> None:
    receipt = hand_over(courier(), {})
    Handover(None, courier("operator"), lambda: datetime.now(UTC)).end(receipt)
    with pytest.raises(InterceptedError):
        office.open_latest()


def test_a_receiver_without_vault(courier: MakeCourier, office: Office, sandbox: ServerProcess) -> None:
    identity = x25519.Identity.generate()
    receipt = hand_over(courier(), {}, key=str(identity.to_public()))
    assert "accessor" not in receipt
    control = sandbox.client
    apart = Office(control.stone_edge, control.mail, identity=str(identity), address=OFFICE)
    assert apart.open_latest().access_token == VALUES["access_token"].reveal()


@pytest.mark.parametrize("role", HANDING_OVER)
def test_who_hands_over_shows_it_too(role: Role, courier: MakeCourier, sandbox: ServerProcess) -> None:
    shown: list[str] = []
    made = courier(role, mails=False, show=shown.append)
    assert not made.mails
    receipt = hand_over(made, {})
    assert receipt["by"] == "terminal"
    assert len(shown) == 1
    assert f"VAULT_ADDR={made.address} vault unwrap" in shown[0]
    assert made.state(receipt["accessor"]) == "waiting"
    made.void(receipt["accessor"])
    assert made.state(receipt["accessor"]) == "opened or expired"
    assert sandbox.client.mail.mails() == []


def test_the_login_is_the_one_in_vault(
    courier: MakeCourier, login: Callable[[dict[str, str]], None], sandbox: ServerProcess, prepared: Prepared
) -> None:
    login({"username": USERNAME, "password": "mistyped-canary"})
    with pytest.raises(Unauthorized, match="nothing was sent") as refused:
        courier().send(OFFICE, "Hello", "text\n")
    assert "canary" not in str(refused.value)
    login({"user": USERNAME, "password": PASSWORD})
    with pytest.raises(Refused, match=f"{prepared.mounts.hubs}/mail does not hold username and password"):
        courier().send(OFFICE, "Hello", "text\n")
    with pytest.raises(VaultDenied):
        courier("operator").send(OFFICE, "Hello", "text\n")
    assert sandbox.client.mail.mails() == []


def test_a_server_that_wants_no_login(
    courier: MakeCourier, prepared: Prepared, sandbox: ServerProcess, login: object
) -> None:
    sandbox.client.mail.change_settings(login_required=False, mechanisms=[])
    try:
        with client(prepared.access) as http:
            http.delete(f"/{prepared.mounts.hubs}/metadata/mail").raise_for_status()
        courier().send(OFFICE, "Hello", "text\n")
    finally:
        sandbox.client.mail.reset_settings()
    (mail,) = sandbox.client.mail.mails()
    assert mail.username is None


def test_without_a_mail_server_nothing_is_mailed(courier: MakeCourier) -> None:
    with pytest.raises(Refused, match="no mail server"):
        courier(mails=False).send(OFFICE, "Hello", "text\n")


def test_a_file_of_authorities_is_a_path(vault_as: VaultAs, sandbox: ServerProcess) -> None:
    server = {"server": "localhost", "sender": SENDER}
    made = StackCourier(vault_as("apply"), "hubs", server, str(sandbox.ca), lambda: datetime.now(UTC), None)
    assert made._mail is not None
    assert made._mail.ca_file == Path(sandbox.ca)


# --- what comes back ------------------------------------------------------------------------------------------------


def test_what_a_vendor_gave_is_written_by_who_cannot_read_it(prepared: Prepared, vault_as: VaultAs) -> None:
    def book(role: Role) -> Book:
        return Book(vault_as(role).documents(prepared.mounts.mount, prepared.base), Owner("shops", "x", "shop/orders"))

    values = {"cart_id": Secret("cart-user-canary"), "cart_password": Secret("cart-canary")}
    operator, apply = book("operator"), book("apply")
    operator.receive(1, values)
    with pytest.raises(VaultDenied):
        operator.received(1)
    found = apply.received(1)
    assert found is not None
    assert {name: value.reveal() for name, value in found.items()} == {
        "cart_id": "cart-user-canary",
        "cart_password": "cart-canary",
    }
    assert apply.received(2) is None
    apply.forget_received((1, 2))
    apply.forget_received((1, 2))
    assert (apply.received(1), apply.received(2)) == (None, None)
    # Whoever comes late finds a tombstone.
    with pytest.raises(VaultDenied):
        operator.receive(2, values)
    assert LinkOperation(apply, lambda: datetime.now(UTC)).owner == apply.owner
