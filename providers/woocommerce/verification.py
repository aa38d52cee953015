"""What live answers to a key mean, as tables (sheet woocommerce.md 7.1 and 7.2). No I/O here.

Only statuses, the `code` of an error and the `Allow` header decide: messages are in the store's language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from providers.core.contract import RECOGNISED, Fields, Finding, Life, Verdict

AUTHENTICATION = "woocommerce_rest_authentication_error"
CANNOT_VIEW = "woocommerce_rest_cannot_view"
NO_ROUTE = "rest_no_route"

MAY_READ = "may read"
MAY_WRITE = "may write"

EXPECTED: Mapping[str, tuple[bool, bool]] = {"read": (True, False), "write": (False, True), "read_write": (True, True)}
"""Rights as declared -> (may read, may write)."""


def wider(before: Fields, after: Fields) -> str:
    """What a key may do with these fields that it could not do with the former ones, in words."""
    could, can = (EXPECTED.get(str(fields.get("rights")), (False, False)) for fields in (before, after))
    gained = [word for word, had, has in zip(("read", "write"), could, can, strict=True) if has and not had]
    return f"it may now {' and '.join(gained)} too" if gained else ""


OBSERVED: Mapping[str, str] = {
    "wc/v3": "by the table observed on WooCommerce 11.0.1",
    "wc/v2": "by the table observed on WooCommerce 3.2.5",
    "wc/v1": "by the table of later versions, never observed on wc/v1",
}
"""What the evidence rests on, by API version: the table was run on two versions (sheet 7.1)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What of an answer decides: status, the `code` of its JSON, whether its JSON is a list, and allowed methods."""

    status: int
    code: str = ""
    is_list: bool = False
    allow: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


class Standing(Enum):
    """What reading with a key shows about it."""

    READS = "recognised, may read"
    WRITES_ONLY = "recognised, may not read"
    WEAK = "recognised, the role of its user is too weak"
    WEAK_WRITES_ONLY = "recognised, may not read, no method allowed to it"
    ANONYMOUS = "treated as no key at all: wrong or revoked, or the host does not pass the Authorization header on"
    STRIPPED = (
        "treated as no key at all although it is in the store's list: the host strips the Authorization header, "
        "or WordPress does not know that it is on HTTPS"
    )
    WRONG = "recognised, but not with this secret"
    INDISTINCT = "the store answers the same without any key"
    UNKNOWN = "not an answer we know"


def standing(get: Reply, ask_options: Callable[[], Reply]) -> Standing:
    """Steps 1 and 2 of the decision order: `GET P/products`, and `OPTIONS` of the same only where that tells more."""
    match get:
        case Reply(status=200, is_list=True):
            return Standing.READS
        case Reply(status=403, code=code) if code == CANNOT_VIEW:
            return Standing.WEAK
        case Reply(status=401, code=code) if code == CANNOT_VIEW:
            return Standing.ANONYMOUS
        case Reply(status=401, code=code) if code == AUTHENTICATION:
            options = ask_options()
            if options.status == 200:
                return Standing.WRITES_ONLY if options.allow else Standing.WEAK_WRITES_ONLY
            return Standing.WRONG if options.status == 401 else Standing.UNKNOWN
    return Standing.UNKNOWN


MEANING: Mapping[Standing, tuple[Verdict, Life]] = {
    Standing.READS: ("confirmed", "accepted"),
    Standing.WRITES_ONLY: ("confirmed", "accepted"),
    Standing.WEAK: ("confirmed", "accepted"),
    Standing.WEAK_WRITES_ONLY: ("confirmed", "accepted"),
    Standing.ANONYMOUS: ("contradicted", "refused"),
    Standing.STRIPPED: ("unverifiable", "unknown"),
    Standing.WRONG: ("contradicted", "refused"),
    Standing.INDISTINCT: ("unverifiable", "unknown"),
    Standing.UNKNOWN: ("unverifiable", "unknown"),
}
"""Whether the key is recognised, and whether it is alive."""


class Permission(Enum):
    """What the write probe shows about the key's permission; it never reaches a route (sheet 7.2, step 3)."""

    WRITES = "may write"
    DENIED = "may not write"
    INCIDENT = "was carried out"
    UNKNOWN = "not an answer we know"


def permission(post: Reply) -> Permission:
    """Step 3, for a recognised key only: `POST P/__probe`, a route that does not exist."""
    match post:
        case Reply(status=404, code=code) if code == NO_ROUTE:
            return Permission.WRITES
        case Reply(status=401, code=code) if code == AUTHENTICATION:
            return Permission.DENIED
        case Reply(status=status) if 200 <= status < 300:
            return Permission.INCIDENT
    return Permission.UNKNOWN


def findings(
    rights: str, version: str, get: Reply, shown: Standing, post: Reply | None, note: str = ""
) -> tuple[Finding, ...]:
    """The three findings for a key declared with `rights`. `post` is None where the key is not recognised; `note` is
    added to the evidence."""
    basis = f"{OBSERVED.get(version, version)}{note}"
    recognised = Finding(RECOGNISED, MEANING[shown][0], f"GET products: {get}: {shown.value} ({basis})")
    if post is None:
        unseen = "not looked: it is not known that the store recognises the key"
        return recognised, Finding(MAY_READ, "unverifiable", unseen), Finding(MAY_WRITE, "unverifiable", unseen)
    reads, writes = EXPECTED[rights]
    return recognised, _may_read(reads, get, shown), _may_write(writes, shown, post)


def _may_read(wanted: bool, get: Reply, shown: Standing) -> Finding:
    match shown:
        case Standing.READS:
            verdict: Verdict = "confirmed" if wanted else "contradicted"
            words = "its permission allows reading"
        case Standing.WEAK:
            # The permission is judged before the role: without it the answer would have been 401.
            verdict, words = "contradicted", "its permission allows reading, the role of its user does not"
        case _:
            verdict = "contradicted" if wanted else "confirmed"
            words = "its permission does not allow reading"
    return Finding(MAY_READ, verdict, f"GET products: {get}: {words}")


def _may_write(wanted: bool, shown: Standing, post: Reply) -> Finding:
    match permission(post):
        case Permission.INCIDENT:
            verdict: Verdict = "contradicted"
            words = "INCIDENT: the store carried out a probe that was to reach nothing"
        case Permission.UNKNOWN:
            verdict, words = "unverifiable", Permission.UNKNOWN.value
        case Permission.DENIED:
            verdict = "contradicted" if wanted else "confirmed"
            words = "its permission does not allow writing"
        case Permission.WRITES if wanted and shown is Standing.WEAK:
            verdict, words = "contradicted", "its permission allows writing, the role of its user does not"
        case Permission.WRITES if wanted and shown is Standing.WEAK_WRITES_ONLY:
            # Observed for a read_write key only (sheet 7.2, step 2): no conclusion.
            verdict, words = "unverifiable", "its permission allows writing, the role of its user may be too weak"
        case _:
            verdict = "confirmed" if wanted else "contradicted"
            words = "its permission allows writing"
    return Finding(MAY_WRITE, verdict, f"POST to a missing route: {post}: {words}")
