"""`connections doctor` for a WooCommerce store: what stands between us and its keys, with the cure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from providers.core.errors import ConnectionsError, CouldNotLook, Forbidden, StoreError, Unreachable
from providers.core.texts import shown
from providers.woocommerce.issuer import ApiKeyIssuer
from providers.woocommerce.session import UpgradePending, WizardInTheWay
from providers.woocommerce.store import Store

SIGNED_WITHIN = 900.0
"""Seconds by which clocks may differ before a store refuses signed (OAuth) calls (sheet woocommerce.md 7.4)."""

SINCE: Mapping[str, str] = {"wc/v3": "3.5 or later", "wc/v2": "3.0 to 3.4", "wc/v1": "2.6"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, how it stands, in words, and what helps where it does not."""

    name: str
    state: Literal["ok", "failed", "unknown"]
    words: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """`look` gives words where all is well and raises where not; a step is left out unless all it `needs` are well.

    With `fault` given, only that error is this step's; any other leaves it unknown.
    """

    name: str
    needs: tuple[str, ...]
    look: Callable[[Store], str]
    fault: type[ConnectionsError] | None = None


def _address(store: Store) -> str:
    store.origin.request("GET", "/", safe=True)
    return "it answers over verified TLS"


def _permalinks(store: Store) -> str:
    store.rest.permalinks()
    return "they let the REST API have its own address"


def _index(store: Store) -> str:
    return f"it is at {store.rest.index().root}"


def _version(store: Store) -> str:
    version = store.rest.index().version
    return f"{version}: WooCommerce {SINCE[version]}"


def _home(store: Store) -> str:
    home = store.rest.index().home.rstrip("/")
    if home != store.origin.url:
        raise StoreError(
            f"the store calls itself {shown(home) or 'nothing'}: consumers that sign their calls would be refused",
            do="Declare that address as `url`",
        )
    return "the store calls itself what is declared"


def _clock(store: Store) -> str:
    ahead = store.rest.index().ahead
    if ahead is None:
        raise CouldNotLook("the store does not say what time it has")
    if abs(ahead) > SIGNED_WITHIN:
        raise StoreError(
            f"it differs from ours by {abs(ahead):.0f} s: consumers that sign their calls would be refused",
            do="Set the clock of the store, or of this machine",
        )
    return f"it differs from ours by {abs(ahead):.0f} s"


def _header(_store: Store) -> str:
    raise CouldNotLook(
        "whether the host passes the Authorization header on only shows with a key",
        do="If a fresh key is not recognised, let the host pass it, or declare `authentication: query`",
    )


def _login(store: Store) -> str:
    store.session.enter()
    return "wp-admin lets us in without a person"


def _key_form(store: Store) -> str:
    return f"the keys are under the tab `{store.session.key_form()}`"


def _users(store: Store) -> str:
    store.admin.user("nobody")
    return "the admin login sees the store's users"


STEPS = (
    _Step("address", (), _address),
    _Step("permalinks", ("address",), _permalinks),
    _Step("rest api", ("permalinks",), _index),
    _Step("version", ("rest api",), _version),
    _Step("home address", ("rest api",), _home),
    _Step("clock", ("rest api",), _clock),
    _Step("authorization header", ("rest api",), _header),
    _Step("login", ("address",), _login),
    _Step("database upgrade", ("login",), _key_form, UpgradePending),
    _Step("wizard", ("login",), _key_form, WizardInTheWay),
    _Step("role", ("login",), _key_form, Forbidden),
    _Step("users", ("login", "rest api"), _users),
)

BY_PERSON = frozenset({"login", "database upgrade", "wizard", "role", "users"})
"""What a store with `login: none` is not asked for."""


def diagnose(issuer: ApiKeyIssuer) -> Sequence[Check]:
    """Every check of the store, in an order in which earlier ones explain later ones. Raises nothing, changes nothing."""
    found: dict[str, Check] = {}
    for step in STEPS:
        missing = next((need for need in step.needs if found[need].state != "ok"), None)
        if issuer.by_person and step.name in BY_PERSON:
            found[step.name] = Check(step.name, "unknown", "not looked: `login: none` is declared")
        elif missing is not None:
            found[step.name] = Check(step.name, "unknown", f"not looked: see {missing}")
        else:
            found[step.name] = _carried_out(step, issuer.store)
    return tuple(found.values())


def _carried_out(step: _Step, store: Store) -> Check:
    try:
        return Check(step.name, "ok", step.look(store))
    except ConnectionsError as error:
        passing = isinstance(error, CouldNotLook) and not isinstance(error, Unreachable)
        others = step.fault is not None and not isinstance(error, step.fault)
        return Check(step.name, "unknown" if passing or others else "failed", error.what, error.do)
