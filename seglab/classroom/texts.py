"""What a reader reads in Markdown and in Python, and how it is replaced by a translation.

Of Markdown that is each heading, paragraph, item and table cell, cut as Sphinx cuts them for the
book site. Of code it is each comment and docstring, and the strings of `strings_for_readers`.
"""

import ast
import inspect
import io
import itertools
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterator

# A block of Markdown: code between fences or indented, a line of a table, one of HTML, or words.
BLOCK = re.compile(
    r"^(?P<fence> *```+)(?P<kind>\w*)\n(?P<code>(?s:.*?))\n(?P=fence)$"
    r"|(?<=\n\n)(?P<indented>(?: {4}.*\n?)+)"
    r"|^(?P<row>\|.*\|) *$"
    r"|^(?P<html><.*)$"
    r"|^(?P<marker>[ \t]*(?:(?:>|[-*+]|\d+\.)[ \t]+)*(?:#+[ \t]+)?)"
    r"(?P<words>[^>\s].*(?:\n(?![ \t>]*$|[ \t>]*(?:[-*+]|\d+\.|#+)[ \t]|```|\||<).+)*)",
    re.M,
)
WORD = re.compile(r"[^\W\d_]{2}")
VALUE = re.compile(r"\{[^{}]*\}")  # what an f-string fills in
CODE = re.compile(r"`[^`]*`")
LITERAL = re.compile(r"""([a-zA-Z]*)(\"""|'''|"|')((?:\\.|(?!\2).)*)\2""", re.S)
# Calls that show their strings to the reader, and keywords that do. No string is translated in
# other keywords ("center left") and in calls that look something up.
SHOWING = set(
    "print show text annotate suptitle set_title set_label set_xlabel set_ylabel set_xticks "
    "set_yticks legend bars dots log_axis confusion numbers score_grids score_table".split()
)
NAMING = {"title", "label", "xlabel", "ylabel", "better", "worse"}
LOOKING_UP = {"index", "split", "replace", "startswith", "endswith", "get"}

Say = Callable[[str], str]  # a text -> its translation


def said(text: str, say: Say) -> str:
    """The translation of a text that has words, with the space around it.

    Raises:
        ValueError: the translation has other values in braces than the text.
    """
    words = text.strip()
    if not WORD.search(VALUE.sub("", CODE.sub("", words))):
        return text
    found = say(words)
    if sorted(VALUE.findall(words)) != sorted(VALUE.findall(found)):
        raise ValueError(f"what stands in braces must be the same in {words!r} and {found!r}")
    return text.replace(words, found)


def translated_markdown(text: str, say: Say) -> str:
    """Markdown whose blocks `say` has translated; a paragraph becomes one line."""

    def block(match: re.Match) -> str:
        if match["code"] is not None:
            code = match["code"]
            code = translated_code(code, say) if match["kind"] == "python" else code
            return f"{match['fence']}{match['kind']}\n{code}\n{match['fence']}"
        if match["indented"]:
            return match["indented"]
        if match["row"]:
            return "|".join(said(cell, say) for cell in re.split(r"(?<!\\)\|", match["row"]))
        if match["html"]:
            return re.sub(r"(?<=>)[^<>]+(?=<)", lambda words: said(words[0], say), match["html"])
        lines = (line.strip().lstrip("> ") for line in match["words"].split("\n"))
        return match["marker"] + said(" ".join(lines), say)

    return BLOCK.sub(block, text)


def translated_code(source: str, say: Say) -> str:
    """Python whose comments and strings for readers `say` has translated.

    Raises:
        ValueError: with the translations it is no Python: a quotation mark in one, perhaps.
    """
    lines = source.split("\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    changes = []
    for node in strings_for_readers(ast.parse(source)):
        column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
        start, old = starts[node.lineno - 1] + column, ast.get_source_segment(source, node)
        changes.append((start, old, translated_literal(old, node, say)))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start = starts[token.start[0] - 1] + token.start[1]
            changes.append((start, token.string, "# " + said(token.string.lstrip("# "), say)))
    for start, old, new in sorted(changes, reverse=True):
        source = source[:start] + new + source[start + len(old) :]
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"a translation breaks the code: {error}\n{source}") from error
    return source


def translated_literal(literal: str, node: ast.expr, say: Say) -> str:
    """A string as it stands in code, with its quotation marks.

    What stands between the marks is the text, with \\n and the like as they are written. Of a text
    of several lines the translator sees none of the code's indentation.
    """
    pieces = LITERAL.findall(literal)
    kind, marks = max(prefix for prefix, _, _ in pieces), pieces[0][1]
    old = "".join(text for _, _, text in pieces)
    if "\n" not in old:
        new = said(old, say)
    else:
        depths = [len(line) - len(line.lstrip()) for line in old.split("\n")[1:] if line.strip()]
        new = textwrap.indent(said(inspect.cleandoc(old), say), " " * min(depths, default=0))
        new = new.lstrip() + re.search(r"\s*$", old)[0]
    for value in (part for part in ast.walk(node) if isinstance(part, ast.FormattedValue)):
        for key in strings_for_readers(value):  # such as that of f"{work['down and up']}"
            if isinstance(key, ast.Constant):
                new = new.replace(f"'{key.value}'", f"'{said(key.value, say)}'")
    return f"{kind}{marks}{new}{marks}"


def strings_for_readers(node: ast.AST, shown: bool = False) -> Iterator[ast.expr]:
    """The strings of code that readers see.

    These are all with a space between words, wherever they stand, and those of a single word in
    calls that print, draw or name: see `SHOWING`. The same text is translated in the same way
    everywhere, so it can be a key of a dictionary, too.
    """
    if isinstance(node, ast.Constant | ast.JoinedStr):
        values = [getattr(part, "value", None) for part in ast.walk(node)]
        texts = [value for value in values if isinstance(value, str) and WORD.search(value)]
        if texts and (shown or " " in "".join(texts)):
            yield node
        return
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in LOOKING_UP:
            return
        shown = name in SHOWING
    elif isinstance(node, ast.keyword):
        shown = node.arg in NAMING
        if not shown and isinstance(node.value, ast.Constant):
            return
    elif isinstance(node, ast.Expr):
        shown = isinstance(node.value, ast.Constant)  # a docstring
    elif not isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.IfExp | ast.BinOp):
        shown = False
    for child in ast.iter_child_nodes(node):
        yield from strings_for_readers(child, shown)
