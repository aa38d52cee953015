"""The documented API of StackOne, as far as a link needs it (stackone.md 1 and 2). The Hub's own wire is never called.

Errors are the vendor's words, shortened, and never a value that we sent. What is safe to repeat is repeated by core's HTTP,
after 429 and 408 as long as StackOne asks; every call here is: a session whose answer was lost is known to nobody and ends
by itself, and the others bring about the same however often they are sent.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from providers.core.contract import Finding
from providers.core.errors import Forbidden, Rejected, StoreError, Transient, Unauthorized, Unexpected
from providers.core.http import Answer, Origin, segment
from providers.core.redaction import Secret, redact
from providers.core.texts import shown
from providers.stackone.account import Account, account
from providers.stackone.identity import PROVIDER

PAGE_SIZE: Final = 25
PAGES: Final = 200
"""More pages than the accounts of one origin owner can fill."""

ACTION: Final = "read action"
"""The check that runs a read action at the store through the account."""

_KEY_ADVICE = "Put a current API key of this region into Vault, under the hubs' `stackone`, as `api_key`"
_SCOPE_ADVICE = (
    "Give the API key the scope Accounts, and for the read action Actions (or put a key with that into `actions_key`)"
)
_REFUSED_BY_STORE = frozenset({401, 403})


class Api:
    """StackOne with an API key; `actor` is the key that runs actions."""

    def __init__(self, origin: Origin, key: Secret, actor: Secret) -> None:
        self._origin, self._key, self._actor = origin, key, actor

    def connector(self) -> None:
        """`Rejected` where StackOne has no active connector for the stores. A key that may not look is no reason."""
        answer = self._call("GET", f"/connectors/meta/{PROVIDER}")
        if answer.status in {401, 403}:
            return
        document = self._read(answer, missing=True)
        if not isinstance(document, Mapping) or document.get("active") is False:
            raise Rejected(
                "StackOne has no active connector for WooCommerce",
                do="Enable it in StackOne's dashboard",
                where=self._origin.where,
            )

    def accounts(self, owner_id: str) -> tuple[Account, ...]:
        """Every account of this origin owner and of our provider, whatever its status.

        Whether pages count from 0 or 1 is not documented, nor which sizes are allowed: the first one is asked for without
        a number, then 1 and on, until one is empty or brings nothing new. An incomplete list would let a session overwrite
        an account.
        """
        found: dict[str, Account] = {}
        for page in range(PAGES):
            query: dict[str, str | int] = {"origin_owner_id": owner_id, "page_size": PAGE_SIZE}
            if page:
                query["page"] = page
            rows = self._rows(self._read(self._call("GET", "/accounts", query=query)))
            fresh = {row.id: row for row in map(account, rows) if row.id not in found}
            found |= fresh
            if not rows or (not fresh and page > 1):
                break
        else:
            raise Unexpected("StackOne's list of accounts has no end", where=self._origin.where)
        return tuple(row for row in found.values() if (row.owner_id, row.provider) == (owner_id, PROVIDER))

    def account(self, account_id: str) -> Account | None:
        """One account, None where there is none of this id."""
        document = self._read(self._call("GET", f"/accounts/{segment(account_id)}"), missing=True)
        return None if document is None else account(document)

    def open(self, body: Mapping[str, Any]) -> tuple[str, Secret]:
        """Make a connect session: its id, and the link that a person follows."""
        document = self._read(self._call("POST", "/connect_sessions", json=dict(body)))
        shape = document if isinstance(document, Mapping) else {}
        number, link = shape.get("id"), shape.get("auth_link_url")
        if not (
            isinstance(number, str | int) and isinstance(link, str) and re.fullmatch(r"https://[!-~]{1,4000}", link)
        ):
            raise Unexpected(
                "StackOne made a session without an id, or without a link to follow", where=self._origin.where
            )
        return shown(str(number)), Secret(link)

    def change(self, account_id: str, body: Mapping[str, Any]) -> None:
        """Change an account. That it was accepted says little: the caller reads back (T16)."""
        answer = self._call("PATCH", f"/accounts/{segment(account_id)}", json=dict(body))
        self._read(answer)
        if answer.status != 200:
            raise Unexpected(f"StackOne answers a change with {answer.status}", where=self._origin.where)

    def delete(self, account_id: str) -> None:
        """Delete an account and see that it is gone. One that was gone already is no error."""
        self._read(self._call("DELETE", f"/accounts/{segment(account_id)}"), missing=True)
        if self.account(account_id) is not None:
            raise Unexpected("StackOne said that the account is deleted, but it is there", where=self._origin.where)

    def read(self, account_id: str, action: str) -> Finding:
        """Run a read action at the store through the account.

        A refusal by the store, told by `provider_errors`, contradicts whatever its status; so does 412, which is a suspended
        account. Anything else that is no success raises: it proves nothing, and must not count as a proof.
        """
        headers = {"x-account-id": account_id}
        answer = self._call("POST", "/actions/rpc", json={"action": action}, headers=headers, key=self._actor)
        refusals = _provider_statuses(_document(answer)) if answer.status >= 400 else frozenset()
        if answer.status == 412:
            return Finding(ACTION, "contradicted", f"412: the account is disabled or suspended{self._said(answer)}")
        if refusals & _REFUSED_BY_STORE:
            return Finding(ACTION, "contradicted", f"the store refuses the account's key: {min(refusals)}")
        if answer.status in {400, 404, 422, 501}:
            raise Unexpected(
                f"StackOne does not run {action!r}: {answer.status}{self._said(answer)}",
                do="Name a read action of its WooCommerce connector with `proof_action`",
                where=self._origin.where,
            )
        self._read(answer)
        return Finding(ACTION, "confirmed", f"{action} through the account: {answer.status}")

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        key: Secret | None = None,
    ) -> Answer:
        auth = (key or self._key, "")
        return self._origin.request(method, path, query=query or {}, json=json, headers=headers, auth=auth, safe=True)

    def _read(self, answer: Answer, *, missing: bool = False) -> Any:
        """The document of a success; None for a 404 where that is an answer. Anything else is an error in words."""
        if 200 <= answer.status < 300:
            return answer.json() if answer.body else {}
        if answer.status == 404 and missing:
            return None
        raise self._error(answer)

    def _error(self, answer: Answer) -> StoreError:
        where, said = self._origin.where, self._said(answer)
        match answer.status:
            case 401:
                return Unauthorized("StackOne does not accept the API key", do=_KEY_ADVICE, where=where)
            case 403:
                return Forbidden(
                    f"the API key's scope does not suffice at StackOne{said}", do=_SCOPE_ADVICE, where=where
                )
            case 408 | 501 | 502 | 503 | 504:
                return Transient(f"StackOne answers {answer.status}{said}", do="Try later", where=where)
            case 404 | 409 | 412 | 422 | 400:
                return Rejected(f"StackOne refuses: {answer.status}{said}", where=where)
        return Unexpected(f"StackOne answers {answer.status}{said}", where=where)

    def _said(self, answer: Answer) -> str:
        """The message of an error, short and without any secret."""
        document = _document(answer)
        message = document.get("message") if isinstance(document, Mapping) else None
        return f" ({shown(redact(message))})" if isinstance(message, str) and message else ""

    def _rows(self, document: Any) -> list[Any]:
        rows = document.get("data") if isinstance(document, Mapping) else document
        if not isinstance(rows, list):
            raise Unexpected("StackOne's list of accounts is no list", where=self._origin.where)
        return rows


def _document(answer: Answer) -> Any:
    try:
        return answer.json()
    except Unexpected:
        return None


def _provider_statuses(document: Any) -> frozenset[int]:
    """The statuses that the store answered StackOne with; how the rows are made is not documented."""
    rows = document.get("provider_errors") if isinstance(document, Mapping) else None
    values = (
        [value for row in rows if isinstance(row, Mapping) for value in row.values()] if isinstance(rows, list) else []
    )
    return frozenset(value for value in values if isinstance(value, int) and 400 <= value < 600)
