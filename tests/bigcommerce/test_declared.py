"""What may be declared for BigCommerce: read from files, as `load` reads or refuses them."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from providers.bigcommerce.declared import DECLARED
from providers.bigcommerce.rules import BEYOND_FUNCTION, unprovable
from providers.bigcommerce.scopes import PANEL, ROWS, TABLE
from providers.bigcommerce.words import account_title, channel, origin, store_hash, token_rights
from providers.declarations import DeclarationErrors, Stack, inputs, load, platforms
from providers.declarations.house_style import like_store_text
from tests.bigcommerce.conftest import STONE_EDGE
from tests.declarations.files import SETTINGS

PROJECT = Path(__file__).parents[2]
SET = PROJECT / "stacks" / "rights" / "bigcommerce" / "stone-edge-connect2cart.yaml"
NAME = "production/acme-parts.yaml"

ACCOUNT = """\
platform: bigcommerce
store_hash: 12e4567
team: retail
ask: owner@agency.example
connections:
  stone-edge:
    purpose: orders and stock for the order manager
    rights: {set: stone-edge-connect2cart}
    verify: full
    links: {vault: {}}
"""

TOKENS = """\
platform: bigcommerce
store_hash: 12e4567
team: retail
ask: owner@agency.example
connections:
  maker:
    purpose: makes the tokens of the shop's pages
    rights: {storefront api tokens: Manage}
    verify: full
    links: {vault: {}}
  pages:
    credential: storefront_token
    purpose: the shop's pages
    account: maker
    token: storefront
    rights: all
    channels: [30, 1]
    cors_origins: [https://shop.acme.example, "https://acme.example:8443"]
    expires_after: 180d
    links: {vault: {}}
"""


def _load(top: Path, files: Mapping[str, str]) -> Stack:
    stacks = top / "stacks"
    here = {"production/_stack.yaml": SETTINGS, f"rights/bigcommerce/{SET.name}": SET.read_text("utf-8"), **files}
    for name, text in here.items():
        (stacks / name).parent.mkdir(parents=True, exist_ok=True)
        (stacks / name).write_text(text, "utf-8")
    return load(stacks, "production", platforms())


def _said(top: Path, text: str, files: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(DeclarationErrors) as caught:
        _load(top, {NAME: text, **(files or {})})
    return [line.removeprefix(f"stacks/{NAME}:") for line in str(caught.value).splitlines()]


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["12e4567", "0123456", "xyz", "NO", "1", "a" * 20])
def test_a_hash_is_text(written: str, tmp_path: Path) -> None:
    stack = _load(tmp_path, {NAME: ACCOUNT.replace("12e4567", written)})
    assert stack.stores[0].address == store_hash(written) == written


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://api.bigcommerce.com/stores/xyz12/v3/", "this is an address; write the hash alone: xyz12"),
        ("api.bigcommerce.com/stores/xyz12", "write the hash alone: xyz12"),
        ("/stores/xyz12/v3/", "write the hash alone: xyz12"),
        ("stores/xyz12", "write the hash alone: xyz12"),
        ("https://store-xyz12.mybigcommerce.com/manage/settings/auth", "write the hash alone: xyz12"),
        ("store-xyz12.mybigcommerce.com", "write the hash alone: xyz12"),
        ("store-xyz12", "the hash has no `store-` before it; write the hash alone: xyz12"),
        ("https://shop.acme.example", "is no store hash: it is what stands between /stores/ and /v3/"),
        ("xyz_12", "is no store hash"),
        ("xyz 12", "is no store hash"),
        ("", "is no store hash"),
        ("a" * 21, "21 characters; a store hash has 20 at most, and no token belongs here"),
        (["xyz12"], "a list was found where a text is expected"),
    ],
)
def test_what_is_no_hash(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        store_hash(written)
    assert said in str(caught.value)


def test_a_store_does_not_move(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, ACCOUNT.replace("team:", "moved_from: abc\nteam:"))
    assert said == "3:13: moved_from: a store keeps its hash for ever; another hash is another store"


@pytest.mark.parametrize(("written", "said"), [("abc", "too short"), ("  abc  ", "too short"), ("", "empty")])
def test_short_titles(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        account_title(written)


@pytest.mark.parametrize("written", ["0", "-1", "one", "01", "12345678901", "1.5", ""])
def test_what_is_no_channel(written: str) -> None:
    with pytest.raises(ValueError, match="is no channel"):
        channel(written)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("http://acme.example", "plain http is refused"),
        ("acme.example", "an address begins with https://"),
        ("https://acme.example/", "does not end in a slash"),
        ("https://acme.example/shop", "is no origin; it ends after the host"),
        ("https://{store_hash}.example", "is no origin"),
        ("https://Acme.example", "in lower case, and no port 443"),
        ("https://acme.example:443", "in lower case, and no port 443"),
        ("*", "begins with https://"),
    ],
)
def test_what_is_no_origin(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        origin(written)
    assert said in str(caught.value)


def test_scopes_of_a_token() -> None:
    assert token_rights("all") == "all"
    assert token_rights(["b2b", "CUSTOMER", "Unauthenticated"]) == ("Unauthenticated", "Customer", "B2B")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Customer", "'Customer' was found; allowed: all, or a list of Unauthenticated, Customer, B2B"),
        ({"Customer": "x"}, "a mapping was found; allowed: all, or a list of"),
        (["Custmer"], "'Custmer' was found; allowed: Unauthenticated, Customer, B2B; nearest: Customer"),
        (["Customer", "customer"], "a value stands here twice"),
        ([["Customer"]], "a list was found where a text is expected"),
        ([], "an empty list"),
    ],
)
def test_what_are_no_scopes(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=".") as caught:
        token_rights(written)
    assert said in str(caught.value)


# --- rows of an account -----------------------------------------------------------------------------------------------

LEVELS = [
    pytest.param(label, level.word, id=f"{label}, {level.parameter or level.word}")
    for label, row in TABLE.items()
    for level in row.levels
]


def _rights(rows: str) -> str:
    return ACCOUNT.replace("{set: stone-edge-connect2cart}", rows)


@pytest.mark.parametrize(("label", "level"), LEVELS)
def test_every_level_of_the_vendors_table_both_ways(label: str, level: str, tmp_path: Path) -> None:
    text = _rights(f"{{{label.upper()}: {level.title()}}}")
    if label not in ROWS:
        (said,) = _said(tmp_path, text)
        assert said.startswith(f"8:14: '{label.upper()}' is ")
    elif level == ROWS[label].default:
        assert _said(tmp_path, text) == ["8:13: rights: every row is none; such an account can do nothing"]
    else:
        assert _load(tmp_path, {NAME: text}).connections[0].fields["rights"] == {label: level}


WRONG = [
    ("{Orders: modfy}", "22: Orders: the row has no level 'modfy'; allowed: none, read-only, modify; nearest: modify"),
    ("{Orders: [modify]}", "22: a list was found where a text is expected"),
    ("{Orders: modify, orders: none}", "30: 'orders'"),
    ("{}", "13: rights: no row stands here"),
    ("read", "13: a text was found where a mapping is expected"),
    ("[Orders]", "13: a list was found where a mapping is expected"),
    ("{set: stone-edge}", "19: set: no file of stacks/rights/bigcommerce/ is called 'stone-edge'; there are: "),
    ("{set: stone-edge-connect2cart, Orders: none}", "44: unknown word 'Orders'; allowed in 'rights': except, set"),
    ("{except: {Orders: none}}", "5: 'set' is missing in 'rights'"),
    ("{set: stone-edge-connect2cart, except: {}}", "52: except: no row stands here"),
    (
        "{set: stone-edge-connect2cart, except: {Ordrs: none}}",
        "53: no row of the panel is called 'Ordrs'; allowed: Content, ",
    ),
    (
        "{set: stone-edge-connect2cart, except: {Orders: some}}",
        "61: Orders: the row has no level 'some'; allowed: none, read-only, modify",
    ),
    (
        "{set: stone-edge-connect2cart, except: {orders: Modify}}",
        "61: orders: the set has this row at 'Modify' already; leave the exception out",
    ),
]


@pytest.mark.parametrize(("rows", "said"), WRONG)
def test_wrong_rows_are_named_with_their_place(rows: str, said: str, tmp_path: Path) -> None:
    (line,) = _said(tmp_path, _rights(rows))
    assert line.startswith(f"8:{said}")


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = _said(tmp_path, _rights("{Ordrs: modify, Themes: login, Store logs: modify}"))
    assert [line.split(":")[1] for line in said] == ["14", "37", "56"]


def test_the_shipped_set_is_the_vendors_list() -> None:
    rows = yaml.safe_load(SET.read_text("utf-8"))["rights"]
    assert list(rows) == list(PANEL)
    granted = {label: level for label, level in rows.items() if level != "none"}
    assert granted == STONE_EDGE


def test_a_change_of_one_row_shows_as_that_row(tmp_path: Path) -> None:
    written = _load(tmp_path, {NAME: ACCOUNT})
    less = _rights("{set: stone-edge-connect2cart, except: {checkout content: None, Store Logs: Read-only}}")
    changed = _load(tmp_path, {NAME: less})
    before, after = (dict(stack.connections[0].fields["rights"]) for stack in (written, changed))
    assert dict(before.items() - after.items()) == {"Checkout content": "modify"}
    assert dict(after.items() - before.items()) == {"Store logs": "read-only"}
    assert list(after) == [label for label in ROWS if label in after]


def test_inputs_hold_all_that_a_run_needs(tmp_path: Path) -> None:
    stack = _load(tmp_path, {NAME: ACCOUNT})
    found = inputs(stack, stack.connections[0])
    assert json.loads(json.dumps(found)) == found
    assert (found["store_hash"], found["kind"], found["by_person"]) == ("12e4567", "api_account", True)
    assert (found["api"], found["panel"], found["login"]) == (
        "https://api.bigcommerce.com",
        "https://store-12e4567.mybigcommerce.com",
        "https://login.bigcommerce.com",
    )
    assert stack.stores[0].url == "https://api.bigcommerce.com/stores/12e4567"
    assert "rotate_after" not in found
    assert DECLARED.endpoints.keys().isdisjoint(
        {word for model in (DECLARED.store, *DECLARED.credentials.values()) for word in model.model_fields}
    )


@pytest.mark.parametrize(
    ("word", "title"), [("", "acme-parts/stone-edge"), ("    account_title: Order manager\n", "Order manager")]
)
def test_an_account_has_a_title(word: str, title: str, tmp_path: Path) -> None:
    stack = _load(tmp_path, {NAME: ACCOUNT.replace("    verify", f"{word}    verify")})
    assert stack.connections[0].fields["account_title"] == title


def test_a_title_is_long_enough_for_the_panel(tmp_path: Path) -> None:
    stack = _load(tmp_path, {"production/a.yaml": ACCOUNT.replace("  stone-edge:", "  b:")})
    assert stack.connections[0].fields["account_title"] == "connection a/b"


def test_somebody_must_be_asked(tmp_path: Path) -> None:
    (said,) = _said(tmp_path, ACCOUNT.replace("ask: owner@agency.example\n", ""))
    assert said == "5:3: 'ask' is missing; a person makes the account, and somebody must be asked"


def test_write_probes_must_be_permitted(tmp_path: Path) -> None:
    settings = SETTINGS.replace("permit: [plain_handover, verify_full]", "permit: []")
    (said,) = _said(tmp_path, ACCOUNT, {"production/_stack.yaml": settings})
    assert said.startswith("9:13: verify: _stack.yaml does not permit verify_full")


def test_a_set_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    name = "rights/bigcommerce/mine.yaml"
    said = _said(tmp_path, _rights("{set: mine}"), {name: "rights:\n  Ordrs: modify\n"})
    assert [line.split(": ")[0] for line in said] == [f"stacks/{name}:2:3"]


# --- what proofs can show ---------------------------------------------------------------------------------------------

BLIND = "cannot be proved, since no call of the API shows them: Customers login, Metafield ownership, Metafields access"
OPEN_WITHOUT_WRITING = ["Create payments", "Storefront API tokens", "Storefront API customer impersonation tokens"]


def _stone_edge(**rows: str) -> dict[str, str]:
    listed: dict[str, str] = yaml.safe_load(SET.read_text("utf-8"))["rights"]
    return listed | {word.replace("_", " "): level for word, level in rows.items()}


@pytest.mark.parametrize(
    ("rights", "full", "words"),
    [
        (_stone_edge(), True, [BLIND]),
        (
            _stone_edge(Checkout_content="none"),
            True,
            [
                BLIND,
                (
                    "Checkout content: none cannot be proved: none or read-only look alike;"
                    " Content: read-only opens the same calls"
                ),
            ],
        ),
        (_stone_edge(Checkout_content="read-only", Content="none"), True, [BLIND]),
        (
            {"Content": "modify", "Checkout content": "modify"},
            True,
            [
                BLIND,
                (
                    "Checkout content: modify cannot be proved: none or read-only or modify look alike;"
                    " Content: modify opens the same calls"
                ),
            ],
        ),
        (
            {"Stored payment instruments": "modify"},
            True,
            [
                BLIND,
                (
                    "Stored payment instruments: modify cannot be proved: read-only or modify look alike;"
                    " no public call shows more"
                ),
            ],
        ),
        (
            {"Information & settings": "read-only"},
            True,
            [
                BLIND,
                (
                    "Get payment methods: none cannot be proved: none or read-only look alike;"
                    " Information & settings: read-only opens the same calls"
                ),
            ],
        ),
        (
            {"Orders": "modify", "Themes": "read-only"},
            False,
            [
                BLIND,
                (
                    "`verify: read` does not prove the levels of Orders, Create payments, Themes, Storefront API tokens,"
                    " Storefront API customer impersonation tokens; `verify: full` would, by write probes"
                ),
            ],
        ),
        (
            {"Store logs": "read-only", "B2B Edition": "modify"},
            True,
            [f"{BLIND}, B2B Edition"],
        ),
    ],
)
def test_rows_that_cannot_be_proved(rights: dict[str, str], full: bool, words: list[str]) -> None:
    kept = {label: level for label, level in rights.items() if level != ROWS[label].default}
    assert list(unprovable(kept, full=full)) == words


def test_check_says_what_cannot_be_proved(tmp_path: Path) -> None:
    full, read = (_load(tmp_path, {NAME: text}) for text in (ACCOUNT, ACCOUNT.replace("    verify: full\n", "")))
    assert full.connections[0].warnings == (f"stacks/{NAME}:8: {BLIND}",)
    said = read.connections[0].warnings[1]
    assert all(label in said for label in ["Orders", "Content", "Checkout content", *OPEN_WITHOUT_WRITING])
    assert "Themes" not in said


# --- consumers --------------------------------------------------------------------------------------------------------


LINKED = "{stone-edge: {handover: person}, reader: {to: vault}}"


def test_a_vendor_that_asks_for_more_than_its_function(tmp_path: Path) -> None:
    text = ACCOUNT.replace("{vault: {}}", LINKED)
    _, said = _load(tmp_path, {NAME: text}).connections[0].warnings
    assert said == (
        f"stacks/{NAME}:8: stone-edge asks for more than its function: nothing it does is known to need"
        " Checkout content: modify (may put scripts on checkout pages), Carts: modify, Checkouts: modify"
    )
    less = "{set: stone-edge-connect2cart, except: {Checkout content: none, Carts: read-only, Checkouts: none}}"
    text = _rights(less).replace("{vault: {}}", LINKED)
    assert "function" not in str(_load(tmp_path, {NAME: text}).connections[0].warnings)


def test_a_consumer_takes_one_kind(tmp_path: Path) -> None:
    start, last = TOKENS.rsplit("{vault: {}}", 1)
    assert _said(tmp_path, start + LINKED + last) == [
        "20:13: stone-edge works with bigcommerce/api_account, not with bigcommerce/storefront_token"
    ]
    assert set(BEYOND_FUNCTION) <= set(platforms()["bigcommerce"].consumers["api_account"])
    assert all(label in PANEL for rows in BEYOND_FUNCTION.values() for label in rows)


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token(tmp_path: Path) -> None:
    stack = _load(tmp_path, {NAME: TOKENS})
    maker, pages = stack.connections
    assert (maker.by_person, pages.by_person, pages.kind) == (True, False, "storefront_token")
    found = inputs(stack, pages)
    assert json.loads(json.dumps(found)) == found
    words = ("account", "token", "rights", "channels", "cors_origins", "expires_after")
    assert {word: found[word] for word in words} == {
        "account": "maker",
        "token": "storefront",
        "rights": "all",
        "channels": [1, 30],
        "cors_origins": ["https://acme.example:8443", "https://shop.acme.example"],
        "expires_after": 180 * 86400,
    }


def test_a_private_token(tmp_path: Path) -> None:
    text = TOKENS.replace("token: storefront", "token: private").replace("rights: all", "rights: [customer]")
    text = text.replace('    cors_origins: [https://shop.acme.example, "https://acme.example:8443"]\n', "")
    pages = _load(tmp_path, {NAME: text}).connections[1]
    assert (pages.fields["rights"], pages.fields["cors_origins"]) == (["Customer"], [])
    assert pages.warnings == ()


def test_that_a_storefront_token_serves_no_server_is_said(tmp_path: Path) -> None:
    (warning,) = _load(tmp_path, {NAME: TOKENS}).connections[1].warnings
    assert warning == (
        "stacks/production/acme-parts.yaml:15: token: a storefront token is for browsers alone: from servers one made after"
        " 2026-06-30 does not work, and an older one until 2027-03-31 only; a server needs `token: private`"
    )


TOKENS_WRONG = [
    ("rights: all", "rights: [Customer]", "16:13: rights: a storefront token has all, since nothing finer exists"),
    (
        "token: storefront",
        "token: private",
        "16:13: rights: a private token has a list of Unauthenticated, Customer, B2B",
    ),
    ("token: storefront", "token: customer", "15:12: 'customer' was found; allowed: private, storefront"),
    ("[30, 1]", "[]", "17:15: channels: an empty list"),
    ("[30, 1]", "1", "17:15: channels: '1' was found; allowed: a list"),
    ("[30, 1]", "[1, 1]", "17:15: channels: a value stands here twice"),
    (
        "[https://shop",
        "[https://de.acme.example, https://shop",
        "18:19: cors_origins: 3 values; 2 are allowed",
    ),
    (
        '    cors_origins: [https://shop.acme.example, "https://acme.example:8443"]\n',
        "",
        "11:3: 'cors_origins' is missing; browsers call with a storefront token, from one or two origins",
    ),
    (
        "180d",
        "91d",
        (
            "19:20: expires_after: 91d is over before the next token is in use (rotate_after: 90d and an overlap of 1d);"
            " write a longer life or a smaller rotate_after"
        ),
    ),
    (
        "180d",
        "12h\n    rotate_after: never",
        (
            "19:20: expires_after: 12h is over before the next token is in use (rotate_after: never);"
            " write a longer life or a smaller rotate_after"
        ),
    ),
    (
        "180d",
        "90m\n    rotate_after: 90s",
        "19:20: expires_after: 90m is over before the next token is in use (rotate_after: 90s and an overlap of 1d)",
    ),
    (
        "account: maker",
        "account: makr",
        "14:14: account: no api_account of this store is called 'makr'; there are: maker; nearest: maker",
    ),
    ("account: maker", "account: pages", "14:14: account: no api_account of this store is called 'pages'"),
    (
        "{storefront api tokens: Manage}",
        "{Orders: modify}",
        "14:14: account: maker cannot make tokens; its rights need the row `Storefront API tokens: manage`",
    ),
    # What is wrong with the account is said alone.
    ("{storefront api tokens: Manage}", "{Orders: all}", "8:22: Orders: the row has no level 'all'"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), TOKENS_WRONG)
def test_wrong_tokens(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in TOKENS
    (line,) = _said(tmp_path, TOKENS.replace(right, wrong, 1))
    assert line.startswith(said)


@pytest.mark.parametrize(("life", "fits"), [("91d", False), ("92d", True)])
def test_a_token_outlives_the_overlap(life: str, fits: bool, tmp_path: Path) -> None:
    text = TOKENS.replace("180d", life)
    if fits:
        assert _load(tmp_path, {NAME: text}).connections[1].fields["expires_after"] == 92 * 86400
    else:
        assert len(_said(tmp_path, text)) == 1


@pytest.mark.parametrize("text", [ACCOUNT, TOKENS, _rights("{Information & Settings: modify, themes: None}")])
def test_a_store_like_another(text: str, tmp_path: Path) -> None:
    copy = like_store_text(text, DECLARED, "0123456")
    stack = _load(tmp_path, {NAME: text, "production/northside.yaml": copy})
    assert [store.address for store in stack.stores] == ["12e4567", "0123456"]
    # Titles are made of the connections' names, in which the stores differ.
    first, second = (
        [{**one.fields, "account_title": ""} for one in stack.connections if one.store == store]
        for store in stack.stores
    )
    assert first == second
