"""Pages as trees: what is no page is said, and a form is read as a browser would send it."""

import pytest

from providers.core.errors import Unexpected
from providers.core.html import fields, tree, whole, with_class


@pytest.mark.parametrize("text", ["", " ", "<?xml version='1.0' encoding='utf-8'?><a/>", "<!-- -->"])
def test_what_is_no_page_is_unexpected(text: str) -> None:
    with pytest.raises(Unexpected, match="no HTML"):
        tree(text)


def test_a_class_is_found_among_others() -> None:
    page = tree('<p class="a big b">1</p><p class="bigger">2</p>')
    assert page.xpath(f"string(//p[{with_class('big')}])") == "1"
    assert len(page.xpath(f"//p[{with_class('big')}]")) == 1


@pytest.mark.parametrize(("text", "end"), [("<html></html>\n", True), ("<html></HTML>", True), ("<html>", False)])
def test_a_page_comes_to_its_end(text: str, end: bool) -> None:
    assert whole(text) is end


def test_a_form_is_read_as_a_browser_sends_it() -> None:
    page = tree(
        '<form><input name="a" value="1"><input name="off" value="2" disabled><input name="b"><input type="checkbox"'
        ' name="c" value="yes" checked><input type="checkbox" name="d" value="no"><textarea name="e">x</textarea>'
        '<select name="f"><option value="1">1</option><option value="2" selected>2</option></select>'
        '<input type="submit" name="g" value="Save"></form>'
    )
    sent = fields(page.xpath("//form")[0])
    assert dict(sent) == {"a": "1", "b": "", "c": "yes", "e": "x", "f": "2"}
