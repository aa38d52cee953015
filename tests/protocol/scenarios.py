"""The scenarios of the protocol's tests: the data of the explorer."""

from __future__ import annotations

from tests.protocol.doubles import capable
from tests.protocol.explorer import (
    Scenario,
    again,
    by_hand,
    confirm,
    connect,
    delete_keys,
    destroy,
    disconnect,
    hand_over,
    open_mail,
    people,
    receive,
    take_back,
    up,
)

STORE_FAULTS = frozenset(
    {
        "lost",
        "unsent",
        "late",
        "twice",
        "twice late",
        "refused",
        "wide",
        "lag",
        "transient",
        "unverifiable",
        "contradicted",
    }
    | {"sealed", "unknown"}
)
POST = frozenset({"lost", "transient", "sealed", "unsent"})
LINKED = (up("read", 1, "erp"),)
GIVEN, OUTSIDE = (up(),), ("office",)
ROTATED = up("read", 2, "erp")
MOVED = again(up("read", 2), connect("erp", "spot"))

TOKENS = capable(made_by="api", lists=False, relabels=False, revisable=frozenset(), lifetime="life")
"""A store whose credentials are made by a call, listed nowhere, and end by themselves."""

ROWS = capable(residual=True)
"""A store that ends what a key opens and goes on listing it."""

TOKEN_FAULTS = STORE_FAULTS - {"twice", "twice late", "lag"}
"""Nothing shows that a request was doubled where nothing is listed: the second one ends by itself."""

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("create", (up(),), faults=STORE_FAULTS),
        Scenario("create/create", (up(), up())),
        Scenario("create/create/create with faults", (up(), up(), up()), faults=STORE_FAULTS),
        Scenario("create/create other rights", (up("read"), up("read_write")), rights="read_write"),
        Scenario("create/destroy", (up(), destroy()), rights=None),
        Scenario("create/destroy then live", (up(), destroy())),
        Scenario("rotate", (ROTATED,), LINKED, rotation=2, links=("erp",), faults=STORE_FAULTS),
        Scenario("rotate/rotate", (up("read", 2), up("read", 2)), (up(),), rotation=2),
        Scenario("rotate/rotate with a link", (ROTATED, ROTATED), LINKED, rotation=2, links=("erp",)),
        Scenario("rotate/rotate with overlap", (ROTATED, ROTATED), LINKED, rotation=2, links=("erp",), overlap=50.0),
        Scenario("rotate with overlap", (up("read", 2),), (up(),), rotation=2, overlap=50.0),
        Scenario(
            "rotate/rotate twice", (ROTATED, again(ROTATED, up("read", 3, "erp"))), LINKED, rotation=3, links=("erp",)
        ),
        Scenario("rotate/link", (up("read", 2), connect("erp")), (up(),), rotation=2, links=("erp",)),
        Scenario("rotate/destroy", (up("read", 2), destroy()), (up(),), rights=None),
        Scenario("rotate/destroy with a link", (ROTATED, destroy("erp")), LINKED, rights=None),
        Scenario("rotate/other rights", (up("read", 2), up("read_write", 1)), (up(),), rights="read_write", rotation=2),
        Scenario("destroy/destroy", (destroy("erp"), destroy("erp")), LINKED, rights=None, faults=STORE_FAULTS),
        Scenario("destroy/re-create", (destroy(), up()), (up(),)),
        Scenario("destroy/re-create then gone", (destroy(), up()), (up(),), rights=None),
        Scenario("destroy and re-create twice", (again(destroy(), up()), again(destroy(), up())), (up(),)),
        Scenario("destroy and re-create/rotate", (again(destroy(), up()), up("read", 2)), (up(),), rotation=2),
        Scenario("connect/connect", (connect("erp"), connect("erp")), (up(),), links=("erp",)),
        Scenario("connect/unlink", (connect("erp"), disconnect("erp")), LINKED),
        Scenario("connect/unlink then linked", (connect("erp"), disconnect("erp")), LINKED, links=("erp",)),
        Scenario(
            "unlink and connect/connect",
            (again(disconnect("erp"), connect("erp")), connect("erp")),
            LINKED,
            links=("erp",),
        ),
        Scenario(
            "unlink and connect/connect then unlinked",
            (again(disconnect("erp"), connect("erp")), connect("erp")),
            (*LINKED, up("read", 2)),
            rotation=2,
        ),
        Scenario("unlink/rotate", (disconnect("erp"), ROTATED), LINKED, rotation=2, links=("erp",)),
        Scenario(
            "two links on one place",
            (again(disconnect("erp", "spot"), connect("erp", "spot")), connect("web", "spot")),
            (up(), connect("erp", "spot")),
            places=(("erp", "spot"), ("web", "spot")),
        ),
        Scenario("rotate and move", (MOVED, MOVED), LINKED, rotation=2, links=("erp",), places=(("erp", "spot"),)),
        Scenario(
            "rows that stay: rotate/rotate",
            (ROTATED, ROTATED),
            LINKED,
            rotation=2,
            links=("erp",),
            faults=STORE_FAULTS,
            capabilities=ROWS,
        ),
        Scenario("rows that stay: rotate/destroy", (up("read", 2), destroy()), (up(),), rights=None, capabilities=ROWS),
        Scenario("publish races", (up("read", 2), up("read", 3), up("read", 3)), (up(),), rotation=3),
        Scenario("deleted by hand", (up(), up(), by_hand(delete_keys)), (up(),), alarms=True),
        Scenario("changed in place", (up(purpose="stock"), up(purpose="orders")), (up(),), faults=STORE_FAULTS),
        Scenario(
            "compromised",
            (again(people("compromise", "seen in a chat"), ROTATED), ROTATED),
            LINKED,
            rotation=2,
            links=("erp",),
            faults=frozenset({"refused"}),
        ),
        Scenario(
            "compromised and no successor",
            (again(people("compromise", "seen in a chat"), up()), up()),
            (up(),),
            refusing=True,
        ),
        Scenario("rotation asked for", (again(people("request_rotation", "a person left"), up()), up()), (up(),)),
        Scenario("tokens: create/create", (up(), up()), faults=TOKEN_FAULTS, capabilities=TOKENS),
        Scenario(
            "tokens: rotate/rotate",
            (ROTATED, ROTATED),
            LINKED,
            rotation=2,
            links=("erp",),
            faults=TOKEN_FAULTS,
            capabilities=TOKENS,
        ),
        Scenario("tokens: rotate/destroy", (up("read", 2), destroy()), (up(),), rights=None, capabilities=TOKENS),
        Scenario("hand over/hand over", (hand_over("office"), hand_over("office")), GIVEN, handed=OUTSIDE, faults=POST),
        Scenario(
            "hand over again/again",
            (hand_over("office", "the mail was lost"), hand_over("office", "the other desk"), open_mail),
            (*GIVEN, hand_over("office")),
            handed=OUTSIDE,
            faults=POST,
        ),
        Scenario(
            "hand over/receive",
            (hand_over("office"), receive("office"), receive("office")),
            (*GIVEN, hand_over("office")),
            handed=OUTSIDE,
            faults=POST,
        ),
        Scenario(
            "rotate and hand over/receive/confirm",
            (again(up("read", 2), hand_over("office"), up("read", 2)), receive("office"), confirm("office")),
            (*GIVEN, hand_over("office"), receive("office"), hand_over("office")),
            rotation=2,
            handed=OUTSIDE,
            faults=POST,
        ),
        Scenario(
            "hand over/take back",
            (hand_over("office"), again(take_back("office"), hand_over("office")), receive("office")),
            (*GIVEN, hand_over("office")),
            handed=OUTSIDE,
        ),
        Scenario(
            "hand over/destroy",
            (hand_over("office", "once more"), again(take_back("office"), destroy()), receive("office")),
            (*GIVEN, hand_over("office")),
            rights=None,
            handed=OUTSIDE,
            faults=POST,
        ),
        Scenario("lease", (up(), up()), lease=10.0),
        Scenario("lease and rotate", (ROTATED, ROTATED), LINKED, rotation=2, links=("erp",), lease=10.0),
        Scenario(
            "late commit and destroy",
            (again(up(), destroy()),),
            rights=None,
            rerun=False,
            faults=frozenset({"late"}),
        ),
        Scenario(
            "everything",
            (again(ROTATED, destroy("erp"), up()), again(up("read_write", 2), connect("web")), destroy("erp", "web")),
            LINKED,
            faults=STORE_FAULTS,
        ),
        Scenario(
            "everything then gone",
            (again(ROTATED, destroy("erp"), up()), again(up("read_write", 2), connect("web")), destroy("erp", "web")),
            LINKED,
            rights=None,
            faults=STORE_FAULTS,
        ),
        Scenario(
            "nothing changes in place",
            (up("read", 2), up("read_write", 1)),
            (up(),),
            rights="read_write",
            rotation=2,
            capabilities=capable(revisable=frozenset()),
        ),
        Scenario(
            "rights change in place",
            (up("read", 2), up("read_write", 1)),
            (up(),),
            rights="read_write",
            rotation=2,
            capabilities=capable(revisable=frozenset({"rights", "purpose"})),
        ),
    )
}
