"""Which engine is taken, and that a build leaves a whole one or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import build

ROOT = Path(__file__).resolve().parents[2]


def program(path: Path, prints: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n", encoding="utf-8")
    path.chmod(0o755)


def installed(folder: Path, version: str, *, names: tuple[str, ...] = build.FILES) -> Path:
    for name in names:
        program(folder / name, version)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return tmp_path / "cache" / "store-connections"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0\n", (3, 259, 0)),
        ("v3.260.0-dev.0", (3, 260, 0)),
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go 1.24", (1, 24, 0)),
        ("", None),
        ("unknown", None),
    ],
)
def test_versions(text: str, version: build.Version | None) -> None:
    assert build.version_in(text) == version


def test_versions_compare_as_numbers(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = installed(tmp_path / "bin", "v3.1000.0")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert build.engine(search_path=True) == folder


def test_links_are_followed_to_where_the_helpers_lie(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = installed(tmp_path / "opt", "v3.259.0")
    links = tmp_path / "links"
    links.mkdir()
    (links / "pulumi").symlink_to(folder / "pulumi")
    monkeypatch.setenv("PATH", f"{links}:/usr/bin:/bin")
    assert build.engine(search_path=True) == folder


@pytest.mark.parametrize(
    ("version", "names", "said"),
    [
        ("v3.258.9", build.FILES, "is 3.258.9, 3.259.0 is needed"),
        ("who knows", build.FILES, "is of an unknown version"),
        ("v3.300.0", ("pulumi",), "no Python language host"),
    ],
)
def test_an_engine_that_will_not_do(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: str,
    names: tuple[str, ...],
    said: str,
) -> None:
    folder = installed(tmp_path / "bin", version, names=names)
    own = installed(cache / "engine" / "3.259.0" / "bin", "v3.259.0")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert build.engine(search_path=True) == own
    assert said in capsys.readouterr().err


def test_the_cache_is_asked_before_a_build(cache: Path) -> None:
    own = installed(cache / "engine" / "3.259.0" / "bin", "v3.259.0")
    assert build.engine(search_path=True) == own


def test_an_old_one_of_ours_on_path_is_not_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = installed(cache / "engine" / "3.900.0" / "bin", "v3.900.0")
    own = installed(cache / "engine" / "3.259.0" / "bin", "v3.259.0")
    monkeypatch.setenv("PATH", f"{old}:/usr/bin:/bin")
    assert build.engine(search_path=True) == own


def test_a_build_that_breaks_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cache / "engine" / "3.259.0"
    with pytest.raises(build.BuildError), build.building_into(place) as folder:
        (folder / "bin").mkdir()
        raise build.BuildError("no")
    assert list(cache.rglob("*")) == [cache / "engine"]


def test_what_a_killed_build_left_is_cleared_away(cache: Path) -> None:
    place = cache / "engine" / "3.259.0"
    (cache / "engine" / ".building-killed" / "bin").mkdir(parents=True)
    installed(place / "bin", "v3.259.0", names=("pulumi",))
    with build.building_into(place) as folder:
        installed(folder / "bin", "v3.259.0")
    assert build.complete(place / "bin")
    assert list((cache / "engine").iterdir()) == [place]


def test_of_two_builders_one_builds(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built, begun, waiting = [], threading.Event(), threading.Event()

    def slow(place: Path, version: str) -> None:
        begun.set()
        assert waiting.wait(30)
        installed(place / "bin", version)
        built.append(version)

    def watch(text: str) -> None:
        waiting.set()

    monkeypatch.setattr(build, "build", slow)
    monkeypatch.setattr(build, "say", watch)
    builders = [threading.Thread(target=build.engine, kwargs={"search_path": False}) for _ in range(2)]
    builders[0].start()
    assert begun.wait(30)
    builders[1].start()
    for builder in builders:
        builder.join(30)
    assert built == ["v3.259.0"]


def test_a_go_too_old_is_not_used(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin" / "go", "go version go1.19.8 linux/amd64")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(build, "install_go", lambda: Path("installed"))
    assert build.go_program() == Path("installed")
    program(tmp_path / "bin" / "go", "go version go1.99.0 linux/amd64")
    assert build.go_program() == tmp_path / "bin" / "go"


def test_nothing_of_the_caller_changes_what_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"GOOS": "plan9", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "auto", "CGO_ENABLED": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOMODCACHE", "/kept")
    environment = build.go_environment()
    assert "GOOS" not in environment
    assert environment["GOMODCACHE"] == "/kept"
    assert (environment["GOFLAGS"], environment["GOTOOLCHAIN"], environment["CGO_ENABLED"]) == (
        "-mod=readonly",
        "local",
        "0",
    )


def test_a_command_that_fails_shows_how(tmp_path: Path) -> None:
    script = "import sys; [print('line', n) for n in range(100)]; sys.exit(3)"
    with pytest.raises(build.BuildError, match="(?s)^trying failed\nline 70\n.*line 99$"):
        build.run([sys.executable, "-c", script], what="trying", cwd=tmp_path, env=dict(os.environ))


def test_only_the_folder_is_printed(cache: Path) -> None:
    own = installed(cache / "engine" / "3.259.0" / "bin", "v3.259.0")
    done = subprocess.run(
        [sys.executable, ROOT / "engine" / "build.py", "--own"], check=True, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"{own}\n", "")
