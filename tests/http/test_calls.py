"""What a call puts on the wire, and what comes back as an answer."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import traceback
import urllib.parse
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.core.errors import AddressRefused, ConnectionsError, UnclearOutcome, Unexpected, Unreachable
from providers.core.http import Answer, Http, Origin, Text, segment
from providers.core.redaction import Secret
from tests.http.authority import Authority
from tests.http.stub import Asked, Reply, Stub, context_of, running

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-0123456789"

# --- requests -----------------------------------------------------------------------------------------------------------


def test_a_call_goes_below_the_origin_and_brings_the_answer(origin: Origin, stub: Stub) -> None:
    stub.replies(Reply(201, b'{"id": 1}', [("X-Two", "a"), ("X-Two", "b"), ("Location", "/elsewhere")]))
    answer = origin.request("GET", "/wp-json/", query={"search": "a b&c", "n": 3}, safe=True)
    assert (answer.status, answer.json(), answer.headers["x-two"]) == (201, {"id": 1}, "a, b")
    assert (answer.location, answer.where) == ("/elsewhere", f"127.0.0.1:{stub.port}")
    (asked,) = stub.asked
    assert (asked.method, asked.target, asked.body) == ("GET", "/shop/wp-json/?search=a+b%26c&n=3", b"")
    assert asked.headers == {
        "host": f"127.0.0.1:{stub.port}",
        "user-agent": "store-connections/1",
        "accept": "*/*",
        "accept-encoding": "gzip",
    }


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "", "/"),
        ("", "/", "/"),
        ("/shop", "", "/shop"),
        ("/shop", "/a%20b/c;d=1,2:3@4", "/shop/a%20b/c;d=1,2:3@4"),
        ("/shop", "/.well-known/...", "/shop/.well-known/..."),
    ],
)
def test_paths_are_written_as_given(
    make_http: Callable[..., Http], stub: Stub, base: str, path: str, target: str
) -> None:
    make_http().origin(stub.url(base=base)).request("GET", path, safe=True)
    assert stub.asked[0].target == target


@pytest.mark.parametrize(
    "path",
    [
        "wp-json",
        "//internal.example/x/../..",
        "/..",
        "/a/../b",
        "/a/.",
        "/%2e%2e/b",
        "/a%2E%2E",
        "/a%5cb",
        "/a%0d%0ab",
        "/a%7f",
        "/a%",
        "/a%zz",
        "/a?b=1",
        "/a#b",
        "/a b",
        "/a\\b",
        "/a\r\nhost: x",
        "/ä",
        "https://internal.example/",
        "@internal.example/",
    ],
)
def test_no_path_leaves_the_origin(origin: Origin, stub: Stub, path: str) -> None:
    with pytest.raises(Unexpected, match="nothing was sent"):
        origin.request("GET", path, safe=True)
    assert stub.asked == []


@pytest.mark.parametrize("method", ["get", "GET ", "GET / HTTP/1.1\r\n", ""])
def test_no_method_smuggles_a_request(origin: Origin, stub: Stub, method: str) -> None:
    with pytest.raises(Unexpected, match="nothing was sent"):
        origin.request(method, "/", safe=True)
    assert stub.asked == []


@pytest.mark.parametrize("value", [f"{CANARY}\r\nx: y", f"{CANARY}\n", f"{CANARY}\0", f"ü{CANARY}", f"{CANARY}\x7f"])
def test_what_no_header_can_carry_is_not_sent_nor_shown(origin: Origin, stub: Stub, value: str) -> None:
    with pytest.raises(Unexpected, match="no HTTP header can carry") as caught:
        origin.request("GET", "/", headers={"X-Auth-Token": Secret(value)}, safe=True)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert stub.asked == []


def test_forms_and_queries_repeat_names_and_reveal_secrets(origin: Origin, stub: Stub) -> None:
    pairs: list[tuple[str, Text]] = [("key[]", 1), ("key[]", "2"), ("pwd", Secret("pässword &+"))]
    origin.request("POST", "/wp-login.php", query=pairs, form=pairs, safe=False)
    (asked,) = stub.asked
    expected = "key%5B%5D=1&key%5B%5D=2&pwd=p%C3%A4ssword+%26%2B"
    assert asked.target == f"/shop/wp-login.php?{expected}"
    assert asked.body.decode() == expected
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["content-length"] == str(len(expected))


def test_json_reveals_secrets_wherever_they_stand(origin: Origin, stub: Stub) -> None:
    origin.request("PUT", "/x", json={"credentials": [{"key": Secret("s3cret")}]}, safe=False)
    assert json.loads(stub.asked[0].body) == {"credentials": [{"key": "s3cret"}]}
    assert stub.asked[0].headers["content-type"] == "application/json"
    with pytest.raises(TypeError, match="set is not JSON"):
        origin.request("PUT", "/x", json={"rights": {"read"}}, safe=False)


def test_headers_and_basic_reveal_secrets(origin: Origin, stub: Stub) -> None:
    headers: dict[str, Text] = {"X-Auth-Token": Secret("t0ken"), "Accept": "application/json"}
    origin.request("GET", "/x", headers=headers, auth=("ck_1", Secret("cs:ü")), safe=True)
    asked = stub.asked[0].headers
    assert (asked["x-auth-token"], asked["accept"]) == ("t0ken", "application/json")
    assert base64.b64decode(asked["authorization"].removeprefix("Basic ")).decode() == "ck_1:cs:ü"


@pytest.mark.parametrize(
    ("text", "part"), [("12", "12"), ("a b", "a%20b"), ("ü?#%", "%C3%BC%3F%23%25"), ("...", "...")]
)
def test_a_segment_is_one_part_of_a_path(origin: Origin, stub: Stub, text: str, part: str) -> None:
    assert segment(text) == part
    origin.request("GET", f"/apps/{segment(text)}", safe=True)
    assert urllib.parse.unquote(stub.asked[0].target) == f"/shop/apps/{text}"


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a\\b", "a\nb", "\x7f"])
def test_what_can_be_no_segment_is_refused(text: str) -> None:
    with pytest.raises(Unexpected, match="cannot stand in a path"):
        segment(text)


def test_an_origin_knows_its_names(origin: Origin, stub: Stub) -> None:
    assert (origin.url, origin.host) == (f"https://127.0.0.1:{stub.port}/shop", "127.0.0.1")
    assert origin.where == f"127.0.0.1:{stub.port}"


@pytest.mark.parametrize("url", ["http://shop.example", "https://shop.example:8443", "https://shop.example/"])
def test_a_bad_address_is_refused_before_any_call(make_http: Callable[..., Http], url: str) -> None:
    with pytest.raises(AddressRefused):
        make_http(private={}).origin(url)


# --- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 301, 302, 304, 307, 400, 401, 403, 404, 500, 501])
@pytest.mark.parametrize("safe", [True, False])
def test_a_status_is_the_callers_to_understand(origin: Origin, stub: Stub, status: int, safe: bool) -> None:
    stub.replies(Reply(status, b""))
    assert origin.request("POST", "/x", safe=safe).status == status
    assert len(stub.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(origin: Origin, stub: Stub, certificate: Path, status: int) -> None:
    with running(context_of(certificate)) as other:
        stub.replies(Reply(status, b"", [("Location", other.url() + "/steal"), ("Refresh", f"0; url={other.url()}")]))
        answer = origin.request("POST", "/x", form={"pwd": CANARY}, auth=("a", Secret(CANARY)), safe=True)
        assert (answer.status, answer.location) == (status, other.url() + "/steal")
        assert (other.connections, len(stub.asked)) == (0, 1)


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ([], "grün".encode(), "grün"),
        ([("content-type", "text/html; charset=ISO-8859-1")], "grün".encode("latin-1"), "grün"),
        ([("content-type", 'text/html; charset="utf-8"')], "grün".encode(), "grün"),
        ([("content-type", "text/html; charset=klingon")], "grün".encode(), "grün"),
        ([("content-type", "text/html")], b"gr\xfcn", "gr\ufffdn"),
    ],
    ids=["none", "latin-1", "quoted", "unknown", "broken"],
)
def test_text_is_read_in_its_character_set(
    origin: Origin, stub: Stub, headers: list[tuple[str, str]], body: bytes, text: str
) -> None:
    stub.replies(Reply(200, body, headers))
    assert origin.request("GET", "/", safe=True).text == text


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b'{"a": ' + CANARY.encode(), b"[" * 100_000], ids=len)
def test_what_is_not_json_is_unexpected_and_not_shown(body: bytes) -> None:
    answer = Answer(200, {}, body, "shop.example")
    with pytest.raises(Unexpected, match=r"shop\.example: an answer with status 200 is not JSON") as caught:
        answer.json()
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_an_answer_shows_no_header_and_no_body() -> None:
    shown = repr(Answer(200, {"x": CANARY}, CANARY.encode(), "shop.example"))
    assert CANARY not in shown


PAGE = b"<html>" + b"row " * 1000
BODIES: dict[str, tuple[str, bytes, bytes | None]] = {
    # encoding, what is sent, what arrives (None: cannot be read)
    "gzip": ("gzip", gzip.compress(PAGE), PAGE),
    "gzip by its old name": ("X-GZIP", gzip.compress(PAGE), PAGE),
    "none": ("identity", PAGE, PAGE),
    "empty": ("gzip", b"", b""),
    "broken": ("gzip", PAGE, None),
    "cut": ("gzip", gzip.compress(PAGE)[:-10], None),
    "another": ("br", b"\x0b\x02\x80", None),
    "deflate": ("deflate", zlib.compress(PAGE), None),
    "a bomb": ("gzip", gzip.compress(bytes(50_000_000)), None),
    "larger than allowed": ("", bytes(200_000), None),
    "as large as allowed": ("", bytes(100_000), bytes(100_000)),
    "as large as allowed once read": ("gzip", gzip.compress(bytes(100_000)), bytes(100_000)),
}


@pytest.mark.parametrize(("encoding", "sent", "body"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("length", [True, False], ids=["with length", "until closed"])
def test_a_body_is_read_whole_and_bounded(
    make_http: Callable[..., Http], stub: Stub, encoding: str, sent: bytes, body: bytes | None, length: bool
) -> None:
    origin = make_http(largest_answer=100_000).origin(stub.url())
    stub.replies(Reply(200, sent, [("content-encoding", encoding)] if encoding else [], length=length))
    if body is not None:
        assert origin.request("GET", "/", safe=True).body == body
    else:
        with pytest.raises(Unexpected):
            origin.request("GET", "/", safe=True)
        with pytest.raises(UnclearOutcome):
            origin.request("POST", "/", safe=False)
    # What cannot be read once will not be read better again.
    assert len(stub.asked) == (1 if body is not None else 2)


# --- connections and sessions -------------------------------------------------------------------------------------------


def test_calls_share_a_connection_whatever_store_of_the_host_they_are_for(
    make_http: Callable[..., Http], stub: Stub
) -> None:
    http = make_http()
    for store in ("/one", "/two", "/one"):
        http.origin(stub.url(base=store)).request("GET", "/", safe=True)
        with http.origin(stub.url(base=store)).session() as session:
            session.request("GET", "/", safe=True)
    assert stub.connections == 1


def test_each_host_has_connections_of_its_own(make_http: Callable[..., Http], stub: Stub) -> None:
    http = make_http()
    for host in ("127.0.0.1", "localhost", "127.0.0.1"):
        http.origin(stub.url(host)).request("GET", "/", safe=True)
    assert stub.connections == 2
    assert [asked.connection for asked in stub.asked] == [0, 1, 0]


def test_a_closed_connection_is_replaced_without_a_word(origin: Origin, stub: Stub) -> None:
    stub.script = lambda asked: Reply(200, b"{}", cut=1000)
    for _ in range(3):
        assert origin.request("POST", "/", safe=False).status == 200
        assert stub.ended.acquire(timeout=10)
    assert stub.connections == 3


def test_closing_ends_the_connections(make_http: Callable[..., Http], stub: Stub) -> None:
    with make_http() as http:
        origin = http.origin(stub.url())
        origin.request("GET", "/", safe=True)
    assert stub.ended.acquire(timeout=10)
    with pytest.raises(Unreachable, match="all connections were closed before this call"):
        origin.request("GET", "/", safe=True)
    assert len(stub.asked) == 1


def cookies_of(asked: Asked) -> set[str]:
    return set(filter(None, asked.headers.get("cookie", "").split("; ")))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "shop.example"])
def test_a_session_keeps_its_cookies_to_itself(make_http: Callable[..., Http], stub: Stub, host: str) -> None:
    origin = make_http().origin(stub.url(host, "/shop"))

    def login(asked: Asked) -> Reply:
        name = urllib.parse.parse_qs(asked.body.decode()).get("log", [""])[0]
        baked = [
            ("Set-Cookie", f"session={name}; path=/shop; secure; HttpOnly"),
            ("Set-Cookie", f"admin={name}; path=/shop/wp-admin; secure"),
            ("Set-Cookie", "stranger=1; domain=internal.example"),
        ]
        return Reply(302, b"", baked if name else [])

    stub.script = login
    with origin.session() as one, origin.session() as two:
        assert one.cookie_names() == frozenset()
        answer = one.request("POST", "/wp-login.php", form={"log": "one"}, safe=True)
        two.request("POST", "/wp-login.php", form={"log": "two"}, safe=True)
        assert "set-cookie" not in answer.headers
        assert one.cookie_names() == {"session", "admin"}
        for client in (one, two, origin):
            client.request("GET", "/wp-admin/", safe=True)
        one.request("GET", "/", safe=True)
    one.request("GET", "/wp-admin/", safe=True)
    assert one.cookie_names() == frozenset()
    assert [cookies_of(asked) for asked in stub.asked] == [
        set(),
        set(),
        {"session=one", "admin=one"},
        {"session=two", "admin=two"},
        set(),
        {"session=one"},
        set(),
    ]
    assert stub.connections == 1


def test_a_session_forgets_when_its_block_fails(origin: Origin, stub: Stub) -> None:
    stub.replies(Reply(200, b"", [("Set-Cookie", "session=1")]))
    with pytest.raises(RuntimeError), origin.session() as session:
        session.request("GET", "/", safe=True)
        raise RuntimeError
    assert session.cookie_names() == frozenset()


# --- one place ----------------------------------------------------------------------------------------------------------


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_one_module_alone_speaks_http() -> None:
    foreign = {"httpx", "httpcore", "requests", "urllib3", "aiohttp"}
    sources = [path for folder in ("providers", "operations") for path in (ROOT / folder).rglob("*.py")]
    users = {str(path.relative_to(ROOT)) for path in sources if imports_of(path) & foreign}
    assert "providers/core/http.py" in users
    # Vault's client stands on requests, whose errors and sessions its module has to name.
    assert {user for user in users if not user.startswith("providers/core/vault")} == {"providers/core/http.py"}


def test_every_error_of_a_call_is_one_of_ours(make_http: Callable[..., Http], authority: Authority) -> None:
    def broken(*args: Any) -> Any:
        raise AddressRefused("no", where="shop.example")

    with pytest.raises(ConnectionsError):
        make_http(resolver=broken).origin("https://localhost").request("GET", "/", safe=True)
