"""What a PIMworks account holds: its people, its subscription, and the stores of its WooCommerce channel (pimworks.md 2, 4)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandbox.documents import Documents
from sandbox.store_calls import StoreKey

KIND = "pimworks.account"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
TAIL_LENGTH = 7
"""Characters of a consumer key that are told, as many as wp-admin shows of it."""

COMPONENTS = {
    "Products": "products",
    "Categories": "products/categories",
    "Attributes": "products/attributes",
    "Tags": "products/tags",
    "Orders": "orders",
    "Customers": "customers",
    "Coupons": "coupons",
}
"""Sync components, label to resource of the store. PIMworks' real labels are not known: these are inventions, and a setting."""

Role = Literal["super", "pim"]
Right = Literal["read_write", "read", "none"]


class PimworksError(ValueError):
    """A control call that cannot be carried out, or a form that is refused; the message is for a person."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountSettings(BaseModel):
    """How the channel behaves where the sheet says unknown (sections 4, 6, 10)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    components: dict[str, str] = COMPONENTS
    """Labels on the screen, in their order, and the resource that each one reads."""
    validation_resource: str = "products"
    """What SAVE reads to validate the credentials."""
    keep_refused: bool = False
    """A store whose credentials are refused is kept all the same, marked so; else nothing is saved."""
    store_name_field: bool = True
    """The form asks for the store's name; else the address stands for it."""
    trailing_slash: Literal["accepted", "refused"] = "accepted"
    unique: bool = True
    """A name and an address may stand once in a channel."""
    resync: bool = True
    """Each SAVE syncs every chosen component again; else a store syncs once."""
    latency: float = Field(0.0, ge=0)

    @field_validator("components")
    @classmethod
    def _some(cls, components: dict[str, str]) -> dict[str, str]:
        if not components:
            raise ValueError("components are label to resource, at least one")
        return components


class User(_Record):
    """Somebody who logs in."""

    mail: str
    password_hash: str = Field(repr=False)
    role: Role = "super"
    right: Right = "none"
    """Of a PIM user, on the Channel Subscription module; a super user needs none."""

    @property
    def may_read(self) -> bool:
        """Whether the pages of the channel open."""
        return self.role == "super" or self.right != "none"

    @property
    def may_write(self) -> bool:
        """Whether its forms do something."""
        return self.role == "super" or self.right == "read_write"


class ChannelStore(_Record):
    """A store of the channel, with the pair that was typed in."""

    id: int
    name: str
    url: str
    consumer_key: str = Field(repr=False)
    secret_key: str = Field(repr=False)
    components: list[str]
    """Labels that are ticked."""
    connected: bool
    saved: float
    syncs: dict[str, str] = {}
    """State of each component's last sync: Completed or Exception."""

    @property
    def key(self) -> StoreKey:
        """What the sync works with."""
        return StoreKey(self.url.rstrip("/"), self.consumer_key, self.secret_key)


class Account(_Record):
    """A PIMworks account, one customer's."""

    name: str
    settings: AccountSettings = AccountSettings()
    module: bool = True
    """Whether the Channel Subscription module is part of its subscription."""
    subscribed: bool = False
    """Whether the WooCommerce channel was added."""
    users: list[User] = []
    stores: list[ChannelStore] = []
    last_id: int = 0

    @field_validator("name")
    @classmethod
    def _fits_a_path(cls, name: str) -> str:
        if not NAME.match(name):
            raise ValueError("the name of an account is made of small letters, digits and hyphens")
        return name

    @property
    def site(self) -> str:
        """What faults and the log call it."""
        return f"pimworks/{self.name}"

    def store(self, store_id: int) -> ChannelStore:
        """The store of this number; raises if there is none."""
        for store in self.stores:
            if store.id == store_id:
                return store
        raise PimworksError("There is no such store.")


class State:
    """Every account of the process, kept in memory and written through; sessions in memory alone."""

    def __init__(self, documents: Documents, key: bytes) -> None:
        self._documents = documents
        self._key = key
        stored = [Account.model_validate_json(text) for text in documents.all(KIND)]
        self._accounts = {account.name: account for account in stored}
        self._sessions: dict[str, tuple[str, str]] = {}

    def accounts(self) -> list[Account]:
        """Every account."""
        return list(self._accounts.values())

    def account(self, name: str) -> Account:
        """The account of this name; raises if there is none."""
        if name not in self._accounts:
            raise PimworksError(f"there is no account {name!r}")
        return self._accounts[name]

    def create(self, order: dict[str, Any]) -> Account:
        """A new account from what the control API was given."""
        users = order.pop("users", [])
        account = Account.model_validate(order)
        if account.name in self._accounts:
            raise PimworksError(f"there is an account {account.name!r} already")
        self._accounts[account.name] = account
        for user in users:
            self.put_user(account, user)
        return self.keep(account)

    def delete(self, name: str) -> None:
        """Take an account away."""
        del self._accounts[self.account(name).name]
        self._documents.delete(KIND, name)

    def put_user(self, account: Account, order: dict[str, Any]) -> None:
        """A user, new or in the place of the one of this mail address."""
        fields = dict(order)
        mail, password = fields.get("mail", ""), fields.pop("password")
        user = User.model_validate(fields | {"password_hash": self._hash(mail, password)})
        if any(user.mail == other.mail for one in self.accounts() if one is not account for other in one.users):
            raise PimworksError(f"{user.mail} is a user of another account")
        account.users = [other for other in account.users if other.mail != user.mail] + [user]
        self.keep(account)

    def change_settings(self, name: str, changes: dict[str, Any]) -> Account:
        """Set some settings."""
        account = self.account(name)
        account.settings = AccountSettings.model_validate(account.settings.model_dump() | changes)
        return self.keep(account)

    def save_store(self, account: Account, store_id: int, **fields: Any) -> ChannelStore:
        """A store, new (number 0) or with other values."""
        if store_id:
            store = account.store(store_id)
            for name, value in fields.items():
                setattr(store, name, value)
        else:
            account.last_id += 1
            store = ChannelStore(id=account.last_id, saved=time.time(), **fields)
            account.stores.append(store)
        store.saved = time.time()
        self.keep(account)
        return store

    def remove_store(self, account: Account, store_id: int) -> None:
        """Take a store out of the channel."""
        account.stores.remove(account.store(store_id))
        self.keep(account)

    def keep(self, account: Account) -> Account:
        """Write a changed account through."""
        self._documents.put(KIND, account.name, account.model_dump_json())
        return account

    # Sessions

    def log_in(self, mail: str, password: str) -> str | None:
        """A new session for who knows the password; None otherwise."""
        wanted = self._hash(mail, password)
        for account in self.accounts():
            for user in account.users:
                if user.mail == mail and hmac.compare_digest(user.password_hash, wanted):
                    session = secrets.token_urlsafe(24)
                    self._sessions[session] = (account.name, mail)
                    return session
        return None

    def log_out(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def visitor(self, session: str) -> tuple[Account, User] | None:
        """Whose session it is."""
        name, mail = self._sessions.get(session, ("", ""))
        account = self._accounts.get(name)
        user = next((one for one in account.users if one.mail == mail), None) if account else None
        return (account, user) if account and user else None

    def form_token(self, session: str) -> str:
        """What the forms of a session carry."""
        return hmac.digest(self._key, f"form {session}".encode(), "sha256").hex()

    def _hash(self, mail: str, password: str) -> str:
        return hashlib.scrypt(password.encode(), salt=self._key + mail.encode(), n=16, r=8, p=1).hex()
