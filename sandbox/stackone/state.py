"""What an organisation at StackOne holds: API keys, connect sessions and linked accounts (stackone.md sections 2 to 4)."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandbox.documents import Documents
from sandbox.stackone.settings import OrganisationSettings
from sandbox.store_calls import StoreKey

PROVIDER = "woocommerce"
PROVIDER_NAME = "WooCommerce"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
PLACEHOLDER = "__secretvalue:**redacted**"
SESSION_SECONDS = 1800
"""Life of a session whose body has no `expires_in`."""

ORGANISATION, SESSION, ACCOUNT = "stackone.organisation", "stackone.session", "stackone.account"
"""Kinds of documents."""

Scope = Literal["full", "read_only", "accounts", "actions"]
Role = Literal["store_url", "consumer_key", "consumer_secret"]
ROLES: tuple[Role, ...] = ("store_url", "consumer_key", "consumer_secret")
SECRET_ROLES = frozenset({"consumer_key", "consumer_secret"})
LABELS: dict[Role, str] = {
    "store_url": "Store URL",
    "consumer_key": "Consumer Key",
    "consumer_secret": "Consumer Secret",
}
"""The labels of the fields, as documented; their keys are a setting."""


class StackOneError(ValueError):
    """A control call that cannot be carried out."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ApiKey(_Record):
    """An API key, which is kept as its hash alone."""

    id: int
    scopes: list[Scope] = Field(min_length=1)
    region: str
    sha256: str = Field(repr=False)


class Organisation(_Record):
    """One organisation with its only project."""

    name: str
    id: int = 0
    settings: OrganisationSettings = OrganisationSettings()
    keys: list[ApiKey] = []
    last_id: int = 0
    """Of keys and sessions."""

    @field_validator("name")
    @classmethod
    def _fits_a_path(cls, name: str) -> str:
        if not NAME.match(name):
            raise ValueError("the name of an organisation is made of small letters, digits and hyphens")
        return name

    @property
    def site(self) -> str:
        """What faults and the log call it."""
        return f"stackone/{self.name}"

    @property
    def now(self) -> float:
        """The time by its clock, in unix seconds."""
        return time.time() + self.settings.clock_offset

    @property
    def project_id(self) -> str:
        """Its only project."""
        return f"proj-{self.id}"

    @property
    def integration_id(self) -> str:
        """The authentication config of WooCommerce."""
        return f"integration-{PROVIDER}-{self.id}"

    @property
    def field_keys(self) -> dict[str, Role]:
        """Role of each field by its key."""
        return dict(zip(self.settings.field_keys, ROLES, strict=True))


class Session(_Record):
    """A connect session; its token is kept as its hash alone."""

    id: int
    organisation: str
    token_sha256: str = Field(repr=False)
    created: float
    expires: float
    provider: str | None
    origin_owner_id: str
    origin_owner_name: str
    origin_username: str | None
    label: str | None
    account_id: str | None
    """The account to edit; None for a session that links."""
    integration_id: str | None
    multiple: bool
    metadata: dict[str, Any]
    type: str
    linked_account: str | None = None
    """What came of it."""


class Account(_Record):
    """A linked account with the values that it holds."""

    id: str
    organisation: str
    provider: str
    integration_id: str
    origin_owner_id: str
    origin_owner_name: str
    origin_username: str | None
    label: str | None
    status: str
    status_reasons: list[dict[str, str]] = []
    shared: bool = False
    type: str
    metadata: dict[str, Any]
    created: float
    updated: float
    store_url: str
    consumer_key: str = Field(repr=False)
    consumer_secret: str = Field(repr=False)
    reads: int = 0
    """Answers that showed it since its last link; only counted for a late error."""

    @property
    def key(self) -> StoreKey:
        """What it works with."""
        return StoreKey(self.store_url, self.consumer_key, self.consumer_secret)

    def blame(self, code: str, description: str, now: float) -> None:
        """Put it into `error` with a reason."""
        self.status = "error"
        self.status_reasons = [{"code": code, "description": description, "timestamp": timestamp(now)}]


def timestamp(seconds: float) -> str:
    """Unix seconds as the API writes a time."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sha256(value: str) -> str:
    """The hash by which a value is known without being kept or shown."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


class State:
    """Everything of every organisation, kept in memory and written through."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        organisations = [Organisation.model_validate_json(text) for text in documents.all(ORGANISATION)]
        sessions = [Session.model_validate_json(text) for text in documents.all(SESSION)]
        accounts = [Account.model_validate_json(text) for text in documents.all(ACCOUNT)]
        self._organisations = {one.name: one for one in organisations}
        self._sessions = {one.token_sha256: one for one in sessions}
        self._accounts = {one.id: one for one in sorted(accounts, key=lambda one: one.created)}

    # Organisations and their keys

    def organisations(self) -> list[Organisation]:
        """Every organisation."""
        return list(self._organisations.values())

    def organisation(self, name: str) -> Organisation:
        """The organisation of this name; raises if there is none."""
        if name not in self._organisations:
            raise StackOneError(f"there is no organisation {name!r}")
        return self._organisations[name]

    def create_organisation(self, name: str, settings: dict[str, Any]) -> Organisation:
        """A new organisation without keys."""
        if name in self._organisations:
            raise StackOneError(f"there is an organisation {name!r} already")
        number = max((one.id for one in self._organisations.values()), default=0) + 1
        made = Organisation(name=name, id=number, settings=OrganisationSettings.model_validate(settings))
        self._organisations[name] = made
        return self.keep(made)

    def delete_organisation(self, name: str) -> None:
        """Take an organisation away with everything in it."""
        organisation = self.organisation(name)
        for account in self.accounts(organisation):
            self.delete_account(account)
        for session in self.sessions(organisation):
            del self._sessions[session.token_sha256]
            self._documents.delete(SESSION, session.token_sha256)
        del self._organisations[name]
        self._documents.delete(ORGANISATION, name)

    def change_settings(self, name: str, changes: dict[str, Any]) -> Organisation:
        """Set some settings."""
        organisation = self.organisation(name)
        settings = organisation.settings.model_dump() | changes
        organisation.settings = OrganisationSettings.model_validate(settings)
        return self.keep(organisation)

    def create_key(self, organisation: Organisation, scopes: list[Any], region: str) -> tuple[ApiKey, str]:
        """A new API key and its value, which is shown this once."""
        organisation.last_id += 1
        value = f"v1.{region}.{secrets.token_urlsafe(40)}"
        key = ApiKey(id=organisation.last_id, scopes=scopes, region=region, sha256=sha256(value))
        organisation.keys.append(key)
        self.keep(organisation)
        return key, value

    def delete_key(self, organisation: Organisation, key_id: int) -> None:
        """Revoke an API key."""
        kept = [key for key in organisation.keys if key.id != key_id]
        if len(kept) == len(organisation.keys):
            raise StackOneError(f"there is no API key {key_id}")
        organisation.keys = kept
        self.keep(organisation)

    def key_of(self, value: str) -> tuple[Organisation, ApiKey] | None:
        """Whose API key this is."""
        digest = sha256(value)
        for organisation in self._organisations.values():
            for key in organisation.keys:
                if key.sha256 == digest:
                    return organisation, key
        return None

    def keep(self, organisation: Organisation) -> Organisation:
        """Write a changed organisation through."""
        self._documents.put(ORGANISATION, organisation.name, organisation.model_dump_json())
        return organisation

    # Sessions

    def sessions(self, organisation: Organisation) -> list[Session]:
        """Its sessions, oldest first."""
        found = [one for one in self._sessions.values() if one.organisation == organisation.name]
        return sorted(found, key=lambda one: one.id)

    def create_session(self, organisation: Organisation, expires_in: float, **fields: Any) -> tuple[Session, str]:
        """A new session and its token, which is answered this once."""
        organisation.last_id += 1
        token, now = secrets.token_urlsafe(48), organisation.now
        session = Session(
            id=organisation.last_id,
            organisation=organisation.name,
            token_sha256=sha256(token),
            created=now,
            expires=now + expires_in,
            **fields,
        )
        self._sessions[session.token_sha256] = session
        self.keep(organisation)
        self.keep_session(session)
        return session, token

    def session_of(self, token: str) -> tuple[Organisation, Session] | None:
        """The session of this token, whether it lives or not."""
        session = self._sessions.get(sha256(token))
        return (self._organisations[session.organisation], session) if session else None

    def keep_session(self, session: Session) -> None:
        """Write a changed session through."""
        self._documents.put(SESSION, session.token_sha256, session.model_dump_json())

    # Accounts

    def accounts(self, organisation: Organisation) -> list[Account]:
        """Its accounts, oldest first."""
        return [one for one in self._accounts.values() if one.organisation == organisation.name]

    def account(self, organisation: Organisation, account_id: str) -> Account | None:
        """The account of this id, or None."""
        found = self._accounts.get(account_id)
        return found if found is not None and found.organisation == organisation.name else None

    def account_of_owner(self, organisation: Organisation, session: Session) -> Account | None:
        """The account that a session for this owner would overwrite (section 3); WooCommerce is the only provider here."""
        by_name = organisation.settings.owner_key == "id_and_name"
        for account in self.accounts(organisation):
            same = account.origin_owner_id == session.origin_owner_id
            if same and (not by_name or account.origin_owner_name == session.origin_owner_name):
                return account
        return None

    def add_account(self, account: Account) -> Account:
        """Put a new account in."""
        self._accounts[account.id] = account
        return self.keep_account(account)

    def touch(self, organisation: Organisation, account: Account) -> Account:
        """Write a changed account through, with `updated_at` moved by a millisecond at least, as that is what it shows."""
        account.updated = max(organisation.now, account.updated + 0.001)
        return self.keep_account(account)

    def keep_account(self, account: Account) -> Account:
        """Write a changed account through, `updated_at` as it is; nothing if it was deleted meanwhile."""
        if self._accounts.get(account.id) is account:
            self._documents.put(ACCOUNT, account.id, account.model_dump_json())
        return account

    def delete_account(self, account: Account) -> None:
        """Take an account away."""
        del self._accounts[account.id]
        self._documents.delete(ACCOUNT, account.id)


def new_account_id() -> str:
    """Twenty digits."""
    return str(10**19 + secrets.randbelow(9 * 10**19))
