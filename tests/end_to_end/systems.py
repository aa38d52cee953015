"""A stack that holds every platform at once, and the people around it: what each of them does, what each system holds."""

from __future__ import annotations

import hashlib
import io
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Self

import httpx
from rich.console import Console

from operations.local.place import Place
from operations.local.terminal import shown_on_a_terminal
from operations.local.world import World
from sandbox.coopcycle.client import AppRow
from sandbox.mail.reader import Reader
from sandbox.pimworks.visitor import PimworksVisitor
from sandbox.server_process import ServerProcess
from sandbox.stackone.client import LinkedAccountRow
from sandbox.stackone.visitor import HubVisitor
from sandbox.surecart.visitor import Visitor
from sandbox.wordpress.client import SiteRow
from tests.canary import Leak, scan
from tests.end_to_end.channel import SENDER, Channel
from tests.end_to_end.workbench import PASSWORD, Result, Workbench

HUBS, STONE_EDGE, SITES, SHOP, COURIER = (
    "market/hubs",
    "shop/stone-edge",
    "cloud/sites",
    "couriers/shop",
    "couriers/developer",
)
"""The connections, one kind of credential each, and one CoopCycle app that a person takes over."""

NAMES: Final = ("main", "uk", "blog")
OWNER, AGENCY, DEVELOPER = "owner@cloud.example", "catalogue@agency.example", "dev@agency.example"
PAGES_PASSWORD = "dashboard-Passw0rd/of-the+owner"
STORES: Final = {"Corner Bakery": 3, "Acme Flowers": 12, "Fresh Roast": 15}
"""Whose apps are made at the courier's server, the first one aside."""

ROWS: Final = {"Orders": "read-only"}
"""Few rights at BigCommerce: its rows are looked at elsewhere."""

LABEL: Final = {"products": "Products", "products/categories": "Categories"}


def digest(text: str) -> str:
    """How the sandbox tells a secret."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Systems:
    """The stack and its people."""

    channel: Channel
    words: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each connection declares beside the usual, by its name."""
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The links of the SureCart token, by their names."""
    _tokens: dict[int, str] = field(default_factory=dict, repr=False)

    @classmethod
    @contextmanager
    def open(cls, bench: Workbench) -> Iterator[Systems]:
        """Stores, hubs and sites of this stack alone, and the files that declare them."""
        with Channel.open(bench) as channel:
            systems = cls(channel)
            systems._furnish()
            yield systems

    @property
    def bench(self) -> Workbench:
        """The stack."""
        return self.channel.bench

    @property
    def sandbox(self) -> ServerProcess:
        """The stand-ins."""
        return self.bench.sandbox

    @property
    def name(self) -> str:
        """What the accounts of this stack are called."""
        return self.bench.stack

    # --- what is there before ---

    def _furnish(self) -> None:
        bench, client = self.bench, self.sandbox.client
        mounts = bench.prepared.mounts
        bench.add_store("market")
        client.stackone.create(self.name)
        key = client.stackone.create_key(self.name, "accounts", "actions")
        bench.put(mounts.hubs, "stackone", {"api_key": key.value})
        client.pimworks.create(
            self.name,
            users=[{"mail": self.mail(AGENCY), "password": PAGES_PASSWORD, "role": "pim", "right": "read_write"}],
        )
        client.surecart.create_account(self.name, people=[{"mail": self.mail(OWNER), "password": PAGES_PASSWORD}])
        server = client.coopcycle.create(
            self.name,
            users=[{"username": "connector", "password": PASSWORD, "admin": True}],
            stores=STORES,
        )
        bench.give_login(server.url)
        bench.secrets |= {PAGES_PASSWORD, key.value}
        for name in (*NAMES, "shop"):
            self.add_site(name)
        self.links = {name: {"to": "wordpress", "site": self.site(name).url} for name in NAMES}
        bench.settings(
            endpoints={
                "bigcommerce": {
                    "api": f"{client.url}/api.bigcommerce.com",
                    "panel": f"{client.url}/store-{{store_hash}}.mybigcommerce.com",
                },
                "surecart": {"api": client.surecart.api_url, "dashboard": client.surecart.dashboard_url},
                "stackone": {"api": client.stackone.get(self.name).api_url},
            },
            hubs={
                "mail": {"server": "localhost", "port": client.mail.server().starttls_port, "from": SENDER},
                "stackone": {"region": "eu1"},
            },
            recipients=["*@stoneedge.example", "*@agency.example"],
        )
        self.declare()

    def add_site(self, name: str) -> None:
        """A WordPress site with both plugins, and its login in Vault."""
        client, bench = self.sandbox.client, self.bench
        site = client.wordpress.create(self.served(name), PASSWORD)
        login = client.wordpress.application_password(self.served(name))
        bench.secrets.add(login)
        bench.put(
            bench.prepared.mounts.admins,
            site.url.removeprefix("https://"),
            {"username": "connector", "password": PASSWORD, "application_password": login},
        )

    def mail(self, address: str) -> str:
        """A person of this stack alone."""
        return f"{self.name}-{address}"

    def served(self, site: str) -> str:
        """What the sandbox calls a site."""
        return f"{self.name}-{site}"

    def site(self, name: str) -> SiteRow:
        """A site, as it is now."""
        return self.sandbox.client.wordpress.get(self.served(name))

    # --- declarations ---

    def declare(self) -> None:
        """Write every file anew."""
        bench, words = self.bench, self.words
        sealed = {"handover": "sealed", "recipient": self.mail(AGENCY)}
        pimworks = {"store_name": "Market", "components": LABEL, **sealed}
        bench.declare(
            "market",
            {
                "hubs": {
                    "rights": "read_write",
                    "user": "pim-writer",
                    "purpose": "orders out, the catalogue in",
                    "links": {"stackone": {}, "pimworks": pimworks},
                    **words.get(HUBS, {}),
                }
            },
            title="Market",
        )
        office = {"to": "stone-edge", "recipient": self.channel.office.address}
        self.channel.declare_all(
            {"stone-edge": {"rights": ROWS, "verify": "read", "links": {"office": office}, **words.get(STONE_EDGE, {})}}
        )
        team = {"team": "retail"}
        bench.write(
            "cloud",
            {
                "platform": "surecart",
                "account": self.name,
                "ask": self.mail(OWNER),
                "connections": {
                    "sites": {"purpose": "checkout", "rights": "all", "links": self.links, **words.get(SITES, {})}
                },
                **team,
            },
        )
        shop = {"shop": {"to": "wordpress", "site": self.site("shop").url}}
        developer = {"developer": {"to": "person", "handover": "sealed", "recipient": self.mail(DEVELOPER)}}
        usual = {"purpose": "deliveries", "rights": ["deliveries"]}
        bench.write(
            "couriers",
            {
                "platform": "coopcycle",
                "url": self.sandbox.client.coopcycle.get(self.name).url,
                "connections": {
                    "shop": {
                        **usual,
                        "for_store": {"id": 12, "name": "Acme Flowers"},
                        "links": shop,
                        **words.get(SHOP, {}),
                    },
                    "developer": {
                        **usual,
                        "for_store": {"id": 15, "name": "Fresh Roast"},
                        "links": developer,
                        **words.get(COURIER, {}),
                    },
                },
                **team,
            },
        )

    # --- people ---

    def capture_token(self, number: int) -> None:
        """The owner makes a token by the sheet; an operator puts it in."""
        with self._dashboard() as dashboard:
            token = dashboard.make_token(self.name, f"{SITES} #{number}")
        self._tokens[number] = token
        self.bench.secrets.add(token)
        said = self.bench.command("capture", SITES, given=f"{token}\n")
        assert said.code == 0, said.text

    def delete_token(self, number: int) -> None:
        """The owner deletes a token in the dashboard."""
        with self._dashboard() as dashboard:
            dashboard.delete_token(self.name, f"{SITES} #{number}")

    def _dashboard(self) -> Visitor:
        client = self.sandbox.client
        return Visitor(client.surecart.dashboard_url, self.sandbox.ca, self.mail(OWNER), PAGES_PASSWORD)

    def follow(self) -> None:
        """Somebody follows the link of StackOne that a terminal shows, and fills in what stands beside it."""
        bench = self.bench
        place = Place(bench.root, Console(file=io.StringIO()))
        world = World(place, self.sandbox.client, bench.prepared.access, {"apply": bench.environment("apply")})
        arguments = ("--stack", bench.stack, "link", f"{HUBS}/stackone", "--show")
        text = shown_on_a_terminal(world, "apply", *arguments)
        values = {word: value for word, _, value in (line.partition(": ") for line in text.splitlines())}
        bench.secrets.add(values["auth_link_url"])
        with HubVisitor(self.sandbox.ca) as hub:
            hub.connect(values["auth_link_url"], values["url"], values["consumer_key"], values["consumer_secret"])

    def enter_in_pimworks(self) -> None:
        """The agency opens its mail, fills PIMworks in, and says so."""
        values = self._opened(self.mail(AGENCY))
        panel = self.sandbox.client.pimworks.get(self.name).url
        with PimworksVisitor(panel, self.sandbox.ca, self.mail(AGENCY), PAGES_PASSWORD) as visitor:
            visitor.subscribe()
            key, secret = values["consumer_key"], values["consumer_secret"]
            visitor.save_store("Market", values["url"], key, secret, LABEL.values())
        self.confirm(f"{HUBS}/pimworks", self.mail(AGENCY))

    def develop(self) -> None:
        """The client's developer opens the mail and says so."""
        self._opened(self.mail(DEVELOPER))
        self.confirm(f"{COURIER}/developer", self.mail(DEVELOPER))

    def _opened(self, address: str) -> Mapping[str, Any]:
        self.channel.tokens(address)
        access = self.bench.prepared.access
        return Reader(self.sandbox.client.mail, address, access.address, access.ca).open_latest()

    def confirm(self, link: str, who: str) -> None:
        """Somebody says that a system works with the current generation."""
        number = self.current(link.rpartition("/")[0])
        said = self.bench.command("confirm", link, "--by", who, "--generation", str(number))
        assert said.code == 0, said.text

    # --- what each holds ---

    def account(self) -> LinkedAccountRow:
        """The linked account at StackOne."""
        (found,) = self.sandbox.client.stackone.accounts(self.name)
        return found

    def generations(self, connection: str) -> dict[int, dict[str, Any]]:
        """The secrets of a connection that Vault has, by their numbers; they are remembered."""
        found = {}
        for path in self.bench.secret_documents(connection):
            kind, _, number = path.removeprefix(f"{connection}/").partition("/")
            if kind == "generations" and (document := self.bench.document(path)):
                found[int(number)] = document
        return found

    def at_stackone(self) -> str:
        """SHA-256 of the consumer secret that StackOne works with."""
        return self.account().consumer_secret_sha256

    def at_pimworks(self) -> str:
        """SHA-256 of the secret key that PIMworks works with."""
        return self.sandbox.client.pimworks.get(self.name).store("Market").secret_key_sha256

    def works(self, name: str) -> bool:
        """Whether the token that a site holds works at the cloud; nothing is changed by it."""
        return self.sandbox.client.wordpress.cloud_status(self.served(name)) == 200

    def holding(self, number: int) -> list[str]:
        """The sites that hold this token."""
        return [name for name in (*NAMES, "news") if self._holds(name, self._tokens[number])]

    def _holds(self, name: str, token: str) -> bool:
        served = {row.name: row for row in self.sandbox.client.wordpress.all()}
        found = served.get(self.served(name))
        return found is not None and found.holds(token)

    def apps(self) -> list[AppRow]:
        """The apps at the courier's server."""
        return self.sandbox.client.coopcycle.apps(self.name)

    def received(self) -> list[str]:
        """What the courier's server was asked, by operation."""
        return self.sandbox.client.coopcycle.received(self.name)

    def takes(self, pair: Mapping[str, str]) -> bool:
        """Whether the courier's server gives an access token for a pair."""
        context = ssl.create_default_context(cafile=str(self.sandbox.ca))
        url = f"{self.sandbox.client.coopcycle.get(self.name).url}/oauth2/token"
        form = {"grant_type": "client_credentials", "scope": "deliveries"}
        with httpx.Client(verify=context, trust_env=False, timeout=30) as http:
            answer = http.post(url, data=form, auth=(pair["identifier"], pair["secret"]))
        return answer.status_code == 200

    # --- looking ---

    def up(self, *, well: bool = True) -> Result:
        """`pulumi up` that ends well, or does not."""
        said = self.bench.up()
        assert (said.code == 0) is well, said.text
        return said

    def current(self, connection: str) -> int:
        """The number of the generation that users are to have."""
        (number,) = (number for number, state in self.bench.states(connection).items() if state == "current")
        return int(number)

    def key_id(self, connection: str) -> str:
        """The id, at its store, of the current generation."""
        generations = self.bench.journal(connection)["generations"]
        found: str = generations[str(self.current(connection))]["key_id"]
        return found

    def age_request(self, connection: str, number: int) -> None:
        """Date the order of a generation back: a request that was lost then can do nothing any more."""
        journal = self.bench.journal(connection)
        times = journal["generations"][str(number)]["times"]
        times["intended"] = (datetime.fromisoformat(times["intended"]) - timedelta(minutes=5)).isoformat()
        self.bench.put(self.bench.prepared.mounts.mount, f"{self.bench.prepared.base}/{connection}/journal", journal)

    def uses(self, connection: str) -> Mapping[str, tuple[str, int]]:
        """State and generation of each user of a connection."""
        return self.states()[connection][1]

    def states(self) -> dict[str, tuple[str, dict[str, tuple[str, int]]]]:
        """What `connections status` says: the state of each connection, and state and generation of each link."""
        said = self.bench.command("status", "--json", role="verify")
        return {
            row["name"]: (row["state"], {link["name"]: (link["state"], link["generation"]) for link in row["links"]})
            for row in json.loads(said.text)["connections"]
        }

    def sheets(self, connection: str) -> str:
        """The sheet of a connection, as an operator sees it."""
        return self.bench.command("sheet", connection).text

    def at_shop(self) -> str | None:
        """SHA-256 of the secret that the courier's plugin in the shop works with."""
        held = str(self.site("shop").options.get("coopcycle_api_secret") or "")
        return held.removeprefix("sha256:") or None

    def opens(self, connection: str, values: Mapping[str, str]) -> bool:
        """Whether a secret of a connection works where it is used."""
        if connection == HUBS:
            return self.bench.answer("market", values) == 200
        return self.takes(values) if connection == SHOP else self.taken(values["token"])

    def taken(self, token: str) -> bool:
        """Whether the cloud takes a token."""
        hashes = {row.sha256 for row in self.sandbox.client.surecart.tokens(self.name)}
        return digest(token) in hashes

    def leaks(self) -> list[Leak]:
        """Where a secret stands among what the systems show of themselves."""
        client = self.sandbox.client
        texts = {
            "StackOne": repr([client.stackone.accounts(self.name), client.stackone.sessions(self.name)]),
            "PIMworks": repr(client.pimworks.get(self.name)),
            "SureCart": repr([client.surecart.tokens(self.name), client.surecart.webhook_endpoints(self.name)]),
            "CoopCycle": repr([row.name for row in self.apps()]),
        }
        return scan([], self.bench.secrets, texts)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: which generation a system held, and whether that worked."""

    who: str
    generation: int
    works: bool


class Users(threading.Thread):
    """Looks all the time at what each system holds, and whether it works where it is used."""

    def __init__(self, systems: Systems) -> None:
        super().__init__(daemon=True)
        self.systems = systems
        self.looks: list[Seen] = []
        self._known: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self._left: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        # A pause, so that the engine gets its share of a small machine.
        while not self._over.wait(0.4):
            for who in self._readers.keys() - self._left:
                self.looks.append(self._look(who))

    def leave(self, who: str) -> None:
        """This one is to hold nothing from now on."""
        self._left.add(who)

    @property
    def _readers(self) -> Mapping[str, tuple[str, Callable[[], str | None]]]:
        """The connection of each system, and how the digest of what it holds is read."""
        systems = self.systems
        sites = {name: (SITES, partial(self._token, name)) for name in NAMES}
        return {
            "stackone": (HUBS, systems.at_stackone),
            "pimworks": (HUBS, systems.at_pimworks),
            "shop": (SHOP, systems.at_shop),
            **sites,
        }

    def _token(self, name: str) -> str | None:
        return self.systems.site(name).effective_sha256

    def _look(self, who: str) -> Seen:
        """What changed hands between two calls says nothing: it is looked at again."""
        connection, read = self._readers[who]
        held = read()
        while True:
            seen = Seen(who, *self._works(connection, held))
            again = read()
            if seen.works or again == held or who in self._left:
                return seen
            held = again

    def _works(self, connection: str, held: str | None) -> tuple[int, bool]:
        if held is None:
            return 0, False
        if held not in self._known:
            for number, values in self.systems.generations(connection).items():
                secret = next(values[word] for word in ("consumer_secret", "token", "secret") if word in values)
                self._known[digest(secret)] = number, values
        if held not in self._known:
            return 0, False
        number, pair = self._known[held]
        return number, self.systems.opens(connection, pair)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def check(self, generations: Mapping[str, set[int]]) -> None:
        """At every look, what each system held worked; these generations were seen."""
        assert [look for look in self.looks if not look.works and look.who not in self._left] == []
        seen = {(look.who, look.generation) for look in self.looks}
        assert {who: {number for other, number in seen if other == who} for who in generations} == generations
