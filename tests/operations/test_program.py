"""The outer shell: global words, exit codes, one line for an error, nothing of a secret, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from operations import program
from operations.application import FROM_VARIABLE, given_path
from operations.program import Globals, real_toolbox, taken
from operations.results import GRAVITY, worst
from providers.core.errors import Refused
from providers.core.redaction import Secret
from providers.core.toolbox import Toolbox
from tests.operations.conftest import call

ROOT = Path(__file__).resolve().parents[2]

STORE = """\
platform: woocommerce
url: https://fresh-roast.example
team: retail
connections:
  orders:
    purpose: orders into the hub
    rights: read
    user: reader
    links: {hub: {to: vault}}
"""
STACK = """\
format: 1
vault: {mount: kv}
teams: {retail: {mail: retail@agency.example}}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that needs no server, in the present folder."""
    for name, text in {
        "Pulumi.yaml": "name: shops\nruntime: python\n",
        "stacks/production/_stack.yaml": STACK,
        "stacks/production/fresh-roast.yaml": STORE,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "words", "left"),
    [
        ([], Globals(), []),
        (["status", "--json"], Globals(as_json=True), ["status"]),
        (["--stack", "a", "status", "-q"], Globals("a", quiet=True), ["status"]),
        (["show", "--stack=b", "x/y", "--quiet"], Globals("b", quiet=True), ["show", "x/y"]),
        (["capture", "--", "--json"], Globals(), ["capture", "--", "--json"]),
    ],
)
def test_global_words_stand_anywhere(arguments: list[str], words: Globals, left: list[str]) -> None:
    assert taken(arguments) == (words, left)


def test_the_gravest_code_of_several() -> None:
    assert [worst(GRAVITY[position:]) for position in range(len(GRAVITY))] == [1, 5, 2, 3, 4, 0]
    assert worst([]) == 0


def test_help_is_no_error(files: Path) -> None:
    assert call().code == 0
    assert "forget-link" in call("--help").out
    assert "--compromised" in call("rotate", "--help").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nope",), "No such command 'nope'"),
        (("status", "--nope"), "No such option"),
        (("show",), "Missing argument"),
        (("rotate", "--due", "--at-most", "many"), "--at-most"),
        (("--stack",), "--stack needs a name"),
        (("--stack=", "status"), "--stack needs a name"),
    ],
)
def test_usage_errors_are_errors_and_not_drift(files: Path, arguments: tuple[str, ...], says: str) -> None:
    called = call(*arguments)
    assert called.code == 1
    assert says in called.err
    assert called.out == ""
    assert len(called.err.splitlines()) == 1


def test_a_secret_typed_as_an_argument_is_not_repeated(files: Path) -> None:
    secret = f"ck_{'0123456789' * 4}"
    called = call("capture", "fresh-roast/orders", secret, "--json")
    assert called.code == 1
    assert secret not in called.out + called.err
    assert called.json["error"] in called.err


def test_errors_are_one_line_and_one_document(files: Path) -> None:
    called = call("show", "fresh-roast/order", "--json")
    assert called.code == 1
    assert called.json == {
        "error": "no connection is called 'fresh-roast/order'; nearest: fresh-roast/orders",
        "exit_code": 1,
    }
    assert called.err == called.json["error"] + "\n"


def test_problems_in_files_are_each_a_line(files: Path) -> None:
    (files / "stacks/production/fresh-roast.yaml").write_text(STORE.replace("read\n", "raed\n").replace("user", "usr"))
    called = call("status")
    assert called.code == 1
    assert [line.partition(": ")[0] for line in called.err.splitlines()] == [
        "stacks/production/fresh-roast.yaml:5:3",
        "stacks/production/fresh-roast.yaml:7:13",
        "stacks/production/fresh-roast.yaml:8:5",
    ]
    assert call("status", "--json").json["exit_code"] == 1


def test_an_unexpected_error_prints_nothing_that_it_holds(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("canary-of-an-unexpected-error")

    def burst() -> Toolbox:
        raise RuntimeError(f"it holds {secret.reveal()}")

    called = call("status", make_toolbox=burst)
    assert called.code == 1
    assert called.err == "internal error: RuntimeError in burst, line " + called.err.rpartition(" ")[2]

    def interrupted() -> Toolbox:
        raise KeyboardInterrupt

    called = call("status", "--json", make_toolbox=interrupted)
    assert (called.code, called.json["exit_code"]) == (130, 130)
    assert called.err.startswith("interrupted")

    def refused() -> Toolbox:
        raise Refused(f"no: {secret.reveal()}", do="Stop")

    called = call("show", "fresh-roast/orders", make_toolbox=refused)
    assert (called.code, called.err) == (5, "")
    assert "The journal was not seen: no: ***. Stop" in called.out
    assert secret.reveal() not in called.out + called.err


def test_the_stack_is_named_or_the_only_one(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("check", "--json").json["stack"] == "production"
    for folder in ("schema", "rights", ".hidden"):
        (files / "stacks" / folder).mkdir()
    assert call("check", "--json").json["stack"] == "production"
    (files / "stacks" / "staging").mkdir()
    called = call("check")
    assert called.code == 1
    assert "Name one with --stack: production, staging" in called.err
    assert call("check", "--stack", "production").code == 0
    monkeypatch.setenv("CONNECTIONS_STACK", "staging")
    assert "staging/_stack.yaml" in call("check").out
    assert call("check", "--stack", "production").code == 0


def test_without_stacks_or_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "connections init" in call("check").err
    (tmp_path / "stacks" / "production").mkdir(parents=True)
    assert "Pulumi.yaml" in call("check").err
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    assert "Pulumi.yaml" in call("check").err


def test_paths_are_the_callers() -> None:
    assert given_path("a.txt", {}) == Path("a.txt")
    assert given_path("a.txt", {FROM_VARIABLE: "/elsewhere"}) == Path("/elsewhere/a.txt")
    assert given_path("/b.txt", {FROM_VARIABLE: "/elsewhere"}) == Path("/b.txt")


def test_the_real_toolbox_is_the_environments(files: Path) -> None:
    assert isinstance(real_toolbox(), Toolbox)
    called = call("status")
    assert called.code == 3
    assert "VAULT_ADDR is not set" in called.out


def test_as_a_program(files: Path) -> None:
    """The real entry point: hardened, without a traceback, with its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SSLKEYLOGFILE": str(files / "keys.log")}
    done = subprocess.run(
        [sys.executable, "-m", "operations", "check", "--json"],
        cwd=files,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"connections": 1' in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "operations", "status"],
        cwd=files,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_a_reader_that_goes_away(files: Path, option: str) -> None:
    """As `connections schema | head` does: no traceback, no words."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "operations", "schema", option],
        cwd=files,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_script_works_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ROOT / "script/connections"), "check", "--stack", "sandbox", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"stack": "sandbox"' in done.stdout


def test_programs_own_default(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    assert program.run(["check", "--quiet"]) == 0
