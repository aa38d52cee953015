"""`bigcommerce.ApiAccount`: a store-level API account, made and deleted by a person in the control panel.

No API makes, lists, changes or deletes one (sheet bigcommerce.md 2); what can be done is to say exactly what to do, and
to prove by live calls what came of it (5).
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from providers.bigcommerce import guide
from providers.bigcommerce.losses import STANDING, losses
from providers.bigcommerce.verification import Proof, life, prove
from providers.bigcommerce.wire import ALIVE, API, Gateway
from providers.core.contract import Capabilities, Fields, Finding, Issued, Life, Order, Selector, StoreKey, Tools
from providers.core.errors import CouldNotLook, PersonNeeded, StoreError, Unexpected
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task

FIELDS: Final = ("rights",)
SECRET_FIELDS: Final = ("client_id", "client_secret", "access_token")

PANEL: Final = "https://store-{store_hash}.mybigcommerce.com"
"""Where every store's control panel is (3.3)."""

BY_PERSON: Final = Capabilities(made_by="person", revoked_by="person", revisable=frozenset(), lists=False, settle=0.0)

CONTROL: Final = "positive control"

TAIL: Final = 4
"""Characters of the client ID that are shown: it is no secret by itself, but nobody needs all of it."""


class ApiAccountIssuer:
    """Implements `Issuer`. Thread-safe, but for `facts`, which are those of the last proof.

    `panel` is the address of the control panel, `connection` the full name that commands know the credential by, `title`
    the declared name of the account; `full` opts in to writing calls in proofs.
    """

    def __init__(self, gateway: Gateway, *, panel: str, connection: str, title: str, full: bool) -> None:
        self._gateway, self._panel, self._connection, self._title = gateway, panel, connection, title
        self._full = full
        self._facts: Mapping[str, str] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """A person makes and deletes; nothing changes in place, and there is no list."""
        return BY_PERSON

    def public(self) -> Mapping[str, str]:
        """The store's hash and the API path, which readers of the credential need."""
        return {"store_hash": self._gateway.store_hash, "api_path": self._gateway.api_path}

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """The last characters of the client ID, never of the token; "" where there is no client ID."""
        client_id = secret.get("client_id")
        return client_id.tail(TAIL) if client_id is not None else ""

    def facts(self) -> Mapping[str, str]:
        """Plan and domain of the store, as far as the token of the last proof may read them.

        Without a token nothing can be asked: `CouldNotLook` before the first proof.
        """
        if self._facts is None:
            raise CouldNotLook("the store was not asked about itself", where=self._gateway.where)
        return self._facts

    # --- what only a person does --------------------------------------------------------------------------------------

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """No call lists accounts: `PersonNeeded`."""
        self._person()

    def ready(self) -> str:
        """A person is asked, not this."""
        return ""

    def issue(self, order: Order) -> Issued:
        """No call makes an account: `PersonNeeded`."""
        self._person()

    def revise(self, key_id: str, order: Order) -> None:
        """Accounts never change: `PersonNeeded`."""
        self._person()

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """No call deletes an account: `PersonNeeded`."""
        self._person()

    def _person(self) -> NoReturn:
        raise PersonNeeded(
            "API accounts are made, listed and deleted by a person in the control panel",
            do=f"See `connections sheet {self._connection}`",
            where=self._gateway.where,
        )

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """What the person is to do: make the account of generation `number` with the rights in `fields`, or delete it.

        The account's name is its declared title and the number.
        """
        name, where = guide.typed(self._title, number), self._gateway.store_hash
        link = f"{self._panel}{guide.ACCOUNTS}"
        if task == "make":
            return guide.make(link, where, self._connection, fields["rights"], name)
        return guide.delete(link, where, self._connection, name, STANDING)

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """What goes with the account, in words: its own webhooks by name, and what no call lists."""
        return losses(self._gateway, self._token(secret))

    # --- proving ------------------------------------------------------------------------------------------------------

    def prove(self, secret: Mapping[str, Secret], fields: Fields) -> Proof:
        """The whole matrix: declared, observed and verdict for every row. Raises `Incident` where the store carried out a
        writing call, `CouldNotLook` where nothing could be learned."""
        self._token(secret)
        proof = prove(self._gateway, secret, fields["rights"], full=self._full)
        self._facts = proof.facts
        return proof

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """The same as findings: whether the token is accepted, every row, and what cannot be verified by name."""
        return self.prove(secret, fields).findings

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """Whether the store accepts the token now, by the one call that needs no right."""
        return life(self._gateway.ask("GET", ALIVE, self._token(secret)))

    def control(self) -> Finding:
        """That the store refuses a made-up token right now. There is no other token to show that it accepts a good one."""
        try:
            reply = self._gateway.ask("GET", ALIVE, Secret(secrets.token_hex(16)))
        except StoreError as error:
            return Finding(CONTROL, "unverifiable", error.what)
        refused = life(reply) == "refused"
        words = f"GET /v2/time with a made-up token answers {reply.status}"
        return Finding(CONTROL, "confirmed" if refused else "unverifiable", words)

    def _token(self, secret: Mapping[str, Secret]) -> Secret:
        if "access_token" not in secret:
            raise Unexpected("the stored credential lacks access_token", where=self._gateway.where)
        return secret["access_token"]


def address(inputs: Mapping[str, Any]) -> str:
    """The URL that calls for a store go to, and under which entries to adopt lie."""
    return f"{_api(inputs)}/stores/{inputs['store_hash']}"


def _api(inputs: Mapping[str, Any]) -> str:
    found: str = inputs.get("api") or API
    return found


def issuer(inputs: Mapping[str, Any], tools: Tools) -> ApiAccountIssuer:
    """The issuer for a store's inputs: `store_hash`; `api` and `panel` where they are not the vendor's own
    (`{store_hash}` in `panel` stands for the hash); `verify` (`full` opts in to writing calls); `connection`, the full
    name; and `account_title`, for which the connection's name stands where there is none."""
    store_hash: str = inputs["store_hash"]
    panel: str = inputs.get("panel") or PANEL
    connection: str = inputs.get("connection", "")
    return ApiAccountIssuer(
        Gateway(tools.http.origin(_api(inputs)), store_hash),
        panel=panel.replace("{store_hash}", store_hash),
        connection=connection,
        title=inputs.get("account_title") or connection,
        full=inputs.get("verify") == "full",
    )
