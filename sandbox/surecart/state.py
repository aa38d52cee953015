"""What the cloud knows: accounts, their tokens and webhook endpoints, and the people of the dashboard.

Tokens are made and deleted by people alone, in the dashboard or by the control API in their place: the API of the cloud
has no call for it (sheet 1.3). The dashboard shows a token's value as often as it is looked at (seed 000), so the values
are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sandbox.documents import Documents
from sandbox.surecart.settings import AccountSettings, CloudSettings

API_HOST = "api.surecart.com"
DASHBOARD_HOST = "app.surecart.com"

ALPHABET = string.ascii_letters + string.digits
ENDING_LENGTH = 4
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
RESERVED_SLUGS = frozenset({"login", "logout", "stores"})
"""Pages of the dashboard that stand where the slug of an account stands."""
ACCOUNT_KIND = "surecart.account"
PERSON_KIND = "surecart.person"
SETTINGS_KIND = "surecart.settings"
SETTINGS_NAME = "cloud"
HISTORY_LENGTH = 20
PERSON_FIELDS = {"mail", "password"}
SHOWN_FIELDS = frozenset({"slug", "name", "url", "currency", "claimed"})
"""What a hand may change of an account; its id stays for good."""


class CloudError(ValueError):
    """Something that cannot be carried out; its text is fit for a page or the control API."""


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Token(_Value):
    """A secret token: all rights on its account, there are no finer ones (sheet 1.1)."""

    id: str
    name: str
    """What a person called it in the dashboard; may be empty."""
    value: str = Field(repr=False)
    created: float
    """Unix time by the clock of the cloud."""
    deleted: float | None = None
    """Likewise; a deleted token is kept as long as it still works."""

    @property
    def ending(self) -> str:
        """The last characters of its value, by which a person tells it from others."""
        return self.value[-ENDING_LENGTH:]

    @property
    def sha256(self) -> str:
        """Hash of its value, hexadecimal."""
        return digest(self.value)

    def shown(self) -> dict[str, Any]:
        """As the control API tells it: without the value."""
        return self.model_dump(include={"id", "name", "created"}) | {"ending": self.ending, "sha256": self.sha256}


class WebhookEndpoint(_Value):
    """A URL that events are sent to, one or more for each site of the account (sheet 1.4, 6)."""

    id: str
    url: str
    description: str | None = None
    destination: str | None = None
    enabled: bool = True
    webhook_events: tuple[str, ...] = ()
    signing_secret: str = Field(repr=False)
    created_at: int
    updated_at: int
    tests: int = 0
    """How often `POST .../test` was called."""


class Account(BaseModel):
    """One store of the cloud."""

    model_config = ConfigDict(extra="forbid")

    id: str
    slug: str
    name: str
    url: str | None = None
    currency: str = "usd"
    claimed: bool = True
    claim_url: str | None = None
    claim_window_ends_at: int | None = None
    """Unix time; None for an account that was never provisional."""
    public_token: str
    created_at: int
    people: list[str] = []
    """Mail addresses of those who see it in the dashboard."""
    settings: AccountSettings = AccountSettings()
    tokens: list[Token] = Field([], repr=False)
    webhook_endpoints: list[WebhookEndpoint] = []

    @field_validator("id")
    @classmethod
    def _is_a_uuid(cls, value: str) -> str:
        return str(uuid.UUID(value))

    @field_validator("slug")
    @classmethod
    def _fits_a_path(cls, slug: str) -> str:
        if not SLUG.match(slug) or slug in RESERVED_SLUGS:
            raise ValueError("a slug is made of small letters, digits and hyphens, and is no page of the dashboard")
        return slug

    @property
    def live_tokens(self) -> list[Token]:
        """The tokens that the dashboard lists, oldest first."""
        return [token for token in self.tokens if token.deleted is None]

    def token(self, token_id: str) -> Token:
        """A token of the dashboard's list; raises if there is none of this id."""
        found = next((token for token in self.live_tokens if token.id == token_id), None)
        if found is None:
            raise CloudError("There is no such token.")
        return found

    def shown(self) -> dict[str, Any]:
        """As the control API tells it: without values of secret tokens and signing secrets."""
        return self.model_dump(mode="json", exclude={"tokens", "webhook_endpoints"})


class Person(_Value):
    """Somebody with a login to the dashboard."""

    mail: str
    salt: str
    password_hash: str = Field(repr=False)


def digest(value: str) -> str:
    """SHA-256 of a token, hexadecimal."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


class Cloud:
    """Everything, kept in memory and written through. Sessions and rate windows do not survive the process."""

    def __init__(self, documents: Documents, secret: bytes) -> None:
        self._documents = documents
        self.secret = secret
        accounts = [Account.model_validate_json(document) for document in documents.all(ACCOUNT_KIND)]
        people = [Person.model_validate_json(document) for document in documents.all(PERSON_KIND)]
        settings = documents.all(SETTINGS_KIND)
        self._accounts = {account.id: account for account in accounts}
        self._people = {person.mail: person for person in people}
        self.settings = CloudSettings.model_validate_json(settings[0]) if settings else CloudSettings()
        self._sessions: dict[str, str] = {}
        self._token_owners: dict[str, str] = {}
        self._webhook_history: dict[str, list[list[WebhookEndpoint]]] = {}
        for account in accounts:
            self._index(account)

    def now(self) -> float:
        """Unix time by the clock of the cloud."""
        return time.time() + self.settings.clock_offset

    def close(self) -> None:
        """Close the database."""
        self._documents.close()

    def change_settings(self, changes: Mapping[str, Any] | None) -> CloudSettings:
        """Set some settings of the whole cloud; None sets all back to their defaults."""
        before = {} if changes is None else self.settings.model_dump()
        self.settings = CloudSettings.model_validate(before | dict(changes or {}))
        self._documents.put(SETTINGS_KIND, SETTINGS_NAME, self.settings.model_dump_json())
        return self.settings

    # Accounts

    def accounts(self) -> list[Account]:
        """Every account, by slug."""
        return sorted(self._accounts.values(), key=lambda account: account.slug)

    def find(self, slug: str) -> Account | None:
        """The account of this slug, or None."""
        return next((account for account in self._accounts.values() if account.slug == slug), None)

    def account(self, account_id: str) -> Account | None:
        """The account of this id, or None."""
        return self._accounts.get(account_id)

    def get(self, slug: str) -> Account:
        """The account of this slug; raises if there is none."""
        account = self.find(slug)
        if account is None:
            raise CloudError(f"there is no account {slug!r}")
        return account

    def create(
        self,
        slug: str,
        *,
        account_id: str = "",
        name: str = "",
        url: str | None = None,
        people: Iterable[Mapping[str, Any]] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> Account:
        """A new account without tokens."""
        if self.find(slug) is not None:
            raise CloudError(f"there is an account {slug!r} already")
        account = Account(
            id=account_id or str(uuid.uuid4()),
            slug=slug,
            name=name or slug,
            url=url,
            public_token=f"pt_{_random(24)}",
            created_at=int(self.now()),
            settings=_account_settings(AccountSettings(), settings or {}),
        )
        if account.id in self._accounts:
            raise CloudError(f"there is an account {account.id} already")
        for person in people:
            self._admit_person(account, person)
        return self._keep(account)

    def create_provisional(self, name: str, url: str | None) -> tuple[Account, Token]:
        """A store that nobody has claimed yet, with its token (sheet 1.4)."""
        stem = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "store"
        account = self.create(f"{stem}-{secrets.token_hex(4)}", name=name, url=url)
        account.claimed = False
        account.claim_url = f"https://{DASHBOARD_HOST}/claim/{account.id}"
        account.claim_window_ends_at = int(self.now() + self.settings.claim_window)
        return account, self.make_token(account, "")

    def change(self, slug: str, changes: Mapping[str, Any]) -> Account:
        """Set some of `SHOWN_FIELDS`: an account may get another slug, its id stays."""
        account = self.get(slug)
        unknown = set(changes) - SHOWN_FIELDS
        if unknown:
            raise CloudError(f"an account has no {min(unknown)!r} to change")
        if changes.get("slug", slug) != slug and self.find(changes["slug"]) is not None:
            raise CloudError(f"there is an account {changes['slug']!r} already")
        return self._keep(Account.model_validate(account.model_dump() | dict(changes)))

    def change_account_settings(self, slug: str, changes: Mapping[str, Any]) -> Account:
        """Set some settings of an account."""
        account = self.get(slug)
        account.settings = _account_settings(account.settings, changes)
        return self._keep(account)

    def delete(self, slug: str) -> None:
        """Take an account away with its tokens and webhook endpoints."""
        account = self.get(slug)
        del self._accounts[account.id]
        self._documents.delete(ACCOUNT_KIND, account.id)

    # Tokens

    def owner(self, value: str) -> Account | None:
        """The account whose secret token this is exactly, or None."""
        account = self._accounts.get(self._token_owners.get(digest(value), ""))
        if account is None:
            return None
        matching = [token for token in account.tokens if token.value == value]
        return account if any(self._works(account, token) for token in matching) else None

    def public_owner(self, value: str) -> Account | None:
        """The account whose public key this is, or None."""
        return next((account for account in self._accounts.values() if account.public_token == value), None)

    def make_token(self, account: Account, name: str, *, by_hand: bool = False) -> Token:
        """A new token; `by_hand` in the dashboard, whose rules then hold."""
        limit = account.settings.token_limit
        if by_hand and limit and len(account.live_tokens) >= limit:
            raise CloudError(f"This store can have {limit} secret token{'s' if limit > 1 else ''}. Delete one first.")
        value = self.settings.token_prefix + _random(self.settings.token_length)
        token = Token(id=str(uuid.uuid4()), name=name.strip(), value=value, created=self.now())
        account.tokens.append(token)
        self._keep(account)
        return token

    def delete_token(self, account: Account, token_id: str) -> None:
        """Delete a token: every site that uses it is cut off at once, unless the account has a `deletion_delay`."""
        gone, now = account.token(token_id), self.now()
        dead = gone.model_copy(update={"deleted": now})
        kept = [dead if token.id == token_id else token for token in account.tokens]
        account.tokens = [token for token in kept if self._works(account, token)]
        self._keep(account)

    def _works(self, account: Account, token: Token) -> bool:
        return token.deleted is None or self.now() < token.deleted + account.settings.deletion_delay

    # Webhook endpoints

    def webhook_endpoints(self, account: Account, writes_ago: int = 0) -> list[WebhookEndpoint]:
        """The endpoints, oldest first; as the list was so many writes ago, for a list that lags."""
        history = self._webhook_history.get(account.id, [])
        if not writes_ago or not history:
            return account.webhook_endpoints
        return history[max(len(history) - writes_ago, 0)]

    def put_webhook_endpoints(self, account: Account, endpoints: list[WebhookEndpoint]) -> None:
        """Write the endpoints of an account."""
        history = self._webhook_history.setdefault(account.id, [])
        history.append(account.webhook_endpoints)
        del history[:-HISTORY_LENGTH]
        account.webhook_endpoints = endpoints
        self._keep(account)

    # People

    def add_person(self, slug: str, person: Mapping[str, Any]) -> Account:
        """Let somebody into an account; who is in several has one mail address and one password."""
        account = self.get(slug)
        self._admit_person(account, person)
        return self._keep(account)

    def accounts_of(self, mail: str) -> list[Account]:
        """The accounts that somebody sees in the dashboard, by slug."""
        return [account for account in self.accounts() if mail in account.people]

    def log_in(self, mail: str, password: str) -> str | None:
        """A new session's token, or None for a wrong password."""
        person = self._people.get(mail.strip().casefold())
        if person is None or not hmac.compare_digest(_password_hash(password, person.salt), person.password_hash):
            return None
        session = secrets.token_urlsafe(24)
        self._sessions[session] = person.mail
        return session

    def person(self, session: str) -> str | None:
        """The mail address of whoever is logged in with a session, or None."""
        return self._sessions.get(session)

    def log_out(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)

    def end_sessions(self) -> int:
        """Log everybody out; returns how many were in."""
        ended = len(self._sessions)
        self._sessions.clear()
        return ended

    def _admit_person(self, account: Account, order: Mapping[str, Any]) -> None:
        if set(order) != PERSON_FIELDS or not all(isinstance(value, str) and value for value in order.values()):
            raise CloudError("a person has a mail and a password")
        mail, password = order["mail"].strip().casefold(), order["password"]
        known = self._people.get(mail)
        if known is None:
            salt = secrets.token_hex(8)
            self._people[mail] = Person(mail=mail, salt=salt, password_hash=_password_hash(password, salt))
            self._documents.put(PERSON_KIND, mail, self._people[mail].model_dump_json())
        elif not hmac.compare_digest(_password_hash(password, known.salt), known.password_hash):
            raise CloudError(f"{mail} has another password")
        if mail not in account.people:
            account.people.append(mail)

    def _keep(self, account: Account) -> Account:
        self._accounts[account.id] = account
        self._documents.put(ACCOUNT_KIND, account.id, account.model_dump_json())
        self._index(account)
        return account

    def _index(self, account: Account) -> None:
        self._token_owners.update({token.sha256: account.id for token in account.tokens})


def _account_settings(before: AccountSettings, changes: Mapping[str, Any]) -> AccountSettings:
    """Settings with some set anew; lists of JSON become tuples."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    return AccountSettings.model_validate(before.model_dump() | values)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _password_hash(password: str, salt: str) -> str:
    # Few rounds: the passwords of a stand-in are worth nothing, and tests log in often.
    return hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), 1000).hex()
