"""The pages of PIMworks' WooCommerce channel (sheet pimworks.md sections 2 to 6), as a person with a browser meets them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.client import Client, ControlError, HandMadeKey
from sandbox.pimworks.client import ChannelStoreRow, PimworksRow
from sandbox.pimworks.state import COMPONENTS
from sandbox.pimworks.visitor import PimworksVisitError, PimworksVisitor
from sandbox.server_process import ServerProcess, start
from tests.sandbox.browser import ADMIN_PASSWORD, VERSIONS, tls

PASSWORD = "pim-password"
WRONG = "cs_" + "0" * 40
NUMBERS = itertools.count(1)


@dataclass
class Pim:
    """An account with a super user who is visiting, and a store with keys."""

    control: Client
    ca: Path
    account: PimworksRow
    visitor: PimworksVisitor
    store: str
    store_url: str

    @property
    def row(self) -> PimworksRow:
        return self.control.pimworks.get(self.account.name)

    def mail(self, name: str) -> str:
        return f"{name}@{self.account.name}.example"

    def pair(self, permissions: str = "read_write") -> HandMadeKey:
        return self.control.insert_key(self.store, description="PIMworks", permissions=permissions)

    def save(
        self,
        pair: HandMadeKey | None = None,
        name: str = "north",
        labels: tuple[str, ...] = ("Products", "Orders"),
        **changes: str,
    ) -> ChannelStoreRow:
        """Save a store; return it as it is held. An empty change sends an empty field."""
        pair = pair or self.pair()
        values = {"store_url": self.store_url, "consumer_key": pair.consumer_key, "secret_key": pair.consumer_secret}
        shown = self.visitor.save_store(name, **(values | changes), labels=labels)
        return self.row.store(shown.name)


MakePim = Callable[..., Pim]
Visit = Callable[..., PimworksVisitor]


@pytest.fixture
def visit(server: ServerProcess) -> Iterator[Visit]:
    """A visitor of an account."""
    visitors: list[PimworksVisitor] = []

    def make(account: PimworksRow, mail: str, password: str = PASSWORD) -> PimworksVisitor:
        visitors.append(PimworksVisitor(account.url, server.ca, mail, password))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.close()


@pytest.fixture
def make(server: ServerProcess, control: Client, visit: Visit) -> MakePim:
    def made(version: str = "11.0.1", subscribed: bool = True, **settings: Any) -> Pim:
        name = f"pim-{next(NUMBERS)}"
        url = control.create_store(f"{name}-shop", version, ADMIN_PASSWORD)
        users = [{"mail": f"super@{name}.example", "password": PASSWORD, "role": "super"}]
        account = control.pimworks.create(name, users=users, subscribed=subscribed, **settings)
        return Pim(control, server.ca, account, visit(account, f"super@{name}.example"), f"{name}-shop", url)

    return made


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


# --- section 2: who may ---------------------------------------------------------------------------------------------


def test_who_gets_in(make: MakePim, visit: Visit) -> None:
    pim = make()
    for mail, password in ((pim.mail("super"), "wrong"), ("nobody@elsewhere.example", PASSWORD)):
        with pytest.raises(PimworksVisitError, match="not right"):
            visit(pim.account, mail, password).stores()
    assert pim.visitor.stores() == ()


RIGHTS: list[tuple[str, str, bool, bool]] = [
    # role, right, may look, may save
    ("super", "none", True, True),
    ("pim", "read_write", True, True),
    ("pim", "read", True, False),
    ("pim", "none", False, False),
]


@pytest.mark.parametrize(("role", "right", "looks", "saves"), RIGHTS)
def test_rights(role: str, right: str, looks: bool, saves: bool, make: MakePim, visit: Visit) -> None:
    pim = make()
    pim.save()
    pim.control.pimworks.put_user(pim.account.name, pim.mail("x"), PASSWORD, role=role, right=right)
    person = visit(pim.account, pim.mail("x"))
    if looks:
        assert [store.name for store in person.stores()] == ["north"]
    else:
        with pytest.raises(PimworksVisitError, match="menu Channels"):
            person.stores()
    other = Pim(pim.control, pim.ca, pim.account, person, pim.store, pim.store_url)
    if saves:
        assert other.save().connected
    else:
        with pytest.raises(PimworksVisitError):
            other.save()
        with pytest.raises(PimworksVisitError):
            person.remove_store("north")


def test_the_module_is_part_of_the_subscription(make: MakePim) -> None:
    pim = make()
    pim.control.pimworks.change(pim.account.name, module=False)
    with pytest.raises(PimworksVisitError, match="menu Channels"):
        pim.visitor.subscribe()
    pim.control.pimworks.change(pim.account.name, module=True)
    assert pim.visitor.stores() == ()


PAGES = [
    ("GET", "/channels"),
    ("GET", "/channels/woocommerce"),
    ("GET", "/channels/woocommerce/stores/new"),
    ("POST", "/channels/woocommerce/stores/new"),
    ("POST", "/channels/woocommerce/stores/1/remove"),
    ("POST", "/channels/add"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_pages_are_behind_the_login_the_forms_token_and_the_rights(method: str, path: str, make: MakePim) -> None:
    pim = make()
    with httpx.Client(verify=tls(pim.ca), trust_env=False) as http:
        assert http.request(method, pim.account.url + path).headers["location"] == "/pimworks.example/login"
        pim.control.pimworks.put_user(pim.account.name, pim.mail("x"), PASSWORD, right="read")
        http.post(f"{pim.account.url}/login", data={"mail": pim.mail("x"), "password": PASSWORD})
        answer = http.request(method, pim.account.url + path)
        refused = method == "POST" or path.endswith("/new")
        assert answer.status_code == (403 if refused else 200)
        assert ("expired" in answer.text) is (method == "POST")
        pim.control.pimworks.change(pim.account.name, module=False)
        assert http.request(method, pim.account.url + path).status_code == 403


def test_logging_out_and_what_is_not_there(make: MakePim) -> None:
    pim = make()
    with httpx.Client(verify=tls(pim.ca), trust_env=False) as http:
        http.post(f"{pim.account.url}/login", data={"mail": pim.mail("super"), "password": PASSWORD})
        page = http.get(f"{pim.account.url}/dashboard").text
        token = page.partition('name="form_token" value="')[2].partition('"')[0]
        assert http.get(f"{pim.account.url}/products").status_code == 501
        assert http.request("PUT", f"{pim.account.url}/channels").status_code == 405
        assert http.get(f"{pim.account.url}/channels/woocommerce/stores/404").status_code == 404
        cookie = f"pimworks_session={http.cookies['pimworks_session']}"
        http.post(f"{pim.account.url}/logout", data={"form_token": token})
        http.cookies.clear()
        assert http.get(f"{pim.account.url}/dashboard", headers={"Cookie": cookie}).status_code == 302


# --- section 4: the steps -------------------------------------------------------------------------------------------


def test_the_channel_is_found_by_a_search_and_added_once(make: MakePim) -> None:
    pim = make(subscribed=False)
    with pytest.raises(PimworksVisitError, match="edit icon of WooCommerce"):
        pim.visitor.stores()
    pim.visitor.subscribe()
    pim.visitor.subscribe()
    assert pim.row.subscribed
    requests = pim.control.requests(store=pim.account.site)
    assert [row.operation for row in requests].count("pim_subscribe") == 1
    pim.control.pimworks.change(pim.account.name, subscribed=False)
    with pytest.raises(PimworksVisitError, match="edit icon"):
        pim.save()


def test_a_store_is_saved_as_typed(make: MakePim) -> None:
    pim = make()
    pair = pim.pair()
    row = pim.save(pair)
    assert (row.name, row.url, row.components) == ("north", pim.store_url, ("Products", "Orders"))
    assert row.consumer_key_tail == pair.consumer_key[-7:] == pim.control.keys(pim.store)[-1].truncated_key
    assert row.secret_key_sha256 == digest(pair.consumer_secret)
    (shown,) = pim.visitor.stores()
    assert (shown.connection, shown.syncs) == ("Connected", {"Products": "Completed", "Orders": "Completed"})


def test_a_store_is_replaced_and_its_ticks_with_it(make: MakePim) -> None:
    pim = make()
    first, second = pim.save(), pim.pair()
    replaced = pim.save(second, labels=("Coupons",))
    assert (replaced.id, replaced.components) == (first.id, ("Coupons",))
    assert replaced.secret_key_sha256 == digest(second.consumer_secret)
    kept = pim.save(second, labels=("Tags",), consumer_key="", secret_key="")
    assert kept.secret_key_sha256 == digest(second.consumer_secret)


def test_many_stores_and_removal(make: MakePim, control: Client) -> None:
    pim = make()
    pim.save()
    other = control.create_store(f"{pim.store}-south", "3.2.5", ADMIN_PASSWORD)
    key = control.insert_key(f"{pim.store}-south", description="PIMworks", permissions="read")
    pim.save(key, "south", store_url=other)
    assert [store.name for store in pim.visitor.stores()] == ["north", "south"]
    pim.visitor.remove_store("north")
    assert [store.name for store in pim.visitor.stores()] == ["south"]
    with pytest.raises(PimworksVisitError, match="no store 'north'"):
        pim.visitor.remove_store("north")


def test_labels_are_a_setting(make: MakePim) -> None:
    assert make().visitor.labels() == tuple(COMPONENTS)
    pim = make(components={"Product information": "products", "Product groups": "products/categories"})
    assert pim.visitor.labels() == ("Product information", "Product groups")
    assert pim.save(labels=("Product groups",)).syncs == {"Product groups": "Completed"}
    with pytest.raises(PimworksVisitError, match="offers no sync component Orders"):
        pim.save(labels=("Orders",))


def test_a_form_without_a_name(make: MakePim) -> None:
    pim = make(store_name_field=False)
    assert pim.save(name="north").name == pim.store_url
    assert len({pim.save(name="north").id for _ in range(2)}) == 1


FORMS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"name": ""}, "Store name is required"),
    ({}, {"store_url": "shop"}, "must be an address"),
    ({}, {"consumer_key": ""}, "are required"),
    ({}, {"secret_key": ""}, "are required"),
    ({}, {"labels": ()}, "at least one sync component"),
    ({"trailing_slash": "refused"}, {"store_url": "{}/"}, "slash"),
    ({"trailing_slash": "accepted"}, {"store_url": "{}/"}, ""),
]


@pytest.mark.parametrize(("settings", "changes", "words"), FORMS)
def test_forms_that_are_refused(settings: dict[str, Any], changes: dict[str, Any], words: str, make: MakePim) -> None:
    pim = make(**settings)
    changes = {name: value.format(pim.store_url) if name == "store_url" else value for name, value in changes.items()}
    if not words:
        assert pim.save(**changes).connected
        return
    with pytest.raises(PimworksVisitError, match=words):
        pim.save(**changes)
    assert pim.row.stores == ()
    assert pim.control.requests(store=pim.store) == []


@pytest.mark.parametrize("unique", [True, False])
def test_one_address_twice(unique: bool, make: MakePim) -> None:
    pim = make(unique=unique)
    pim.save()
    if unique:
        with pytest.raises(PimworksVisitError, match="URL is in the channel already"):
            pim.save(name="south")
    else:
        assert pim.save(name="south").id != pim.row.store("north").id


# --- sections 3, 5 and 6: SAVE --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("permissions", "good"), [("read_write", True), ("read", True), ("write", False)])
def test_save_validates_at_the_store_of_either_admin_path(
    version: str, permissions: str, good: bool, make: MakePim
) -> None:
    pim = make(version)
    pair = pim.pair(permissions)
    if good:
        assert pim.save(pair).connected
    else:
        with pytest.raises(PimworksVisitError, match="credentials are not valid"):
            pim.save(pair)
        assert pim.row.stores == ()
    key = next(row for row in pim.control.keys(pim.store) if row.key_id == pair.key_id)
    assert (key.last_access is not None) is good


def test_save_starts_the_sync_of_what_is_ticked(make: MakePim) -> None:
    pim = make()
    pair = pim.pair()
    pim.save(pair, labels=("Categories", "Coupons"))
    asked = [row.path.partition("/wp-json/wc/v3/")[2] for row in pim.control.find_value(pair.consumer_secret)]
    assert [path for path in asked if path] == ["products", "products/categories", "coupons"]


@pytest.mark.parametrize("resync", [True, False])
def test_saving_again(resync: bool, make: MakePim) -> None:
    pim = make(resync=resync, validation_resource="orders")
    pair = pim.pair()
    for _ in range(2):
        pim.save(pair, labels=("Products",))
    asked = [row.path.rpartition("/")[2] for row in pim.control.requests(store=pim.store)]
    assert (asked.count("orders"), asked.count("products")) == (2, 2 if resync else 1)


def test_components_end_on_their_own(make: MakePim) -> None:
    pim = make()
    pim.control.add_fault("status", store=pim.store, path="/orders", times=None)
    row = pim.save(labels=("Products", "Orders"))
    assert (row.connected, row.syncs) == (True, {"Products": "Completed", "Orders": "Exception"})


REFUSED = [(False, [], "Consumer secret is invalid"), (True, ["north"], "")]


@pytest.mark.parametrize(("keep", "listed", "words"), REFUSED)
def test_a_refusal_is_shown(keep: bool, listed: list[str], words: str, make: MakePim) -> None:
    pim = make(keep_refused=keep)
    if words:
        with pytest.raises(PimworksVisitError, match=words) as refusal:
            pim.save(secret_key=WRONG)
        assert WRONG not in str(refusal.value)
    else:
        row = pim.save(secret_key=WRONG)
        assert (row.connected, row.syncs) == (False, {})
        assert pim.visitor.stores()[0].connection == "Invalid credentials"
    assert [store.name for store in pim.row.stores] == listed


def test_a_refused_replacement_leaves_the_old_pair(make: MakePim) -> None:
    pim = make()
    old = pim.save()
    with pytest.raises(PimworksVisitError, match="not valid"):
        pim.save(secret_key=WRONG)
    assert pim.row.store("north") == old


def test_a_store_that_does_not_answer(make: MakePim) -> None:
    pim = make()
    with pytest.raises(PimworksVisitError, match="does not answer"):
        pim.save(store_url="https://localhost:1/shop")


def test_a_sync_of_its_own_and_after_a_revoke(make: MakePim) -> None:
    """Section 9: a sync that goes on after the revoke ends in failures."""
    pim = make()
    pair = pim.pair()
    row = pim.save(pair)
    again = pim.control.pimworks.sync(pim.account.name, row.id)
    assert set(again.syncs.values()) == {"Completed"}
    pim.control.delete_key(pim.store, pair.key_id)
    dead = pim.control.pimworks.sync(pim.account.name, row.id)
    assert (dead.connected, set(dead.syncs.values())) == (True, {"Exception"})


# --- The control API ------------------------------------------------------------------------------------------------


def test_no_secret_is_shown(make: MakePim) -> None:
    pim = make()
    pair = pim.pair()
    row = pim.save(pair)
    shown = repr(pim.control.pimworks.all())
    with httpx.Client(verify=tls(pim.ca), trust_env=False, follow_redirects=True) as http:
        http.post(f"{pim.account.url}/login", data={"mail": pim.mail("super"), "password": PASSWORD})
        for path in ("", f"/stores/{row.id}"):
            shown += http.get(f"{pim.account.url}/channels/woocommerce{path}").text
    assert "north" in shown
    for secret in (pair.consumer_key, pair.consumer_secret, PASSWORD):
        assert secret not in shown


def test_forgetting_stores_and_accounts(make: MakePim) -> None:
    pim = make(unique=False)
    first = pim.save()
    pim.save(name="south")
    assert [store.name for store in pim.control.pimworks.forget(pim.account.name, first.id).stores] == ["south"]
    assert pim.control.pimworks.forget(pim.account.name).stores == ()
    pim.control.pimworks.delete(pim.account.name)
    with pytest.raises(PimworksVisitError, match="not let"):
        pim.visitor.stores()


def test_control_refuses_what_makes_no_sense(make: MakePim) -> None:
    pim, other = make(), make()
    api, name = pim.control.pimworks, pim.account.name
    refused: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (api.create, (name,), {}),
        (api.create, ("Bad Name",), {}),
        (api.create, ("another",), {"nonsense": 1}),
        (api.change, (name,), {"users": True}),
        (api.change_settings, (name,), {"components": {}}),
        (api.change_settings, (name,), {"trailing_slash": "odd"}),
        (api.put_user, (name, "x@pim.example", PASSWORD), {"right": "everything"}),
        (api.put_user, (name, other.mail("super"), PASSWORD), {}),
        (api.forget, (name, 404), {}),
        (api.sync, (name, 404), {}),
        (api.get, ("nobody",), {}),
    ]
    for call, arguments, options in refused:
        with pytest.raises(ControlError):
            call(*arguments, **options)


def test_a_visitor_says_what_stands_in_the_way(make: MakePim) -> None:
    pim = make()
    pim.visitor.stores()
    pim.control.add_fault("drop_before", store=pim.account.site, operation="pim_channels")
    with pytest.raises(PimworksVisitError, match=r"/channels: no answer"):
        pim.visitor.stores()
    pim.control.add_fault(
        "status", store=pim.account.site, operation="pim_channels", headers={"Content-Type": "text/plain"}
    )
    with pytest.raises(PimworksVisitError, match="503, no page"):
        pim.visitor.stores()


def test_stores_outlive_the_process(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        port = int(first.url.rpartition(":")[2])
        url = first.client.create_store("shop", "11.0.1", ADMIN_PASSWORD)
        key = first.client.insert_key("shop", description="PIMworks")
        users = [{"mail": "super@acme.example", "password": PASSWORD}]
        account = first.client.pimworks.create("acme", users=users, subscribed=True)
        with PimworksVisitor(account.url, first.ca, "super@acme.example", PASSWORD) as person:
            person.save_store("north", url, key.consumer_key, key.consumer_secret, ["Products"])
            saved = first.client.pimworks.get("acme").stores
            first.kill()
            with start(tmp_path, port) as second:
                assert second.client.pimworks.get("acme").stores == saved
                assert [store.name for store in person.stores()] == ["north"]
