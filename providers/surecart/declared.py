"""What may be declared for SureCart: an account, and its secret tokens (sheet surecart.md 1)."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from providers.core.marker import Owner
from providers.declarations.models import ConnectionWords, StoreWords
from providers.declarations.platforms import DeclaredPlatform, Remark
from providers.declarations.stack import Connection
from providers.surecart.cloud import API, DASHBOARD
from providers.surecart.words import AccountSlug, Everything

ENDPOINTS: Final = {"api": API, "dashboard": DASHBOARD}
"""The vendor's hosts: what is called, and where people log in."""


class SureCartAccount(StoreWords):
    """An account of SureCart, which is one store."""

    platform: Literal["surecart"]
    """The platform of this store."""
    account: AccountSlug
    """The slug of the account. Its id is pinned at the first proof: a token of another account is an error."""
    moved_from: AccountSlug | None = None
    """The former slug. A renamed account is known by the id that its token opens, whatever stands here."""


class ApiToken(ConnectionWords):
    """A secret token, which a person makes and deletes in the dashboard."""

    rights: Everything
    """Always `all`: nothing finer exists."""


def _by_person(_store: StoreWords, _connection: ConnectionWords) -> bool:
    return True


def _rules(connection: Connection, _owner: Owner) -> Iterator[Remark]:
    if not connection.ask:
        yield Remark((), "'ask' is missing; a person makes the token, and somebody must be asked")


def _address(identity: str, endpoints: Mapping[str, str]) -> str:
    return f"{endpoints['api']}/{identity}"


DECLARED: Final = DeclaredPlatform(
    name="surecart",
    identity="account",
    store=SureCartAccount,
    credentials={"api_token": ApiToken},
    default_kind="api_token",
    by_person=_by_person,
    rules=_rules,
    endpoints=ENDPOINTS,
    address=_address,
    signs_in=False,
    example={
        "purpose": "what it is for",
        "rights": "all",
        "links": {"main": {"to": "wordpress", "site": "https://shop.example"}},
    },
)
"""SureCart: secret tokens that open everything."""
