"""Whatever stands in a file: `load` reads it or says what is wrong, and never fails in another way."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.declarations.files import SETTINGS, STORE, problems
from tests.declarations.test_paper import PAPER

WORDS = sorted(
    {word.strip(" {}[],'\"") for text in (STORE, SETTINGS, PAPER) for word in text.replace(":", ": ").split()}
    | {
        "*x",
        "&x",
        "!!str",
        "<<",
        "~",
        "null",
        "{",
        "}",
        "[",
        "]",
        ",",
        "? ",
        "- ",
        ":",
        "'",
        '"',
        "|",
        ">",
        "#",
        " #x",
        "\t",
    }
)
PIECES = st.lists(st.sampled_from(["\n", "\n  ", "\n    ", ": ", " ", *WORDS]), max_size=30).map("".join)
VALUES = st.recursive(
    st.sampled_from([*WORDS[:40], "true", "5s", "2026-12-24", "vault", "woocommerce", "orders"]).map(
        lambda word: f'"{word.replace(chr(92), "").replace(chr(34), "").replace(chr(9), "")}"'
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda entries: f"[{', '.join(entries)}]")
        | st.dictionaries(
            st.sampled_from(["a", "vault", "to", "set", "until", "mail", "private", "links", "rights"]),
            inner,
            max_size=3,
        ).map(lambda entries: "{" + ", ".join(f"{word}: {value}" for word, value in entries.items()) + "}")
    ),
    max_leaves=8,
)

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("properties")


def _told(found: list[str]) -> None:
    assert all(line.startswith("stacks/") and len(line) < 600 and line.isprintable() for line in found)


@QUICK
@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes, top: Path) -> None:
    found = problems(top, {"production/fresh-roast.yaml": data})
    assert found
    _told(found)


@QUICK
@given(name=st.sampled_from(["production/fresh-roast.yaml", "production/_stack.yaml"]), text=PIECES)
def test_pieces_of_yaml(name: str, text: str, top: Path) -> None:
    _told(problems(top, {name: text}))


@QUICK
@given(data=st.data())
def test_any_value_at_any_word(data: st.DataObject, top: Path) -> None:
    name, text = data.draw(
        st.sampled_from(
            [
                (
                    "production/fresh-roast.yaml",
                    (Path(__file__).parent / "cases/store/right-every-word.yaml").read_text(),
                ),
                ("production/_stack.yaml", (Path(__file__).parent / "cases/stack/right-every-word.yaml").read_text()),
                ("production/fresh-roast.yaml", PAPER),
            ]
        )
    )
    lines = text.splitlines()
    index = data.draw(st.sampled_from([number for number, line in enumerate(lines) if ": " in line]))
    lines[index] = f"{lines[index].partition(': ')[0]}: {data.draw(VALUES)}"
    _told(problems(top, {name: "\n".join(lines) + "\n"}))


@QUICK
@given(data=st.data())
def test_any_cut(data: st.DataObject, top: Path) -> None:
    text = (Path(__file__).parent / "cases/store/right-every-word.yaml").read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    _told(problems(top, {"production/fresh-roast.yaml": text[:start] + text[end:]}))
