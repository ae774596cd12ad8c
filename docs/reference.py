"""The package's reference, read from its source: nothing is imported, so no torch is needed.

Docstrings of the package are Markdown with Google's sections (Args, Returns, Raises, Attributes).
"""

import ast
import re
from pathlib import Path

SECTIONS = {"Args": "Arguments", "Attributes": "Attributes", "Raises": "Raises"}
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Example|Examples):[ ]*$", re.M)
ITEM = re.compile(r"^(\*{0,2}\w[\w.,* ]*?):\s+", re.M)  # `name: what it is`, not indented
CODE = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")  # one name in backticks
TABLE = re.compile(r"^ *(\d\d) .*?  +(\S.*)$")  # a line of the table in the package's docstring
LONGEST = 60  # characters of a constant's value


def read_modules(package: Path) -> dict[str, ast.Module]:
    """Name -> syntax tree of each module that lies flat in the package."""
    return {
        path.stem: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.glob("*.py"))
        if not path.stem.startswith("_")
    }


def taught(package_init: Path, modules: list[str]) -> dict[str, list[str]]:
    """Notebook's number -> modules it explains, from the table in the package's docstring."""
    docstring = ast.get_docstring(ast.parse(package_init.read_text(encoding="utf-8")))
    found = {}
    for match in filter(None, map(TABLE.match, docstring.splitlines())):
        names = [name for name in re.split(r",\s*", match[2]) if name in modules]
        found.setdefault(match[1], []).extend(names)  # a notebook may have two lines
    return found


def reference(
    modules: dict[str, ast.Module],
    taught: dict[str, list[str]],
    titles: dict[str, tuple[str, str]],
    package_init: Path,
) -> dict[str, str]:
    """Path in docs/ -> Markdown: a page for each module, and one that lists them."""
    known = {
        node.name: f"seglab.{module}.{node.name}"
        for module, tree in modules.items()
        for node in public(tree.body)
        if not isinstance(node, ast.Assign)
    }
    found = {}
    for name, tree in modules.items():
        numbers = [number for number, names in taught.items() if name in names]
        links = " and ".join(f"[{titles[n][1]}](../{titles[n][0]})" for n in numbers if n in titles)
        found[f"reference/{name}.md"] = module_page(name, tree, links, known)
    found["reference/index.md"] = index_page(modules, taught, titles, package_init)
    return found


def index_page(modules, taught, titles, package_init: Path) -> str:
    """The list of modules, in the order in which the notebooks explain them."""
    lines = [
        "# The package",
        "",
        "What a notebook explains lies flat in `seglab/`, one module for each topic. This",
        "reference is made from the docstrings; the notebooks show the functions at work.",
        "",
        "| notebook | modules |",
        "|---|---|",
    ]
    for number, names in taught.items():
        if number in titles and names:
            path, title = titles[number]
            links = ", ".join(f"[`{name}`]({name}.md)" for name in names)
            lines.append(f"| [{title}](../{path}) | {links} |")
    docstring = ast.get_docstring(ast.parse(package_init.read_text(encoding="utf-8")))
    order = [name for names in taught.values() for name in names]
    order += [name for name in modules if name not in order]
    others = [name for name in modules if not any(name in names for names in taught.values())]
    if others:
        lines += ["", "Helpers: " + ", ".join(f"[`{name}`]({name}.md)" for name in others) + "."]
    lines += ["", wings(docstring), "", "```{toctree}", ":hidden:", "", *order, "```", ""]
    return "\n".join(lines)


def wings(docstring: str) -> str:
    """What the package's docstring says after the table: the folders that a learner may skip."""
    after = docstring.split("Everything else", 1)
    return f"Everything else{after[1]}" if len(after) == 2 else ""


def module_page(name: str, tree: ast.Module, links: str, known: dict[str, str]) -> str:
    """One module: its docstring, where it is explained, then what it has, in its own order."""
    text = markdown(ast.get_docstring(tree) or "", known)
    lines = [f"# seglab.{name}", "", f"```{{py:module}} seglab.{name}", "```", "", text, ""]
    if links:
        lines += [f"Explained in {links}.", ""]
    for node in public(tree.body):
        lines += [*described(node, known), ""]
    return "\n".join(lines)


def public(body: list[ast.stmt]) -> list[ast.stmt]:
    """Functions, classes and constants whose names do not begin with an underscore."""
    found = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found.append(node)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if re.fullmatch("[A-Z][A-Z0-9_]*", node.targets[0].id):
                found.append(node)
    return found


def described(node: ast.stmt, known: dict[str, str], inside: bool = False) -> list[str]:
    """The directive of a function, a class with its methods, or a constant."""
    if isinstance(node, ast.Assign):
        value = ast.unparse(node.value)
        option = [f":value: {value}"] if len(value) <= LONGEST else []
        return [f":::{{py:data}} {node.targets[0].id}", *option, ":::"]
    text = markdown(ast.get_docstring(node) or "", known)
    if isinstance(node, ast.FunctionDef):
        marks = [ast.unparse(decorator) for decorator in node.decorator_list]
        kind = "method" if inside else "function"
        signature = f"{node.name}({arguments(node, inside and 'staticmethod' not in marks)})"
        signature += f" -> {ast.unparse(node.returns)}" if node.returns else ""
        options = [f":{mark}:" for mark in ("classmethod", "staticmethod") if mark in marks]
        if inside and any("property" in mark for mark in marks):
            kind, signature = "property", node.name
            options = [f":type: {ast.unparse(node.returns)}"] if node.returns else []
        return [f":::{{py:{kind}}} {signature}", *options, "", text, ":::"]
    kind = "exception" if node.name.endswith("Error") else "class"
    lines = [f"::::{{py:{kind}}} {node.name}{constructor(node)}", "", text, "", *meanings(node)]
    for method in public(node.body):
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method):
            lines += [*described(method, known, inside=True), ""]
    return [*lines, "::::"]


def arguments(node: ast.FunctionDef, bound: bool) -> str:
    """A function's arguments as they are written; a method's without `self` or `cls`."""
    without = ast.parse(f"def f({ast.unparse(node.args)}): pass").body[0].args
    if bound:
        (without.posonlyargs or without.args).pop(0)
    return ast.unparse(without)


def constructor(node: ast.ClassDef) -> str:
    """What a class is called with: the arguments of `__init__`, or a dataclass's fields."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            return f"({arguments(method, bound=True)})"
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
        return "(" + ", ".join(field(part) for part in fields) + ")"
    return ""


def field(node: ast.AnnAssign) -> str:
    """A field of a dataclass as an argument.

    A default from a factory is `...`; `setting(3600, "what it means")` has its default in front.
    """
    text = f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}"
    if node.value is None:
        return text
    default = node.value
    if isinstance(default, ast.Call):
        default = default.args[0] if default.args else ast.Constant(...)
    return f"{text} = {ast.unparse(default)}"


def meanings(node: ast.ClassDef) -> list[str]:
    """A list of the fields that say what they mean, such as `setting(3600, "seen in all")`."""
    found = []
    for part in node.body:
        value = getattr(part, "value", None)
        if isinstance(part, ast.AnnAssign) and isinstance(value, ast.Call) and len(value.args) > 1:
            meaning = value.args[1]
            if isinstance(meaning, ast.Constant) and isinstance(meaning.value, str):
                found.append(f"- `{ast.unparse(part.target)}`: {meaning.value}")
    return ["**Attributes**", "", *found, ""] if found else []


def markdown(docstring: str, known: dict[str, str]) -> str:
    """A docstring whose sections have become lists, and whose known names have become links."""
    head, *rest = SECTION.split(docstring)
    parts = [head.rstrip()]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        section, after = cut(body)
        if title in SECTIONS:
            parts += [f"**{SECTIONS[title]}**", items(section)]
        else:
            parts += [f"**{title}**", section]
        parts.append(after)
    text = "\n\n".join(part for part in parts if part)
    return CODE.sub(
        lambda m: f"{{py:obj}}`{m[1]} <{known[m[1]]}>`" if m[1] in known else m[0], text
    )


def cut(body: str) -> tuple[str, str]:
    """A section's indented lines, moved to the left, and what follows them."""
    lines = body.strip("\n").split("\n")
    end = next((n for n, line in enumerate(lines) if line[:1].strip()), len(lines))
    indented = [line.removeprefix("    ") for line in lines[:end]]
    return "\n".join(indented).strip("\n"), "\n".join(lines[end:]).strip("\n")


def items(section: str) -> str:
    """Lines `name: what it is`, which may go on indented, as a list."""
    return re.sub(ITEM, lambda match: f"- `{match[1]}`: ", section)
