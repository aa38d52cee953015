"""HTML pages as trees: the only module that parses them.

Elements are found by ids, classes and names, never by words: what people read on a page is in the language of its site.
"""

from typing import Any

import lxml.etree
import lxml.html

from providers.core.errors import Unexpected


def tree(text: str) -> Any:
    """The page, for `xpath`; `Unexpected`, without a word of it, where it is none."""
    try:
        return lxml.html.document_fromstring(text)
    except (lxml.etree.LxmlError, ValueError):
        raise Unexpected("the answer is no HTML page") from None


def with_class(name: str) -> str:
    """The XPath condition for one class among others."""
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


def whole(text: str) -> bool:
    """Whether a page came to its end: half a list looks like a shorter one."""
    return "</html" in text[-2000:].lower()


def fields(form: Any) -> tuple[tuple[str, str], ...]:
    """What a browser would send for a form of a tree, nothing changed in it: names and values in their order."""
    for empty in form.xpath('.//input[not(@value)][not(@type="checkbox" or @type="radio")]'):
        # lxml leaves them out.
        empty.set("value", "")
    return tuple((str(name), str(value)) for name, value in form.form_values())
