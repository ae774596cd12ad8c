"""One printer of tables: aligned text, and HTML that says the same."""

import html
import re

from seglab.machine.tables import Table

TABLE = Table(
    ("class", "IoU %", "where"),
    [[("sky", "9.5", "above"), ("bird & bee", "10.0", "")], [("mean", "9.75", "all")]],
    note="nobody has seen: <lost>, unseen",
)
TEXT = """\
class       IoU %  where
sky           9.5  above
bird & bee   10.0
------------------------
mean         9.75    all
nobody has seen: <lost>,
unseen"""


def test_the_text_is_aligned_and_the_note_no_wider():
    assert str(TABLE) == repr(TABLE) == TEXT


def test_other_columns_can_be_aligned_at_the_left():
    table = Table(("a", "b"), [[("1", "2"), ("x", "long")]], left=(0, 1))
    assert str(table) == "a  b\n1  2\nx  long"
    assert str(Table(("a", "b"), [[("1", "2"), ("x", "long")]])).splitlines()[1] == "1     2"


def test_html_says_the_same():
    page = TABLE._repr_html_()
    cells = [
        [html.unescape(cell) for cell in re.findall("<t[hd] [^>]*>(.*?)</t[hd]>", row)]
        for row in page.split("</tr>")[:-1]
    ]
    assert cells == [list(TABLE.head), *(list(row) for group in TABLE.groups for row in group)]
    assert page.count("<tbody") == 2 and page.count('<tbody style="border-top') == 1
    assert "&lt;lost&gt;, unseen</caption>" in page
    sides = re.findall("<td style=.text-align: (left|right)", page)
    assert sides == ["left", "right", "right"] * 3


def test_without_a_note_there_is_no_caption():
    assert "caption" not in Table(("a",), [[("1",)]])._repr_html_()
