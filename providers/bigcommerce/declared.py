"""What may be declared for BigCommerce: a store's hash, its API accounts and its storefront tokens (sheet bigcommerce.md 3,
4 and 8)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    RootModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from providers.bigcommerce import rules
from providers.bigcommerce.rights import Wrong, normalise
from providers.bigcommerce.scopes import ROWS
from providers.bigcommerce.words import AccountTitle, Channels, Origins, StoreHash, TokenRights, unmoved
from providers.declarations.models import ConnectionWords, Declared, StoreWords
from providers.declarations.platforms import DeclaredPlatform
from providers.declarations.values import Name, Seconds

ENDPOINTS: Final = {
    "api": "https://api.bigcommerce.com",
    "panel": "https://store-{store_hash}.mybigcommerce.com",
    "login": "https://login.bigcommerce.com",
}
"""The vendor's hosts: what is called, and the two that links for a person begin with (sheet 3.1, 3.3)."""

# --- rows of rights ---------------------------------------------------------------------------------------------------


class Rows(RootModel[dict[str, str]]):
    """Rows of the panel: a label and its level, in the panel's words; letter case makes no difference."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if value == {}:
            raise ValueError("no row stands here")
        if isinstance(value, dict) and all(isinstance(level, str) for level in value.values()):
            wrong = normalise(value)[1]
            if wrong:
                raise ValidationError.from_exception_data(cls.__name__, [_detail(entry) for entry in wrong])
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        levels = {label: _any_case(*row.words) for label, row in ROWS.items()}
        every = sorted({word for row in ROWS.values() for word in row.words})
        return {
            "type": "object",
            "minProperties": 1,
            "properties": {
                label: {"anyOf": [{"enum": list(row.words)}, {"type": "string", "pattern": levels[label]}]}
                for label, row in ROWS.items()
            },
            "patternProperties": {_any_case(*ROWS): {"type": "string", "pattern": _any_case(*every)}},
            "additionalProperties": False,
        }


def _detail(wrong: Wrong) -> InitErrorDetails:
    loc = (wrong.label, "[key]") if wrong.of_label else (wrong.label,)
    return InitErrorDetails(
        type=PydanticCustomError("value_error", "{error}", {"error": wrong.what}), loc=loc, input=wrong.label
    )


def _any_case(*words: str) -> str:
    """A regular expression for any of these words in any letter case."""
    each = ("".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word) for word in words)
    return f"^({'|'.join(each)})$"


class Choice(Declared):
    """A rights set, and the rows in which this account differs from it."""

    set: Name
    """A file of `stacks/rights/bigcommerce/`, without its ending."""
    excepted: Rows | None = Field(default=None, alias="except")
    """Rows that have another level here; one that changes nothing is an error."""


def _rows_or_choice(value: Any, _handler: ValidatorFunctionWrapHandler) -> Rows | Choice:
    """One of the two, so that what is wrong with it is said of that one."""
    if isinstance(value, dict) and not value.keys().isdisjoint({"set", "except"}):
        return Choice.model_validate(value)
    return Rows.model_validate(value)


class RightsSet(Declared):
    """A list of rights that several accounts have; the team's own file."""

    rights: Rows
    """The rows in the panel's words; one that is left out is none."""


# --- models -----------------------------------------------------------------------------------------------------------


class BigCommerceStore(StoreWords):
    """A BigCommerce store."""

    platform: Literal["bigcommerce"]
    """The platform of this store."""
    store_hash: StoreHash
    """What stands between `/stores/` and `/v3/` in the store's API path; write it in quotes."""
    moved_from: Annotated[str, PlainValidator(unmoved), WithJsonSchema({"not": {}})] | None = None
    """Not for BigCommerce: a store keeps its hash."""


class ApiAccount(ConnectionWords):
    """A store-level API account, which a person makes and deletes in the control panel."""

    account_title: AccountTitle | None = None
    """Its name in the panel's list, 4 characters at least; the connection's full name where it is left out."""
    rights: Annotated[Rows | Choice, WrapValidator(_rows_or_choice)]
    """Rows of the panel with their levels, or a `set` and what is `except` from it; what is left out is none."""


class StorefrontToken(ConnectionWords):
    """A token of the GraphQL Storefront API, made and revoked with an API account of the same store."""

    account: Name
    """The connection of this store whose API account makes it; it needs `Storefront API tokens: manage`."""
    token: Literal["storefront", "private"]
    """`storefront` for browsers, `private` from server to server."""
    rights: TokenRights
    """The scopes of a private token; `all` for a storefront token, which has nothing finer."""
    channels: Channels
    """The numbers of the channels it is good for."""
    expires_after: Seconds
    """How long it lives: `180d`. It is replaced before that, by `rotate_after`."""
    cors_origins: Origins = ()
    """The origins that browsers may call from, one or two; a storefront token needs one."""


def _by_person(_store: StoreWords, connection: ConnectionWords) -> bool:
    return isinstance(connection, ApiAccount)


def _address(identity: str, endpoints: Mapping[str, str]) -> str:
    return f"{endpoints['api']}/stores/{identity}"


DECLARED: Final = DeclaredPlatform(
    name="bigcommerce",
    identity="store_hash",
    store=BigCommerceStore,
    credentials={rules.ACCOUNT: ApiAccount, "storefront_token": StorefrontToken},
    default_kind=rules.ACCOUNT,
    rights_set=RightsSet,
    by_person=_by_person,
    rules=rules.rules,
    beside=rules.beside,
    settle=rules.settle,
    endpoints=ENDPOINTS,
    address=_address,
    signs_in=False,
    example={
        "purpose": "what it is for",
        "rights": {"Orders": "read-only", "Products": "modify"},
        "links": {"reader": {"to": "vault"}},
    },
)
"""BigCommerce: API accounts with exact rights, and storefront tokens."""
