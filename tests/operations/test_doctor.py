"""`connections doctor`: each trouble once, with its cure."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations import doctor
from providers.core.errors import CouldNotLook
from providers.core.toolbox import Toolbox
from tests.operations.bigcommerce_store import Account, open_account
from tests.operations.conftest import ADMIN_PASSWORD, ORDERS, Project

VAULT = ("settings", "health", "login", "sentinel", "marker key", "fingerprint key")


def by_name(document: dict[str, Any], where: str) -> dict[str, dict[str, str]]:
    return {check["check"]: check for check in document["checks"] if check["where"] == where}


def states(found: dict[str, dict[str, str]], state: str) -> list[str]:
    return [name for name, check in found.items() if check["state"] == state]


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An engine that says the version of the SDK; its program."""
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho v{importlib.metadata.version('pulumi')}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states?region=eu")
    return program


def test_all_is_well(connected: tuple[Project, str]) -> None:
    project, _ = connected
    document = project.ask("doctor")
    assert document.keys() == {"checks"}
    assert all(check.keys() == {"where", "check", "state", "words", "cure"} for check in document["checks"])
    vault = by_name(document, "vault")
    assert tuple(vault) == VAULT
    assert states(vault, "ok") == list(VAULT)
    assert "role apply" in vault["login"]["words"]
    assert "it ends in" in vault["login"]["words"]
    engine = by_name(document, "engine")
    assert (engine["version"]["state"], engine["backend"]["words"]) == ("ok", "state lies at s3://states")
    store = by_name(document, "fresh-roast")
    assert {"address", "permalinks", "version", "clock", "login", "role", "database upgrade"} <= store.keys()
    assert states(store, "failed") == []
    shown = project("doctor", "fresh-roast")
    assert shown.code == 0
    assert "0 failed" in shown.out


@pytest.mark.parametrize(
    ("settings", "failed"),
    [
        ({"permalinks": "plain"}, "permalinks"),
        ({"home": "https://other.example/{name}"}, "home address"),
        ({"clock_offset": 3600.0}, "clock"),
        ({"database_upgrade_pending": True}, "database upgrade"),
        ({"two_factor": True}, "login"),
    ],
)
def test_a_stores_trouble_is_named_with_its_cure(
    connected: tuple[Project, str], settings: dict[str, Any], failed: str
) -> None:
    project, there = connected
    filled = {name: value.format(name=there) if isinstance(value, str) else value for name, value in settings.items()}
    project.control.change_settings(there, **filled)
    store = by_name(project.ask("doctor", code=1), "fresh-roast")
    assert states(store, "failed") == [failed]
    assert store[failed]["cure"]


def test_a_login_that_is_missing_or_wrong(project: Project) -> None:
    there = project.store("fresh-roast")
    project.declare("fresh-roast", there, ORDERS)
    nowhere = project.control.create_store(f"{there}-b", "11.0.1", ADMIN_PASSWORD, foreign_keys=[])
    (project.folder / "acme-parts.yaml").write_text(
        f"platform: woocommerce\nurl: {nowhere}\nteam: retail\nconnections: {{}}\n"
    )
    project.control.change_settings(there, captcha=True)
    document = project.ask("doctor", code=1)
    for store in ("fresh-roast", "acme-parts"):
        found = by_name(document, store)
        assert states(found, "failed") == ["login"]
        assert found["login"]["cure"]
    assert project.ask("doctor", "acme-parts", code=1)["checks"][-1]["where"] == "acme-parts"
    assert project("doctor", "acme-part").code == 1


@pytest.mark.parametrize(
    ("environment", "failed"),
    [
        ({}, "settings"),
        ({"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_TOKEN": "none"}, "health"),
        ({"VAULT_SECRET_ID": "00000000-0000-0000-0000-000000000000"}, "login"),
    ],
)
def test_vaults_trouble_is_named_once(
    connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], failed: str
) -> None:
    project, _ = connected
    whole = {**project.environment(), **environment} if "VAULT_SECRET_ID" in environment else environment
    monkeypatch.setattr(Project, "environment", lambda _: whole)
    document = project.ask("doctor", code=1)
    vault = by_name(document, "vault")
    assert (states(vault, "failed"), list(vault)[-1]) == ([failed], failed)
    assert by_name(document, "fresh-roast") == {
        "store": {
            "where": "fresh-roast",
            "check": "store",
            "state": "unknown",
            "words": "not looked: see vault",
            "cure": "",
        }
    }


def test_a_place_that_is_not_the_stacks(connected: tuple[Project, str]) -> None:
    project, _ = connected
    settings = project.folder / "_stack.yaml"
    text = settings.read_text()
    settings.write_text(text.replace(f"transit: {project.prepared.mounts.transit}", "transit: elsewhere"))
    assert states(by_name(project.ask("doctor", code=1), "vault"), "failed") == ["marker key"]
    settings.write_text(text.replace(f"mount: {project.prepared.mounts.mount},", "mount: elsewhere,"))
    assert states(by_name(project.ask("doctor", code=1), "vault"), "failed") == ["sentinel"]


def test_a_sealed_vault(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = connected

    class Sealed:
        usable, words = False, "vault.example: Vault is sealed"

    def sealed(session: Any) -> Any:
        monkeypatch.setattr(session.toolbox.vault, "health", Sealed)
        return real(session)

    real = doctor._health
    monkeypatch.setattr(doctor, "_health", sealed)
    vault = by_name(project.ask("doctor", code=1), "vault")
    assert (states(vault, "failed"), vault["health"]["words"]) == (["health"], Sealed.words)


def test_a_token_of_nobody(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = connected
    whole = {
        name: value
        for name, value in project.environment().items()
        if name not in {"VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_APPROLE_MOUNT"}
    }
    token = project.prepared.access.root_token
    project.secrets.add(token)
    monkeypatch.setattr(Project, "environment", lambda _: whole | {"VAULT_TOKEN": token})
    words = by_name(project.ask("doctor"), "vault")["login"]["words"]
    assert "none of" in words
    assert "never ends" in words


@pytest.mark.parametrize(
    ("script", "words"),
    [("exit 1", "says nothing"), ("echo v2.1.0", "the engine is 2.1.0"), (None, "says nothing")],
)
def test_the_engine(
    connected: tuple[Project, str], engine: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, words: str
) -> None:
    project, _ = connected
    if script is None:
        engine.unlink()
        monkeypatch.setenv("PATH", str(engine.parent))
    else:
        engine.write_text(f"#!/bin/sh\n{script}\n")
    found = by_name(project.ask("doctor", code=1), "engine")["version"]
    assert (found["state"], words in found["words"]) == ("failed", True)
    assert found["cure"]


@pytest.mark.parametrize(
    ("backend", "state", "words"),
    [("", "unknown", "PULUMI_BACKEND_URL is not set"), ("file:///tmp/x", "ok", "on this machine")],
)
def test_the_backend(
    connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch, backend: str, state: str, words: str
) -> None:
    project, _ = connected
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend)
    found = by_name(project.ask("doctor"), "engine")["backend"]
    assert (found["state"], words in found["words"]) == (state, True)


def test_a_platform_without_a_diagnosis(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = connected
    monkeypatch.setattr(doctor, "DIAGNOSIS", "providers.{}.nothing")
    store = by_name(project.ask("doctor"), "fresh-roast")
    assert store["store"]["words"] == "the platform woocommerce has no diagnosis"


def test_an_issuer_that_cannot_be_made(connected: tuple[Project, str], monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = connected
    settings = project.folder / "_stack.yaml"
    settings.write_text(settings.read_text().replace('[127.0.0.0/8, "::1/128"]', "[10.0.0.0/8]"))
    store = by_name(project.ask("doctor", code=1), "fresh-roast")
    assert states(store, "failed")

    def refuse(_toolbox: Toolbox, _inputs: Mapping[str, Any]) -> Any:
        raise CouldNotLook("busy", do="Try later")

    monkeypatch.setattr(Toolbox, "issuer", refuse)
    assert by_name(project.ask("doctor"), "fresh-roast")["store"]["state"] == "unknown"


# --- hand-overs ---


@pytest.fixture
def account(project: Project, tmp_path: Path) -> Account:
    return open_account(project, tmp_path)


def of_hand_overs(account: Account, code: int = 0) -> dict[str, tuple[str, str]]:
    document = account.project.ask("doctor", code=code)
    return {
        entry["check"]: (entry["state"], entry["words"])
        for entry in document["checks"]
        if entry["where"] == "hand-over"
    }


def test_what_hand_overs_take(account: Account) -> None:
    mails = len(account.office.mails.mails())
    port = account.project.control.mail.server().starttls_port
    found = {
        "wrapping": ("ok", "Vault puts values behind a single-use token, and voids it"),
        "mail server": ("ok", f"localhost:{port} takes the login in Vault"),
    }
    assert of_hand_overs(account) == found
    assert len(account.office.mails.mails()) == mails
    account.project.role = "preview"
    account.project.ask("doctor", code=1)


def test_a_login_that_hands_nothing_over(account: Account) -> None:
    account.project.role = "verify"
    assert {name: state for name, (state, _) in of_hand_overs(account).items()} == {
        "wrapping": "unknown",
        "mail server": "ok",
    }
    account.project.role = "operator"
    account.project.ask("doctor", code=1)


def test_a_mail_server_that_takes_no_login(account: Account) -> None:
    account.project.control.mail.delete_account("connections")
    state, words = of_hand_overs(account, code=1)["mail server"]
    assert (state, "refuses" in words) == ("failed", True)


def test_a_mail_server_that_is_not_there(account: Account) -> None:
    file = account.project.folder / "_stack.yaml"
    text = file.read_text("utf-8")
    file.write_text(re.sub(r"port: \d+", "port: 1", text), "utf-8")
    state, words = of_hand_overs(account)["mail server"]
    assert (state, "cannot be reached" in words) == ("unknown", True)
    file.write_text(re.sub(r"hubs: \{mail:.*\n", "", text), "utf-8")
    state, words = of_hand_overs(account)["mail server"]
    assert (state, "shown on a terminal" in words) == ("unknown", True)


def test_where_nothing_is_handed_over_nothing_is_asked(account: Account) -> None:
    account.declare(links="reader: {to: vault}")
    assert of_hand_overs(account) == {}
