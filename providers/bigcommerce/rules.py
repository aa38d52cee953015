"""What models cannot say about BigCommerce's connections: rights as they are kept, what no proof can show, and what one
connection needs of another."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from providers.bigcommerce.judgement import foreseen
from providers.bigcommerce.probes import PROBES
from providers.bigcommerce.rights import Rights, excepted, granted, normalise
from providers.bigcommerce.words import SHORTEST_TITLE, TOKEN_RIGHTS
from providers.core.marker import Owner
from providers.declarations.names import listed, shown, suggestion
from providers.declarations.platforms import Remark, Settled
from providers.declarations.stack import Connection

ACCOUNT: Final = "api_account"
PRIVATE: Final = "private"
TOKEN_ROW, TOKEN_LEVEL = "Storefront API tokens", "manage"
"""What an account needs to make and revoke tokens (sheet 8)."""

SERVERS_LATER: Final = (
    "token: a storefront token is for browsers alone: from servers one made after 2026-06-30 does not work, and an older one"
    " until 2027-03-31 only; a server needs `token: private`"
)
"""Sheet 8."""

BEYOND_FUNCTION: Final[Mapping[str, Mapping[str, str]]] = {
    "stone-edge": {"Checkout content": "may put scripts on checkout pages", "Carts": "", "Checkouts": ""}
}
"""Rows that a consumer's vendor asks `modify` for without evident need, with what that permits (sheet stone_edge.md 4)."""


def settle(name: str, fields: Mapping[str, Any], sets: Mapping[str, Any]) -> Settled:
    """An account's rights as the rows above their default, whichever way they were written, and its title."""
    if "account_title" not in fields:
        return Settled(fields)
    written, remarks = fields["rights"], []
    rights: Rights = {}
    if "set" not in written:
        rights = normalise(written)[0]
    elif written["set"] not in sets:
        what = f"set: no file of stacks/rights/bigcommerce/ is called {shown(written['set'])}"
        remarks.append(
            Remark(("rights", "set"), f"{what}; there are: {listed(sets)}{suggestion(written['set'], sets)}")
        )
    elif sets[written["set"]] is not None:
        rights, wrong = excepted(normalise(sets[written["set"]]["rights"])[0], written["excepted"] or {})
        remarks += [Remark(("rights", "except", entry.label), f"{entry.label}: {entry.what}") for entry in wrong]
    kept = granted(rights)
    if rights and not kept:
        remarks.append(Remark(("rights",), "rights: every row is none; such an account can do nothing"))
    title = fields["account_title"] or (name if len(name) >= SHORTEST_TITLE else f"connection {name}")
    return Settled({**fields, "account_title": title, "rights": kept}, tuple(remarks))


def rules(connection: Connection, _owner: Owner) -> Iterator[Remark]:
    yield from _account_rules(connection) if connection.kind == ACCOUNT else _token_rules(connection)


def _account_rules(connection: Connection) -> Iterator[Remark]:
    if not connection.ask:
        yield Remark((), "'ask' is missing; a person makes the account, and somebody must be asked")
    rights: Rights = connection.fields["rights"]
    for what in unprovable(rights, full=connection.verify == "full"):
        yield Remark(("rights",), what, warning=True)
    for link in connection.links:
        beyond = {
            label: why for label, why in BEYOND_FUNCTION.get(link.to, {}).items() if rights.get(label) == "modify"
        }
        if beyond:
            rows = ", ".join(f"{label}: modify" + (f" ({why})" if why else "") for label, why in beyond.items())
            what = f"{link.to} asks for more than its function: nothing it does is known to need {rows}"
            yield Remark(("rights",), what, warning=True)


def unprovable(rights: Rights, *, full: bool) -> Iterator[str]:
    """In words, the rows that no proof can confirm for an account with these rights, one line for each reason.

    `full` is whether write probes are opted in; what only they would show is one line of its own.
    """
    best = {judged.label: judged for judged in foreseen(rights, full=True)}
    open_rows = [judged for judged in foreseen(rights, full=full) if judged.verdict != "confirmed"]
    seen = {probe.label for probe in PROBES}
    # Never empty: Customers login is among them, whatever its level.
    blind = [judged.label for judged in open_rows if judged.label not in seen]
    yield f"cannot be proved, since no call of the API shows them: {', '.join(blind)}"
    for judged in open_rows:
        found = best[judged.label]
        if judged.label in seen and found.verdict != "confirmed":
            why = _overlap(judged.label, rights) or "no public call shows more"
            yield f"{judged.label}: {judged.declared} cannot be proved: {found.observed} look alike; {why}"
    unread = [
        judged.label for judged in open_rows if judged.label in seen and best[judged.label].verdict == "confirmed"
    ]
    if unread:
        yield f"`verify: read` does not prove the levels of {', '.join(unread)}; `verify: full` would, by write probes"


def _overlap(label: str, rights: Rights) -> str:
    """Which other row opens the same calls, in words; empty where none does."""
    for probe in PROBES:
        if probe.label == label and probe.also is not None and rights.get(probe.also[0]) in probe.also[1]:
            return f"{probe.also[0]}: {rights[probe.also[0]]} opens the same calls"
    return ""


def _token_rules(connection: Connection) -> Iterator[Remark]:
    fields = connection.fields
    private = fields["token"] == PRIVATE
    if private == (fields["rights"] == "all"):
        allowed = f"a list of {', '.join(TOKEN_RIGHTS)}" if private else "all, since nothing finer exists"
        yield Remark(("rights",), f"rights: a {fields['token']} token has {allowed}")
    if not private and not fields["cors_origins"]:
        yield Remark((), "'cors_origins' is missing; browsers call with a storefront token, from one or two origins")
    if not private:
        yield Remark(("token",), SERVERS_LATER, warning=True)
    # The former token must outlive the overlap, in which its users go over to the next one.
    life, age = fields["expires_after"], connection.rotate_after
    if age is None or age + connection.overlap >= life:
        what = "never" if age is None else f"{_duration(age)} and an overlap of {_duration(connection.overlap)}"
        yield Remark(
            ("expires_after",),
            f"expires_after: {_duration(life)} is over before the next token is in use (rotate_after: {what});"
            " write a longer life or a smaller rotate_after",
        )


def _duration(seconds: int) -> str:
    """Seconds as a file would say them."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def beside(connection: Connection, others: Mapping[str, Connection]) -> Iterable[Remark]:
    """Whether a token's account is there, and may make it."""
    if connection.kind == ACCOUNT:
        return ()
    name = connection.fields["account"]
    accounts = {other: entry for other, entry in others.items() if entry.kind == ACCOUNT}
    if name not in accounts:
        what = f"account: no api_account of this store is called {shown(name)}; there are: {listed(accounts)}"
        return (Remark(("account",), what + suggestion(name, accounts)),)
    if accounts[name].fields["rights"].get(TOKEN_ROW) != TOKEN_LEVEL:
        what = f"account: {name} cannot make tokens; its rights need the row `{TOKEN_ROW}: {TOKEN_LEVEL}`"
        return (Remark(("account",), what),)
    return ()
