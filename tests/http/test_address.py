"""How addresses are written, and which of them may be connected to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.core.address import Address, Guard, host_of, normal_host, parse, place_of, resolve
from providers.core.errors import AddressRefused

GOOD = [
    # written, read
    ("https://fresh-roast.example", "https://fresh-roast.example"),
    ("https://Fresh-Roast.EXAMPLE/Shop", "https://fresh-roast.example/Shop"),
    ("https://fresh-roast.example:443", "https://fresh-roast.example"),
    ("https://fresh-roast.example:8443/a/b-c_d.e~f", "https://fresh-roast.example:8443/a/b-c_d.e~f"),
    ("https://münchen.example", "https://xn--mnchen-3ya.example"),
    ("https://fresh-roast。example", "https://fresh-roast.example"),
    ("https://localhost", "https://localhost"),
    ("https://8.8.8.8", "https://8.8.8.8"),
    ("https://[2606:4700:0:0::1111]:444/x", "https://[2606:4700::1111]:444/x"),
    ("https://shop.example/...", "https://shop.example/..."),
]

BAD = [
    ("http://shop.example", "plain http"),
    ("HTTP://shop.example", "plain http"),
    ("", "begins with https"),
    ("shop.example", "begins with https"),
    ("//shop.example", "begins with https"),
    ("ftp://shop.example", "begins with https"),
    ("file:///etc/passwd", "begins with https"),
    ("gopher://shop.example", "begins with https"),
    (" https://shop.example", "begins with https"),
    ("https://shop.example ", "blanks"),
    ("https://shop.example\n", "blanks"),
    ("https://shop.example\r\nhost: x", "blanks"),
    ("https://shop.\texample", "blanks"),
    ("https://shop.example\\@internal.example", "backslashes"),
    ("https://admin:hunter2@shop.example", "'@'"),
    ("https://shop.example@internal.example", "'@'"),
    ("https://shop.example?x", "'?'"),
    ("https://shop.example/#x", "'?' and '#'"),
    ("https://shop.example/", "slash"),
    ("https://shop.example/shop/", "slash"),
    ("https://shop.example/../admin", "'..'"),
    ("https://shop.example/a/.", "'.'"),
    ("https://shop.example//a", "not an address"),
    ("https://shop.example/%2e%2e/a", "not an address"),
    ("https://shop.example/a;b", "not an address"),
    ("https://shop.example:", "not an address"),
    ("https://shop.example:0", "not an address"),
    ("https://shop.example:080", "not an address"),
    ("https://shop.example:65536", "not an address"),
    ("https://shop.example:99999", "not an address"),
    ("https://shop.example:44a", "not an address"),
    ("https://shop.example:-1", "not an address"),
    ("https://", "slash"),
    ("https:///shop", "not an address"),
    ("https://[::1", "not an address"),
    ("https://[]", "not an address"),
    ("https://[fe80::1%25eth0]", "not an address"),
    ("https://%6c%6fcalhost", "not an address"),
    ("https://shop..example", "neither a name nor"),
    ("https://shop.example.", "neither a name nor"),
    ("https://.shop.example", "neither a name nor"),
    ("https://-shop.example", "neither a name nor"),
    ("https://shop_one.example", "neither a name nor"),
    ("https://*.example", "neither a name nor"),
    ("https://" + "a" * 64 + ".example", "neither a name nor"),
    ("https://[12345::]", "neither a name nor"),
    ("https://[1.2.3.4]", "neither a name nor"),
    ("https://127.1", "neither a name nor"),
    ("https://2130706433", "neither a name nor"),
    ("https://0x7f.1", "neither a name nor"),
    ("https://0x7f000001", "neither a name nor"),
    ("https://0x", "neither a name nor"),
    ("https://0177.0.0.1", "neither a name nor"),
    ("https://127.0.0.01", "neither a name nor"),
    ("https://256.1.1.1", "neither a name nor"),
    ("https://1.2.3", "neither a name nor"),
    ("https://shop.example.1", "neither a name nor"),
    ("https://①②⑦.1", "neither a name nor"),
]


@pytest.mark.parametrize(("written", "read"), GOOD, ids=[written for written, _ in GOOD])
def test_an_address_has_one_spelling(written: str, read: str) -> None:
    assert parse(written).url == read
    assert parse(read) == parse(written)


@pytest.mark.parametrize(("written", "words"), BAD, ids=[ascii(written) for written, _ in BAD])
def test_what_is_no_address_is_refused_in_words(written: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words) as caught:
        parse(written)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text() | st.from_regex(r"https://[\x00-\x7f]{1,30}"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except AddressRefused:
        return
    assert parse(address.url) == address
    assert address.url.isascii()


def test_a_full_width_notation_means_the_same_host() -> None:
    assert normal_host("１２７.0.0.1") == "127.0.0.1"


# --- the guard ----------------------------------------------------------------------------------------------------------

PUBLIC = ["8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2606:4700::1111", "2a00::1"]

INTERNAL = [
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "4000::1",
    "fc00::1",
    "fd12:3456::1",
    "::10.0.0.1",
]

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
]

EVERYTHING = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


def guard(*found: str, private: Mapping[str, tuple[str, ...]] | None = None) -> Guard:
    networks = {host: tuple(map(ipaddress.ip_network, texts)) for host, texts in (private or {}).items()}
    return Guard(networks, lambda host, port: found)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert [str(found) for found in guard(address).addresses("shop.example", 443)] == [address]


@pytest.mark.parametrize("address", [*INTERNAL, *NEVER])
def test_internal_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        guard(address).addresses("shop.example", 443)
    assert caught.value.where == "shop.example"
    assert str(ipaddress.ip_address(address)) in caught.value.what
    if address in INTERNAL:
        assert "List shop.example with its network under hosts.private in _stack.yaml" in caught.value.do


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_no_stack_can_allow(address: str) -> None:
    opened = Guard({"shop.example": EVERYTHING}, lambda host, port: [address])
    with pytest.raises(AddressRefused, match="never a store"):
        opened.addresses("shop.example", 443)


@pytest.mark.parametrize("address", [*PUBLIC, *INTERNAL])
def test_a_stack_can_allow_the_others(address: str) -> None:
    opened = Guard({"shop.example": EVERYTHING}, lambda host, port: [address])
    assert len(opened.addresses("shop.example", 443)) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_one_internal_address_among_good_ones_refuses_the_host(order: int) -> None:
    found = ["8.8.8.8", "10.0.0.1"][::order]
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1 is an internal address"):
        guard(*found).addresses("shop.example", 443)


def test_a_host_written_as_an_address_is_checked_without_a_look_up() -> None:
    assert guard("10.0.0.1").addresses("8.8.8.8", 443) == [ipaddress.ip_address("8.8.8.8")]
    with pytest.raises(AddressRefused):
        guard("8.8.8.8").addresses("127.0.0.1", 443)
    with pytest.raises(AddressRefused):
        guard("8.8.8.8").addresses("::1", 443)


def test_an_allowed_host_stays_within_its_networks() -> None:
    private = {"staging.acme.example": ("10.20.0.0/24", "fd12::/64")}
    assert guard("10.20.0.7", "fd12::7", private=private).addresses("staging.acme.example", 443)
    for outside in ("10.21.0.7", "8.8.8.8"):
        with pytest.raises(AddressRefused, match="outside the networks"):
            guard("10.20.0.7", outside, private=private).addresses("staging.acme.example", 443)
    with pytest.raises(AddressRefused, match="internal address"):
        guard("10.20.0.7", private=private).addresses("other.acme.example", 443)


def test_hosts_are_allowed_in_any_spelling() -> None:
    allowing = guard(private={"Staging.Rösterei.EXAMPLE": ("10.0.0.0/8",), "[::1]": ("::1/128",)})
    assert allowing.opted_in("staging.xn--rsterei-90a.example")
    assert allowing.opted_in("::1")
    assert not allowing.opted_in("rösterei.example")


def test_only_the_port_of_https_unless_the_host_is_allowed() -> None:
    allowing = guard(private={"staging.acme.example": ("10.0.0.0/8",)})
    allowing.admit(Address("shop.example", 443, ""))
    allowing.admit(Address("staging.acme.example", 8443, ""))
    with pytest.raises(AddressRefused, match="port 8443 is not allowed") as caught:
        allowing.admit(Address("shop.example", 8443, ""))
    assert "hosts.private" in str(caught.value)


def test_the_system_resolver_gives_every_address_once() -> None:
    found = resolve("localhost", 443)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(found) == len(set(found)) > 0


def test_a_name_that_does_not_exist_is_the_resolvers_error() -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(socket.gaierror):
        Guard({}, nothing).addresses("shop.example", 443)


@pytest.mark.parametrize(
    ("url", "place", "host"),
    [
        ("https://a.example:8443/x", "a.example:8443/x", "a.example"),
        ("https://a.example/", "a.example", "a.example"),
        ("12e4567", "", ""),
    ],
)
def test_the_place_of_an_address(url: str, place: str, host: str) -> None:
    assert (place_of(url), host_of(url)) == (place, host)
