"""Texts that stores give, where they leave for evidence, state and the logs of a CI: harmless, and short."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 100

_COMMAND = re.compile(r":(?=:)|##(?=\[)")
"""With `::` and `##[` the commands begin that CIs find in logs."""


def plain(text: str, longest: int) -> str:
    """The first `longest` characters of `text`; controls, line breaks and invisible characters become `�`.

    They leave a trace, so that a text that was tampered with never equals the declared one.
    """
    return "".join("�" if unicodedata.category(each) in _OBEYED else each for each in text[:longest])


_OBEYED: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def shown(text: str) -> str:
    """`text` as people and machines may see it: plain, without the beginning of any CI's command, 100 characters at most."""
    return _COMMAND.sub(r"\g<0> ", plain(text, LONGEST))[:LONGEST]
