"""Documents on a real server: versions, check-and-set, what "absent" and "destroyed" are told by, the sentinel."""

from collections.abc import Callable

import pytest
import requests
import urllib3.util
from hypothesis import given
from hypothesis import strategies as st

from providers.core.contract import Document, Documents
from providers.core.errors import Refused, VaultConflict, VaultDenied, VaultWrongPlace
from providers.core.redaction import Secret
from providers.core.vault import Login, Vault, VaultSettings
from providers.core.vault.paths import checked, joined
from sandbox.vault import MAX_VERSIONS, Prepared, client
from tests.fixtures_vault import VaultAs

JOURNAL = "fresh-roast/pimworks/journal"
GENERATION = "fresh-roast/pimworks/generations/1"


@pytest.fixture
def documents(prepared: Prepared, vault_as: VaultAs) -> Documents:
    return vault_as("apply").documents(prepared.mounts.mount, prepared.base)


def test_a_document_is_written_against_its_version(documents: Documents) -> None:
    assert documents.read(JOURNAL) == Document("absent", 0)
    assert documents.write(JOURNAL, {"phase": "open", "next": 1}, cas=0) == 1
    assert documents.write(JOURNAL, {"phase": "closing", "ü": ["x"]}, cas=1) == 2
    assert documents.read(JOURNAL) == Document("present", 2, {"phase": "closing", "ü": ["x"]})
    assert documents.read(JOURNAL, version=1) == Document("present", 1, {"phase": "open", "next": 1})


@pytest.mark.parametrize("cas", [0, 1, 3])
def test_another_version_is_a_conflict(documents: Documents, cas: int) -> None:
    documents.write(JOURNAL, {"a": "1"}, cas=0)
    documents.write(JOURNAL, {"a": "2"}, cas=1)
    with pytest.raises(VaultConflict):
        documents.write(JOURNAL, {"a": "3"}, cas=cas)
    assert documents.read(JOURNAL).data == {"a": "2"}


# --- absent and destroyed ---


def test_destroyed_data_keeps_its_version_number(documents: Documents) -> None:
    documents.write(GENERATION, {"key": "one"}, cas=0)
    documents.destroy(GENERATION, [1])
    documents.destroy(GENERATION, range(1, 2))
    assert documents.read(GENERATION) == Document("destroyed", 1)
    with pytest.raises(VaultConflict):
        documents.write(GENERATION, {"key": "late"}, cas=0)
    assert documents.write(GENERATION, {"state": "revoked"}, cas=1) == 2


def test_a_soft_delete_by_hand_is_told_from_absence(prepared: Prepared, documents: Documents) -> None:
    documents.write(JOURNAL, {"a": "1"}, cas=0)
    documents.write(JOURNAL, {"a": "2"}, cas=1)
    with client(prepared.access) as http:
        http.delete(f"/{prepared.mounts.mount}/data/{prepared.base}/{JOURNAL}").raise_for_status()
    assert documents.read(JOURNAL) == Document("destroyed", 2)
    assert documents.read(JOURNAL, version=1) == Document("present", 1, {"a": "1"})
    assert documents.write(JOURNAL, {"a": "3"}, cas=2) == 3


def test_metadata_without_data_is_absent(prepared: Prepared, documents: Documents) -> None:
    with client(prepared.access) as http:
        body = {"custom_metadata": {"note": "made first"}}
        http.post(f"/{prepared.mounts.mount}/metadata/{prepared.base}/{JOURNAL}", json=body).raise_for_status()
    assert documents.read(JOURNAL) == Document("absent", 0)
    assert documents.write(JOURNAL, {"a": "1"}, cas=0) == 1


def test_a_version_pushed_out_by_many_edits_was_there(documents: Documents) -> None:
    for number in range(MAX_VERSIONS + 2):
        documents.write(GENERATION, {"edit": str(number)}, cas=number)
    assert documents.read(GENERATION, version=1) == Document("destroyed", 1)
    assert documents.read(GENERATION, version=MAX_VERSIONS + 3) == Document("absent", 0)


def test_destroying_nothing_asks_nothing(documents: Documents) -> None:
    documents.destroy(GENERATION, ())
    documents.destroy(GENERATION, [1])


# --- lists ---


def test_names_below_a_path(documents: Documents) -> None:
    assert documents.list("fresh-roast") == ()
    documents.write(JOURNAL, {"a": "1"}, cas=0)
    documents.write(GENERATION, {"a": "1"}, cas=0)
    documents.write("_slots/0a1b", {"a": "1"}, cas=0)
    assert set(documents.list("")) == {"_sentinel", "_slots/", "fresh-roast/"}
    assert documents.list("fresh-roast") == ("pimworks/",)
    assert set(documents.list("fresh-roast/pimworks")) == {"generations/", "journal"}


# --- the sentinel ---


def without_sentinel(prepared: Prepared) -> None:
    with client(prepared.access) as http:
        http.delete(f"/{prepared.mounts.mount}/metadata/{prepared.base}/_sentinel").raise_for_status()


def test_without_the_sentinel_nothing_is_absent(prepared: Prepared, documents: Documents) -> None:
    without_sentinel(prepared)
    with pytest.raises(VaultWrongPlace, match="_sentinel is|sentinel of shops/"):
        documents.read(JOURNAL)
    with pytest.raises(VaultWrongPlace):
        documents.list("")
    documents.write(JOURNAL, {"a": "1"}, cas=0)
    assert documents.read(JOURNAL).state == "present"


def test_a_sentinel_of_another_stack_does_not_vouch(prepared: Prepared, vault_as: VaultAs) -> None:
    without_sentinel(prepared)
    with client(prepared.access) as http:
        body = {"options": {"cas": 0}, "data": {"format": "1", "base": "shops/another"}}
        http.post(f"/{prepared.mounts.mount}/data/{prepared.base}/_sentinel", json=body).raise_for_status()
    with pytest.raises(VaultWrongPlace):
        vault_as("apply").documents(prepared.mounts.mount, prepared.base).read(JOURNAL)


def test_the_sentinel_vouches_for_a_short_time_only(prepared: Prepared, vault_as: VaultAs) -> None:
    now = [0.0]
    documents = vault_as("apply", clock=lambda: now[0]).documents(prepared.mounts.mount, prepared.base)
    assert documents.read(JOURNAL).state == "absent"
    without_sentinel(prepared)
    now[0] = 29.0
    assert documents.read(JOURNAL).state == "absent"
    now[0] = 31.0
    with pytest.raises(VaultWrongPlace):
        documents.read(JOURNAL)


def test_only_setting_up_makes_the_sentinel(prepared: Prepared, vault_as: VaultAs) -> None:
    without_sentinel(prepared)
    mount, base = prepared.mounts.mount, prepared.base
    with pytest.raises(VaultDenied):
        vault_as("apply").documents(mount, base).write_sentinel()
    for _ in range(2):
        vault_as("admin").documents(mount, base).write_sentinel()
    assert vault_as("apply").documents(mount, base).read(JOURNAL).state == "absent"


@pytest.mark.parametrize("base", ["shops/other", "elsewhere/test"])
def test_a_stack_of_others_is_denied(prepared: Prepared, vault_as: VaultAs, base: str) -> None:
    documents = vault_as("apply").documents(prepared.mounts.mount, base)
    for attempt in (lambda: documents.read(JOURNAL), lambda: documents.list("")):
        with pytest.raises(VaultDenied):
            attempt()


@pytest.mark.parametrize("mount", ["no-such-mount", "transit"])
def test_a_mount_of_another_kind_is_no_empty_one(prepared: Prepared, mount: str) -> None:
    login = Login("token", Secret(prepared.access.root_token))
    vault = Vault(VaultSettings(prepared.access.address, login, prepared.access.namespace, prepared.access.ca))
    documents = vault.documents(prepared.mounts.transit if mount == "transit" else mount, prepared.base)
    attempts: list[Callable[[], object]] = [
        lambda: documents.read(JOURNAL),
        lambda: documents.list(""),
        lambda: documents.write(JOURNAL, {}, cas=0),
        lambda: documents.destroy(JOURNAL, [1]),
    ]
    for attempt in attempts:
        with pytest.raises(VaultWrongPlace):
            attempt()
    vault.close()


# --- paths ---

BAD = [
    "",
    "/",
    "..",
    ".",
    "a/../b",
    "a//b",
    "/a",
    "a/",
    "a/./b",
    "a%2f..%2fb",
    "a\nb",
    "a b",
    "a\x00b",
    "é",
    "-a",
    "a.",
    "a" * 130,
]


@pytest.mark.parametrize("path", BAD)
def test_a_path_that_could_mean_another_is_refused_before_any_call(path: str) -> None:
    settings = VaultSettings("https://127.0.0.1:1", Login("token", Secret("unused")))
    vault = Vault(settings)
    documents = vault.documents("kv", "shops/test")
    attempts: list[Callable[[], object]] = [
        lambda: documents.read(path),
        lambda: documents.write(path, {}, cas=0),
        lambda: documents.destroy(path, [1]),
        lambda: vault.documents(path, "shops/test"),
        lambda: vault.documents("kv", path),
        lambda: vault.keyring(path),
        lambda: vault.secret("admins", path),
        lambda: vault.secret(path, "shop.example"),
        lambda: vault.write_secret("admins", path, {}, cas=0),
    ]
    if path:
        attempts += [lambda: documents.list(path), lambda: vault.admin_login("admins", "shop.example", path)]
    for attempt in attempts:
        with pytest.raises(Refused) as caught:
            attempt()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 200


@given(st.text(st.sampled_from("ab./%\\:_-\n\x7f~é"), max_size=12))
def test_a_path_that_passes_is_the_path_vault_sees(path: str) -> None:
    try:
        passed = checked(path)
    except Refused:
        return
    url = requests.Request("GET", f"https://127.0.0.1/v1/kv/data/shops/test/{passed}").prepare().url
    # What urllib3 makes of it is what goes out.
    assert urllib3.util.parse_url(str(url)).path == f"/v1/kv/data/shops/test/{path}"
    assert all(segment not in {"", ".", ".."} for segment in path.split("/"))


def test_hosts_with_ports_and_dots_are_segments() -> None:
    assert joined("localhost:18443", "", "shops/fresh_roast") == "localhost:18443/shops/fresh_roast"
    assert checked("_slots/0a1b") == "_slots/0a1b"
