"""What a customer of StackOne does with an API key, and the Hub's program with a session; no code of the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.client import Client, HandMadeKey
from sandbox.stackone.client import LinkedAccountRow, OrganisationRow

USER_AGENT = "acme-parts-connector/1.0"
PAIR_FIELDS = ("storeUrl", "consumerKey", "consumerSecret")

MakeStackOne = Callable[..., "StackOneApi"]


@dataclass
class StackOneApi:
    """An organisation with one API key, and a store with keys."""

    http: httpx.Client
    control: Client
    organisation: OrganisationRow
    key: str
    store: str
    store_url: str

    # The public API

    def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        """Any call with an API key."""
        headers = {"User-Agent": USER_AGENT} | options.pop("headers", {})
        auth = (self.key if key is None else key, "")
        return self.http.request(method, self.organisation.api_url + path, auth=auth, headers=headers, **options)

    def session(self, owner: str = "acme", **fields: Any) -> dict[str, Any]:
        """A connect session."""
        body = {"origin_owner_id": owner, "origin_owner_name": owner.title(), "provider": "woocommerce"} | fields
        answer = self.call("POST", "/connect_sessions", json=body)
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def list(self, path: str = "/accounts", **query: Any) -> Any:
        """A list of accounts."""
        return self.call("GET", path, params=query).json()

    def read(self, account_id: str) -> dict[str, Any]:
        """One account."""
        document: dict[str, Any] = self.call("GET", f"/accounts/{account_id}").json()
        return document

    def act(self, account_id: str, action: str = "woocommerce_list_products", **options: Any) -> httpx.Response:
        """A read action with the account's key."""
        headers = {"x-account-id": account_id}
        return self.call("POST", "/actions/rpc", json={"action": action}, headers=headers, **options)

    # The Hub's wire

    def hub(self, token: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A call with a session's token."""
        headers = {"x-hub-session-token": token}
        return self.http.request(method, f"{self.organisation.api_url}/hub{path}", headers=headers, **options)

    def integration(self, token: str) -> str:
        """The id of the only integration."""
        (integration,) = self.hub(token, "GET", "/connectors", params={"provider": "woocommerce"}).json()[
            "integrations"
        ]
        found: str = integration["integration_id"]
        return found

    def send(
        self, token: str, values: dict[str, str], method: str = "POST", path: str = "/accounts", **fields: Any
    ) -> httpx.Response:
        """Credentials by the wire."""
        body = {"integration_id": self.integration(token), "credentials": values} | fields
        return self.hub(token, method, path, json=body)

    def values(self, pair: HandMadeKey | None = None, **changes: str) -> dict[str, str]:
        """Credentials with the default keys; of a new key unless one is given."""
        pair = pair or self.pair()
        made = dict(zip(PAIR_FIELDS, (self.store_url, pair.consumer_key, pair.consumer_secret), strict=True))
        return made | changes

    def link(self, owner: str = "acme", pair: HandMadeKey | None = None, **fields: Any) -> str:
        """Link an account by the wire; returns its id."""
        answer = self.send(self.session(owner, **fields)["token"], self.values(pair))
        assert answer.status_code == 201, answer.text
        account_id: str = answer.json()["id"]
        return account_id

    # The store and the control API

    def pair(self, permissions: str = "read") -> HandMadeKey:
        """A new key of the store."""
        return self.control.insert_key(self.store, description="StackOne", permissions=permissions)

    def settings(self, **changes: Any) -> None:
        """Set settings of the organisation."""
        self.control.stackone.change_settings(self.organisation.name, **changes)

    def held(self, account_id: str) -> LinkedAccountRow:
        """What an account holds."""
        rows = self.control.stackone.accounts(self.organisation.name)
        return next(row for row in rows if row.id == account_id)

    def new_key(self, *scopes: str) -> str:
        """Another API key."""
        return self.control.stackone.create_key(self.organisation.name, *scopes).value
