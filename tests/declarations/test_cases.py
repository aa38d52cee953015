"""Every file under `cases/`: as a store or as `_stack.yaml`, with the exact lines that `load` says about it."""

from pathlib import Path

import pytest

from tests.declarations.files import lines

CASES = Path(__file__).parent / "cases"
FILES = [(kind, file) for kind in ("stack", "store") for file in sorted((CASES / kind).glob("*.yaml"))]


@pytest.mark.parametrize(("kind", "file"), FILES, ids=[f"{kind}-{file.stem}" for kind, file in FILES])
def test_case(kind: str, file: Path, tmp_path: Path) -> None:
    assert lines(tmp_path, kind, file) == file.with_suffix(".errors").read_text("utf-8").splitlines()


def test_every_case_says_what_it_expects() -> None:
    assert {file for _, file in FILES} == {file.with_suffix(".yaml") for file in CASES.glob("*/*.errors")}
    silent = {file.stem for _, file in FILES if not file.with_suffix(".errors").read_text("utf-8")}
    assert silent == {file.stem for _, file in FILES if file.stem.startswith("right")} | {"connections-empty"}
