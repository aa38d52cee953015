"""A shell that runs what a page says, and the projects of other suites."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.conftest import bench, make_workbench, stores
from tests.operations.conftest import connected, project, shops

__all__ = ["Shell", "bench", "connected", "make_workbench", "project", "shops", "stores"]

BETWEEN = "@@ends-with@@"


class Shell:
    """One shell for all blocks of a session, as a reader's terminal is: what one block sets, the next one sees."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.transcript: list[str] = []
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, text: str) -> str:
        """Run commands one after another until one fails; what they said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # No command may read what comes next as its input.
        body = f"_block() {{ set -e\n{text}\n}}\n"
        keep = "_block </dev/null\n" if "<" not in text else "_block\n"
        self._process.stdin.write(f"{body}{keep}printf '\\n%s %s\\n' {BETWEEN} $?\n")
        self._process.stdin.flush()
        said: list[str] = []
        line = ""
        for line in self._process.stdout:
            if line.startswith(BETWEEN):
                break
            said.append(line)
        output = "".join(said)
        self.transcript.append(output)
        assert line.strip() == f"{BETWEEN} 0", f"{text}\nsaid:\n{output}"
        return output

    def close(self) -> None:
        """End the shell."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


def environment_of(home: Path, **words: str) -> dict[str, str]:
    """What a fresh terminal has, and these."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "COLUMNS": "240", "PULUMI_SKIP_UPDATE_CHECK": "true", **words}
