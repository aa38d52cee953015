"""`surecart.ApiToken`: a secret token of an account, made and deleted by a person in the dashboard.

No call makes, lists, changes or deletes one (sheet surecart.md 0 and 1.3); one call proves it and says whose it is (1.2).
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from providers.core.contract import Capabilities, Fields, Finding, Issued, Life, Order, Selector, StoreKey, Tools
from providers.core.errors import CouldNotLook, PersonNeeded, StoreError, Unexpected
from providers.core.redaction import Secret
from providers.core.sheet import Sheet, Task
from providers.surecart import guide
from providers.surecart.account_proof import ask, findings
from providers.surecart.cloud import DASHBOARD, HOOK, Cloud, Webhook, api
from providers.surecart.token_text import FIELD

FIELDS: Final = ("rights",)
SECRET_FIELDS: Final = (FIELD,)

BY_PERSON: Final = Capabilities(made_by="person", revoked_by="person", revisable=frozenset(), lists=False, settle=0.0)

CONTROL: Final = "positive control"


class ApiTokenIssuer:
    """Implements `Issuer`. Thread-safe, but for `facts`, which are those of the last proof.

    `account` is the slug of the account, `dashboard` where people log in, `connection` the full name that commands know the
    credential by.
    """

    def __init__(self, cloud: Cloud, account: str, *, dashboard: str, connection: str) -> None:
        self._cloud, self._account, self._dashboard, self._connection = cloud, account, dashboard, connection
        self._facts: Mapping[str, str] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """A person makes and deletes; nothing changes in place, and there is no list."""
        return BY_PERSON

    def public(self) -> Mapping[str, str]:
        """The account's slug and the address of the API, which readers of the credential need."""
        return {"account": self._account, "api_url": self._cloud.url}

    def tail(self, secret: Mapping[str, Secret]) -> str:
        """Nothing: the token is one secret, and what the dashboard shows beside it is not documented."""
        return ""

    def facts(self) -> Mapping[str, str]:
        """Name, currency and plan of the account, as the last proof saw them; `CouldNotLook` before the first."""
        if self._facts is None:
            raise CouldNotLook("the account was not asked about itself", where=self._cloud.where)
        return self._facts

    # --- what only a person does --------------------------------------------------------------------------------------

    def find(self, selector: Selector, *, fresh: bool = True) -> Sequence[StoreKey]:
        """No call lists tokens: `PersonNeeded`."""
        self._person()

    def ready(self) -> str:
        """A person is asked, not this."""
        return ""

    def issue(self, order: Order) -> Issued:
        """No call makes a token: `PersonNeeded`."""
        self._person()

    def revise(self, key_id: str, order: Order) -> None:
        """Tokens never change: `PersonNeeded`."""
        self._person()

    def revoke(self, key_id: str, secret: Mapping[str, Secret] | None = None) -> None:
        """No call deletes a token: `PersonNeeded`."""
        self._person()

    def _person(self) -> NoReturn:
        raise PersonNeeded(
            "secret tokens are made, listed and deleted by a person in SureCart's dashboard (API > Secret Token)",
            do=f"See `connections sheet {self._connection}`",
            where=self._cloud.where,
        )

    def sheet(self, task: Task, fields: Fields, number: int) -> Sheet:
        """What the person is to do: get the token of generation `number`, or delete it."""
        words = guide.make if task == "make" else guide.delete
        return words(self._dashboard, self._account, self._connection, number)

    def losses(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """What goes with the token, in words, and which sites the account knows of by their webhooks."""
        return (guide.LOSSES, *self._sites(self._token(secret)))

    def _sites(self, token: Secret) -> Iterator[str]:
        try:
            sites = sorted({site for hook in self._cloud.webhooks(token) if (site := _site(hook))})
        except StoreError as error:
            yield f"which sites the account knows of could not be listed ({error.what})"
            return
        if sites:
            yield f"the account has webhooks to {', '.join(sites)}: see that none of them uses this token any more"

    # --- proving ------------------------------------------------------------------------------------------------------

    def verify(self, secret: Mapping[str, Secret], fields: Fields) -> Sequence[Finding]:
        """Whether the cloud takes the token, and whether it is of the declared account; its id is what is pinned."""
        said = ask(self._cloud, self._token(secret))
        if said.account is not None:
            self._facts = said.account.facts
        return tuple(findings(said, self._account))

    def probe(self, secret: Mapping[str, Secret]) -> Life:
        """Whether the cloud takes the token now, whosever it is."""
        return ask(self._cloud, self._token(secret)).life

    def control(self) -> Finding:
        """That the cloud refuses a made-up token right now, in its own words."""
        try:
            said = self._cloud.ask(Secret(secrets.token_hex(16)))
        except StoreError as error:
            return Finding(CONTROL, "unverifiable", error.what)
        refused = said.life == "refused"
        return Finding(CONTROL, "confirmed" if refused else "unverifiable", f"with a made-up token, {said.words}")

    def _token(self, secret: Mapping[str, Secret]) -> Secret:
        if FIELD not in secret:
            raise Unexpected(f"the stored credential lacks {FIELD}", where=self._cloud.where)
        return secret[FIELD]


def _site(webhook: Webhook) -> str:
    """Host and path of the site whose plugin an endpoint is, "" where it is another's. Never a query."""
    try:
        parts = urlsplit(webhook.url)
    except ValueError:
        return ""
    place = f"{parts.netloc}{parts.path.removesuffix(HOOK)}"
    own = parts.path.endswith(HOOK) and all(c.isalnum() or c in ".-_:/" for c in place)
    return place if own else ""


def address(inputs: Mapping[str, Any]) -> str:
    """The URL under which entries to adopt lie, and whose host is called: accounts share it, and lie apart."""
    return f"{api(inputs)}/{inputs['account']}"


def issuer(inputs: Mapping[str, Any], tools: Tools) -> ApiTokenIssuer:
    """The issuer for an account's inputs: `account`, its slug; `api` and `dashboard` where they are not the vendor's own;
    `connection`, the full name."""
    return ApiTokenIssuer(
        Cloud(tools.http.origin(api(inputs))),
        inputs["account"],
        dashboard=inputs.get("dashboard") or DASHBOARD,
        connection=inputs.get("connection", ""),
    )
