"""The words of WooCommerce's REST API, where they leave for evidence, state and the logs of a CI."""

import re
from typing import Final

UNKNOWN_CODE: Final = "(unknown code)"
_CODE = re.compile(r"[a-z0-9_]{1,64}")


def code(text: str) -> str:
    """The `code` of an error of the REST API; `(unknown code)` for what WordPress and WooCommerce would never give."""
    return text if _CODE.fullmatch(text) else UNKNOWN_CODE
