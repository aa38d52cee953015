"""A BigCommerce store with its panel, and Stone Edge's office beside it: what merchant and vendor do in these tests."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from sandbox.bigcommerce.client import BigCommerceStore, HandMadeAccount
from sandbox.bigcommerce.visitor import Download, Visitor
from sandbox.client import RequestRow
from sandbox.mail.reader import WRAPPING_TOKEN, text_of
from sandbox.stone_edge.office import InboundValues, Office
from tests.bigcommerce.conftest import STONE_EDGE
from tests.canary import Leak, scan
from tests.end_to_end.workbench import ROOT, Result, Workbench

OWNER = "owner@fresh-roast.example"
PANEL_PASSWORD = "panel-Passw0rd/of-the+owner"
MAIL_PASSWORD = "mail-Passw0rd/of-the+stack"
SENDER = "connections@agency.example"

NAME = "shop/stone-edge"
LINK = f"{NAME}/office"
RIGHTS_SET = "stone-edge-connect2cart"

ROWS: Mapping[str, str] = STONE_EDGE
"""What the set grants, row by row: typed off the sheet (bigcommerce.md 4.1), not read from the product."""

PRINTED: Mapping[str, str] = {
    **{label: ROWS[label] for label in ("Content", "Checkout content", "Customers")},
    **dict.fromkeys(("Customers login", "Information & settings", "Marketing"), "none"),
    **{label: ROWS[label] for label in ("Orders", "Order transactions")},
    **dict.fromkeys(("Create payments", "Get payment methods", "Stored payment instruments"), "none"),
    "Products": "modify",
    "Themes": "none",
    **{label: ROWS[label] for label in ("Carts", "Checkouts")},
    **dict.fromkeys(("Sites & routes", "Channel settings", "Channel listings"), "none"),
    **dict.fromkeys(("Storefront API tokens", "Storefront API customer impersonation tokens", "Store logs"), "none"),
    **{label: ROWS[label] for label in list(ROWS)[8:]},
}
"""All 25 rows in the panel's order, as a sheet prints them."""


@dataclass
class Channel:
    """One store `shop` of a stack, with its connection `stone-edge` and its link `office`."""

    bench: Workbench
    store: BigCommerceStore
    panel: Visitor
    office: Office
    wrapping: set[str] = field(default_factory=set, repr=False)
    """Every wrapping token that was ever mailed: it may stand in a mail, and nowhere else."""

    @classmethod
    def open(cls, bench: Workbench) -> Channel:
        """A store of this stack alone, a mail server that takes its login, and the files that say so."""
        client = bench.sandbox.client
        users = [{"mail": OWNER, "password": PANEL_PASSWORD, "role": "owner"}]
        # Proofs follow one another faster than any shop would see them: its quota is not what is looked at here.
        store = client.bigcommerce.create_store(bench.stack.replace("-", ""), users=users, quota=100_000)
        panel = Visitor(store.panel_url, bench.sandbox.ca, OWNER, PANEL_PASSWORD)
        access = bench.prepared.access
        address = f"sales-{bench.stack}@stoneedge.example"
        office = Office(client.stone_edge, client.mail, access.address, access.ca, address=address)
        client.mail.put_account("connections", MAIL_PASSWORD)
        bench.put(bench.prepared.mounts.hubs, "mail", {"username": "connections", "password": MAIL_PASSWORD})
        bench.secrets |= {PANEL_PASSWORD, MAIL_PASSWORD}
        shutil.copytree(ROOT / "stacks" / "rights", bench.root / "stacks" / "rights")
        channel = cls(bench, store, panel, office)
        bench.settings(
            endpoints={
                "bigcommerce": {
                    "api": f"{client.url}/api.bigcommerce.com",
                    "panel": f"{client.url}/store-{{store_hash}}.mybigcommerce.com",
                }
            },
            hubs={"mail": {"server": "localhost", "port": client.mail.server().starttls_port, "from": SENDER}},
            recipients=["*@stoneedge.example"],
            permit=["verify_full"],
        )
        channel.declare()
        return channel

    # --- declarations ---

    def declare(self, *, excepted: Mapping[str, str] | None = None) -> None:
        """Write the store's file; `excepted` are rows that differ from the vendor's list."""
        rights = {"set": RIGHTS_SET} | ({"except": dict(excepted)} if excepted else {})
        links = {"office": {"to": "stone-edge", "recipient": self.office.address}}
        self.declare_all({"stone-edge": {"rights": rights, "links": links}})

    def declare_all(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the store's file with these connections; where nothing else is said somebody reads Vault."""
        usual = {"purpose": "orders into Order Manager", "verify": "full", "links": {"hub": {"to": "vault"}}}
        words = {"platform": "bigcommerce", "store_hash": self.store.hash, "team": "retail"}
        self.bench.write(
            "shop", words | {"connections": {name: usual | dict(one) for name, one in connections.items()}}
        )

    # --- a person at the panel ---

    def make(self, number: int, rows: Mapping[str, str] = ROWS) -> Download:
        """Make the account that the sheet of this number asks for, with these rows."""
        made = self.panel.create_account(f"{NAME} #{number}", rows)
        self.remember(made)
        return made

    def remember(self, made: Download) -> None:
        """Nobody may say what stands in this file, but for the store's address."""
        self.bench.secrets |= {
            line.rpartition(": ")[2] for line in made.text.splitlines() if "path" not in line.lower()
        }

    def by_hand(self, title: str, rows: Mapping[str, str] = ROWS) -> HandMadeAccount:
        """An account that no sheet asked for."""
        made = self.bench.sandbox.client.bigcommerce.make_account(self.store.hash, title, rows)
        self.bench.secrets |= {made.client_id, made.client_secret, made.access_token}
        return made

    def offer(self, accounts: Mapping[str, HandMadeAccount]) -> None:
        """Put accounts into Vault, to be taken over by their names."""
        place = f"{self.store.gateway_url.removeprefix('https://')}/stores/{self.store.hash}"
        for name, account in accounts.items():
            values = {word: getattr(account, word) for word in ("client_id", "client_secret", "access_token")}
            self.bench.put(self.bench.prepared.mounts.adopt, f"{place}/{name}", values)

    def delete(self, number: int) -> None:
        """Delete the account of this number."""
        self.panel.delete_account(f"{NAME} #{number}")

    def titles(self) -> tuple[str, ...]:
        """The accounts that the panel lists."""
        return self.panel.titles()

    def capture(self, made: Download, *, code: int = 0) -> Result:
        """Put the downloaded text in, on standard input."""
        result = self.bench.command("capture", NAME, given=made.text)
        assert result.code == code, result.text
        return result

    # --- the vendor's office ---

    def mails(self) -> list[str]:
        """The texts of all mails to the office, oldest first."""
        letters = self.office.letters()
        self.wrapping |= {token for letter in letters for token in WRAPPING_TOKEN.findall(letter)}
        return letters

    def opened(self) -> dict[str, str]:
        """The values of the newest mail; its token is spent by it."""
        assert self.mails()
        found = self.office.open_latest()
        return {
            "client_id": found.client_id,
            "client_secret": found.client_secret,
            "access_token": found.access_token,
            "store_hash": found.store_hash,
        }

    def answer(self) -> InboundValues:
        """What the office gives in return."""
        answer = self.office.answer(self.bench.stack)
        self.bench.secrets |= {answer.cart_password, answer.script_url}
        return answer

    def receive(self, answer: InboundValues) -> Result:
        """Put the vendor's values in, on standard input."""
        lines = (
            f"Cart ID/Username: {answer.cart_id}",
            f"Cart Password: {answer.cart_password}",
            f"Script URL: {answer.script_url}",
        )
        result = self.bench.command("receive", LINK, given="\n".join(lines))
        assert result.code == 0, result.text
        return result

    def live(self) -> None:
        """From nothing to a connection that the office works with."""
        self.bench.applied()
        self.capture(self.make(1))
        self.bench.applied()
        self.opened()
        self.receive(self.answer())
        self.bench.applied()
        assert self.state() == ("live", "acknowledged")

    def tokens(self, receiver: str) -> list[str]:
        """The wrapping tokens mailed to an address, oldest first."""
        letters = [text_of(mail.message) for mail in self.bench.sandbox.client.mail.mails(receiver)]
        found = [token for letter in letters for token in WRAPPING_TOKEN.findall(letter)]
        self.wrapping |= set(found)
        return found

    # --- looking ---

    def state(self) -> tuple[str, str]:
        """The state of the credential and that of its link, as the engine keeps them."""
        kept = {resource["urn"].rpartition("::")[2]: resource for resource in self.bench.state()["resources"][1:]}
        # The component and the credential have one name; the latter comes later.
        return kept[NAME]["outputs"]["status"]["state"], kept[LINK]["outputs"]["status"]["state"]

    def reasons(self) -> str:
        """What `connections status` says that is waited for."""
        return self.bench.command("status", "--quiet", role="verify").text

    def answers(self, credential: Mapping[str, str]) -> int:
        """The status with which the gateway answers a call that needs no right."""
        return self._call("GET", "/v2/time", credential)

    def listen(self, credential: Mapping[str, str]) -> None:
        """Make a webhook with an account, as its user may: it goes with the account."""
        body = {"scope": "store/order/created", "destination": "https://orders.agency.example/in", "is_active": True}
        assert self._call("POST", "/v3/hooks", credential, body) == 200

    def _call(
        self, method: str, path: str, credential: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> int:
        context = ssl.create_default_context(cafile=str(self.bench.sandbox.ca))
        with httpx.Client(verify=context, trust_env=False, timeout=30) as http:
            url = f"{self.store.gateway_url}/stores/{self.store.hash}{path}"
            headers = {"X-Auth-Token": credential["access_token"]}
            return http.request(method, url, headers=headers, json=body).status_code

    def asked(self, since: int) -> list[RequestRow]:
        """What the gateway was asked after a number of the log; the panel's pages aside."""
        rows = self.bench.sandbox.client.requests(since=since, store=self.store.hash)
        return [row for row in rows if not row.operation.startswith("panel_")]

    def proof(self, number: int) -> dict[str, tuple[str, str]]:
        """The last proof of a generation: verdict and evidence by check."""
        findings = self.bench.journal(NAME)["generations"][str(number)]["proof"]["findings"]
        return {check: (verdict, evidence) for check, verdict, evidence in findings}

    def leaks(self) -> list[Leak]:
        """Where a secret stands among mails and logs; where a wrapping token stands but in its mail."""
        letters = self.mails()
        client = self.bench.sandbox.client
        mails = {f"mail {mail.number}": mail.content.decode("latin-1") for mail in client.mail.mails()}
        mails |= {f"letter {number}": letter for number, letter in enumerate(letters)}
        logs = {
            "log of the sandbox": repr(client.requests()),
            "accounts": repr([(row.title, row.levels) for row in client.bigcommerce.accounts(self.store.hash)]),
        }
        found = scan([], self.bench.secrets, mails | logs)
        # Whoever had a token could open the values: it may stand in the mail alone.
        texts = {f"output {number}": text for number, text in enumerate(self.bench.transcript)}
        texts |= {f"journal of {name}": repr(self.bench.journal(name)) for name in self.bench.connections()}
        folders = [self.bench.root.parent / "state", self.bench.root / "stacks"]
        return found + (scan(folders, self.wrapping, texts | logs) if self.wrapping else [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.panel.close()
        assert kind is not None or self.leaks() == []
