"""Every sentence gets the facts it names, checked in the source wherever one is filled in."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import bot
from bot import wording
from bot.wording.template import Facts
from storage.errors import JobError

ROOT = Path(bot.__file__).parent.parent
FILLERS = {"say", "fill"}
ERRORS = {"UserError", "JobError"}
#: Sentences whose facts arrive in an event from another process, so no caller can be read.
FROM_EVENTS = {"job.NOTES", "doctor.CHECKS", "dataset.ZIP_NOTES"} | {
    f"shell.{name}"
    for name in (
        "BASE", "BASE_GOOD", "BASE_WEAK", "BASE_LICENCE", "COMMERCIAL_USE", "EVENTS", "FETCH",
        "FETCHED", "FETCHED_ALREADY", "FETCHED_NOT_VERIFIED", "FETCHING", "FILE_ANSWERS", "NOTES",
        "PACKED",
    )
}  # fmt: skip


def placeholders(template: str) -> set[str]:
    """Return the facts that a template names."""
    return {name.partition("[")[0] for _, name, _, _ in Formatter().parse(template) if name}


class Source:
    """One file of the project, with the parent and the function of each node."""

    def __init__(self, path: Path) -> None:
        self.path, self.tree = path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))
        self.parent = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }
        self.module = vars(wording).get(path.stem) if path.parent.name == "wording" else None

    def place(self, node: ast.AST) -> str:
        """Return a node's location."""
        return f"{self.path}:{node.lineno}"

    def calls(self, names: set[str]) -> list[ast.Call]:
        """Return the calls of functions of these names."""
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and node.args)
        return [node for node in nodes if last_name(node.func) in names]

    def assigned(self, name: str, node: ast.AST) -> list[ast.expr]:
        """Return the last assignment of a local name before a node, in its block or around it."""
        while node in self.parent:
            around = self.parent[node]
            for block in (getattr(around, "body", []), getattr(around, "orelse", [])):
                before = (
                    block[: block.index(node)] if isinstance(block, list) and node in block else []
                )
                sets = [
                    each
                    for one in before
                    for each in ast.walk(one)
                    if isinstance(each, ast.Assign)
                ]
                found = [each.value for each in sets if name in map(last_name, each.targets)]
                if found:
                    return found
            node = around
        return []

    def templates(self, node: ast.expr) -> set[str] | None:
        """Return the templates that an expression can be, as `module.NAME`; None if unknown."""
        match node:
            case ast.IfExp(body=one, orelse=other):
                return union(self.templates(one), self.templates(other))
            case ast.Subscript(value=value):
                return self.templates(value)
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name("wording"), attr=module), attr=name
            ):
                return {f"{module}.{name}"}
            case ast.Name(name) if self.module and name in vars(self.module):
                return {f"{self.path.stem}.{name}"}
            case ast.Name(name):
                found = [self.templates(value) for value in self.assigned(name, node)]
                return union(*found) if found else None
        return None

    def given(self, call: ast.Call) -> set[str] | None:
        """Return the facts that a call passes; None if unknown."""
        named = {keyword.arg for keyword in call.keywords if keyword.arg}
        starred = [self.keys(keyword.value) for keyword in call.keywords if not keyword.arg]
        return union(named, *starred)

    def keys(self, node: ast.expr) -> set[str] | None:
        """Return the keys of a dict literal; None if unknown."""
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return union(*({k.value} if k else self.keys(v) for k, v in pairs))
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return union(self.keys(left), self.keys(right))
            case ast.Attribute(attr="missing_facts"):  # of a base
                return Source(ROOT / "storage" / "records.py").returned("missing_facts")
            case ast.Call(func=ast.Name(name)):
                return self.returned(name)
            case ast.Name(name):
                found = [self.keys(value) for value in self.assigned(name, node)]
                return union(*found) if found else None
        return None

    def returned(self, name: str) -> set[str] | None:
        """Return the keys of the dict that a function or property of this file returns."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                returns = [each for each in ast.walk(node) if isinstance(each, ast.Return)]
                return union(*(self.keys(each.value) for each in returns))
        return None


def last_name(node: ast.AST) -> str:
    """Return the last name of `a.b.c`."""
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def union(*sets: set[str] | None) -> set[str] | None:
    """Return the union of sets; unknown if one is unknown."""
    return None if None in sets else set().union(*sets)


@cache
def sources(*packages: str) -> list[Source]:
    """Return the files of some packages."""
    return [Source(path) for each in packages for path in sorted((ROOT / each).rglob("*.py"))]


def texts(name: str) -> list[str]:
    """Return the sentences of `module.NAME`: one, or those of a table."""
    module, _, constant = name.partition(".")
    value = getattr(getattr(wording, module), constant)
    found = value.values() if isinstance(value, dict) else [value]
    return [text for text in found if isinstance(text, str)]


def test_filled():
    """Every call that fills in a sentence passes the facts it names."""
    wrong, known = [], 0
    for source in sources("bot"):
        for call in source.calls(FILLERS):
            templates, given = source.templates(call.args[0]), source.given(call)
            if templates is None or (given is None and templates <= FROM_EVENTS):
                continue
            wanted = {
                each for name in templates for text in texts(name) for each in placeholders(text)
            }
            known += 1
            if given is None or wanted - given:
                wrong.append(f"{source.place(call)} {templates}: wants {wanted}, gets {given}")

    assert wrong == []
    assert known > 100


def test_doctor():
    """Each line of the doctor gets the facts it names."""
    wrong = []
    doctor = Source(ROOT / "bot" / "terminal" / "doctor.py")
    for call in doctor.calls({"make_line"}):
        given = doctor.given(call)
        checks = codes(doctor, call.args[1])
        wanted = {each for code in checks for each in placeholders(wording.doctor.CHECKS[code])}
        if given is not None and wanted - given:
            wrong.append(f"{doctor.place(call)} {checks}: wants {wanted}, gets {given}")

    assert wrong == []


def test_not_filled():
    """No sentence that names facts is shown unfilled."""
    bare = []
    for source in sources("bot"):
        for node in ast.walk(source.tree):
            names = source.templates(node) if isinstance(node, ast.Attribute) else None
            for name in names or ():
                module, _, constant = name.partition(".")
                text = getattr(getattr(wording, module), constant)
                shown = source.parent[node]
                while isinstance(shown, ast.IfExp):
                    shown = source.parent[shown]
                filled = (
                    isinstance(shown, ast.Assign)
                    or last_name(getattr(shown, "func", shown)) in FILLERS
                )
                if isinstance(text, str) and placeholders(text) and not filled:
                    bare.append(f"{source.place(node)} {name}")

    assert bare == []


def codes(source: Source, node: ast.expr) -> set[str]:
    """Return the error codes that an expression can be."""
    match node:
        case ast.Constant(str(code)):
            return {code}
        case ast.JoinedStr(values=[*_, ast.Constant(ending)]):
            return {code for code in wording.errors.ERRORS if code.endswith(ending)}
        case ast.BoolOp(values=nodes):
            return set().union(*(codes(source, each) for each in nodes))
        case ast.IfExp(body=one, orelse=other):
            return codes(source, one) | codes(source, other)
        case ast.Attribute(attr="missing_code"):  # of a base
            return {"base_family", "base_missing", "base_bring"}
    return set()


def sentence(code: str, source: Source) -> str:
    """Return every sentence of an error that this file raises, on cards and in a shell."""
    in_shell = wording.errors.IN_SHELL.get(code, "")
    card = wording.errors.ERRORS.get(code, "")
    return (card if source.path.parts[0] == "bot" else card + in_shell) or in_shell or "{lost}"


def test_errors():
    """Every raised code has a sentence, and gets the facts it names."""
    wrong, raised = [], set()
    for source in sources("storage", "training", "bot"):
        for call in source.calls(ERRORS):
            found, given = codes(source, call.args[0]), source.given(call)
            raised |= found
            for code in found:
                wanted = placeholders(sentence(code, source)) - {"code"}
                if "suggestion" in wanted:
                    wanted = wanted - {"suggestion"} | {"choices"}
                if given is None or wanted - given:
                    wrong.append(f"{source.place(call)} {code}: wants {wanted}, gets {given}")

    assert wrong == []
    assert len(raised) > 100


def test_notes_of_sets():
    """Each note on a folder or zip has a sentence on cards and in a shell, and its facts."""
    wrong, said = [], set()
    for source in [*sources("storage/photosets"), Source(ROOT / "bot" / "actions" / "photos.py")]:
        for call in source.calls({"Note"}):
            (code,), given = codes(source, call.args[0]), source.keys(call.args[1])
            said.add(code)
            tables = [wording.dataset.ZIP_NOTES | {"files_unused": wording.dataset.ZIP_UNUSED}]
            tables += [] if source.path.parts[0] == "bot" else [wording.shell.TOLD]
            wrong += [code for table in tables if placeholders(table[code]) - given]

    assert wrong == []
    assert said == wording.dataset.ZIP_NOTES.keys() | {"files_unused"}


def test_missing():
    """A missing fact leaves a gap in production and raises in tests."""
    with pytest.raises(KeyError):
        wording.explain(JobError("base_unknown"))

    Facts.strict = False
    try:
        assert "…" in wording.explain(JobError("base_unknown"))
    finally:
        Facts.strict = True
