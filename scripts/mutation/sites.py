"""What counts as a check in Python source, and the rewriting that lets each be switched off.

A site is one of:

- `raise`: an error raised; off, execution goes on behind it.
- `refuse`: an `if` whose body tells of a refusal (`count(...)`, `refuse(...)`) or gives up with None, and leaves; off,
  its condition never holds.
- `part`: an operand of such a condition, or of what a yes-or-no function returns; off, it has no say.
- `verdict`: a function that returns bool; off, it always says yes, or always no.

Sites are named by file, function and label (the rule's id where there is one), so that a name survives edits elsewhere.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

SWITCH = "__mutation__"
LEAVES = (ast.Return, ast.Raise, ast.Continue)
TELLS = frozenset({"count", "refuse", "misbehaves"})


@dataclass(frozen=True, slots=True)
class Site:
    """`name` is unique; `label` is the rule's id or another word for it; `line` of the source."""

    name: str
    kind: str
    label: str
    file: str
    function: str
    line: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which kinds of sites a file has. `errors`: names of the exceptions whose raising is a check."""

    errors: frozenset[str] = frozenset()
    refusals: bool = False
    nothing: bool = False
    """Whether giving up with None is a refusal."""
    verdicts: bool = True


class _Rewriter(ast.NodeTransformer):
    def __init__(self, file: str, scope: Scope) -> None:
        self.file = file
        self.scope = scope
        self.sites: list[Site] = []
        self._stack: list[str] = []
        self._returns: list[str] = []
        self._names: Counter[str] = Counter()

    # ---- names ----

    def _site(self, kind: str, label: str, node: ast.AST) -> str:
        function = ".".join(self._stack) or "<module>"
        name = f"{self.file}:{function} {label}"
        self._names[name] += 1
        if self._names[name] > 1:
            name = f"{name} #{self._names[name]}"
        self.sites.append(Site(name, kind, label, self.file, function, getattr(node, "lineno", 0)))
        return name

    def _ask(self, question: str, *arguments: ast.expr) -> ast.Call:
        asked = ast.Attribute(ast.Name(SWITCH, ast.Load()), question, ast.Load())
        return ast.Call(asked, list(arguments), [])

    # ---- scopes ----

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self._stack.append(node.name)
        self._returns.append("" if node.returns is None else ast.unparse(node.returns))
        node.body = [self.visit(statement) for statement in node.body]
        self._returns.pop()
        self._stack.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._stack.append(node.name)
        node.body = [self.visit(statement) for statement in node.body]
        self._stack.pop()
        return node

    # ---- sites ----

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        label = self._label_of(node)
        if label is None:
            return node
        site = self._site("raise", label, node)
        return ast.If(self._ask("raises", ast.Constant(site)), [node], [])

    def _label_of(self, node: ast.Raise) -> str | None:
        """The first argument of an error that is a check, or the error's name; None for other errors."""
        if not isinstance(node.exc, ast.Call) or not isinstance(node.exc.func, ast.Name):
            return None
        if node.exc.func.id not in self.scope.errors:
            return None
        first = node.exc.args[0] if node.exc.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and " " not in first.value:
            return first.value
        return ast.unparse(first) if isinstance(first, ast.Attribute | ast.Name) else node.exc.func.id

    def visit_If(self, node: ast.If) -> ast.AST:
        label = self._refusal(node)
        raised = self._label_of(node.body[-1]) if isinstance(node.body[-1], ast.Raise) else None
        if label is not None:
            node.test = self._parts(node.test, label, True, node)
            site = self._site("refuse", label, node)
            node.test = self._ask("refuses", ast.Constant(site), node.test)
        elif raised is not None:
            node.test = self._parts(node.test, raised, True, node)
        node.body = [self.visit(statement) for statement in node.body]
        node.orelse = [self.visit(statement) for statement in node.orelse]
        return node

    def _refusal(self, node: ast.If) -> str | None:
        """The label of an `if` that refuses; None if it does not."""
        if not isinstance(node.body[-1], LEAVES) or isinstance(node.body[-1], ast.Raise):
            return None
        told = self._told(node.body) if self.scope.refusals else None
        if told is not None:
            return told
        gives_up = isinstance(node.body[-1], ast.Return) and _is_none(node.body[-1].value)
        if self.scope.nothing and len(node.body) == 1 and gives_up and "None" in self._returns[-1][-4:]:
            return "None" if self._returns[-1] != "None" else None
        code = _refusal_code(node.body[-1])
        return code if self.scope.refusals else None

    def _told(self, body: list[ast.stmt]) -> str | None:
        for statement in body:
            for call in ast.walk(statement):
                if isinstance(call, ast.Call) and _last_name(call.func) in TELLS:
                    words = [a.value for a in call.args if isinstance(a, ast.Constant)]
                    codes = [_refusal_code(a) for a in call.args]
                    named = [str(w) for w in words] + [c for c in codes if c is not None]
                    return named[0] if named else _last_name(call.func)
        return None

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is None or not self.scope.verdicts or not self._returns or self._returns[-1] != "bool":
            return node
        if self._stack[-1].startswith("__"):
            return node
        value = node.value
        if isinstance(value, ast.BoolOp):
            neutral = isinstance(value.op, ast.And)
            value.values = [self._part(one, "says", neutral, node) for one in value.values]
        base = self._verdict_site(node)
        node.value = self._ask("verdict", ast.Constant(base), value)
        return node

    def _verdict_site(self, node: ast.AST) -> str:
        """One pair of sites for all returns of a function."""
        function = ".".join(self._stack)
        base = f"{self.file}:{function}"
        if not any(site.name == f"{base} = yes" for site in self.sites):
            for word in ("yes", "no"):
                line = getattr(node, "lineno", 0)
                self.sites.append(Site(f"{base} = {word}", "verdict", word, self.file, function, line))
        return base

    # ---- parts of conditions ----

    def _part(self, value: ast.expr, label: str, neutral: bool, node: ast.AST, text: str = "") -> ast.expr:
        site = self._site("part", f"{label} / {(text or ast.unparse(value))[:60]}", node)
        return self._ask("part", ast.Constant(site), value, ast.Constant(neutral))

    def _parts(self, test: ast.expr, label: str, positive: bool, node: ast.AST) -> ast.expr:
        """Lets each operand be dropped that makes a condition hold more often."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test.operand = self._parts(test.operand, label, not positive, node)
        elif isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.Or) is positive:
                texts = [ast.unparse(one) for one in test.values]
                inner = [self._parts(one, label, positive, node) for one in test.values]
                test.values = [
                    self._part(one, label, not positive, node, text)
                    for one, text in zip(inner, texts, strict=True)
                ]
            else:
                test.values = [self._parts(one, label, positive, node) for one in test.values]
        elif isinstance(test, ast.Compare) and len(test.ops) > 1 and not positive and _is_plain(test):
            sides = [test.left, *test.comparators]
            pairs = [ast.Compare(sides[i], [op], [sides[i + 1]]) for i, op in enumerate(test.ops)]
            return self._parts(ast.BoolOp(ast.And(), list(pairs)), label, positive, node)
        elif isinstance(test, ast.Call) and _last_name(test.func) in {"any", "all"} and test.args:
            each = test.args[0]
            if isinstance(each, ast.GeneratorExp):
                each.elt = self._parts(each.elt, label, positive, node)
        return test


def _is_plain(node: ast.AST) -> bool:
    """Whether evaluating twice what stands in the middle of a comparison is harmless."""
    return not any(isinstance(one, ast.NamedExpr | ast.Await) for one in ast.walk(node))


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _refusal_code(node: ast.AST | None) -> str | None:
    """The code where a refusal is returned or passed on."""
    for one in ast.walk(node) if node is not None else ():
        if isinstance(one, ast.Attribute) and _last_name(one.value) == "RefusalCode":
            return one.attr
    return None


def rewrite(source: str, file: str, scope: Scope) -> tuple[ast.Module, list[Site]]:
    """The module with its sites asking `switch`, and the sites."""
    tree = ast.parse(source)
    rewriter = _Rewriter(file, scope)
    tree.body = [rewriter.visit(statement) for statement in tree.body]
    importing = ast.parse(f"from scripts.mutation import switch as {SWITCH}").body
    place = sum(isinstance(one, ast.Expr) or _is_future(one) for one in tree.body[:2])
    tree.body[place:place] = importing
    return ast.fix_missing_locations(tree), rewriter.sites


# ---- which files have which sites ----

_MLS_ERRORS = frozenset({
    "MlsError", "MalformedError", "WrongEpochError", "ReplayedError", "UnknownProposalError", "PathError", "RemovedError",
})  # fmt: skip
_SCOPES: dict[str, Scope] = {
    "crypto": Scope(frozenset({"CryptoError"})),
    "wire": Scope(frozenset({"WireError", "LinkError", "CryptoError"})),
    "mls": Scope(_MLS_ERRORS),
    "core": Scope(refusals=True, verdicts=False),
    "relay": Scope(frozenset({"WireError", "StoreError", "Overloaded"}), refusals=True, verdicts=False),
}
_NAMED = json.loads((Path(__file__).parent / "scope.json").read_text("utf-8"))
"""Modules of either language by name. `outside` has no sites: what is generated, what a person, an operator or a browser
is told, the bookkeeping of a step. `judging`: modules of the core and the relay that judge what others send;
what other modules of these two answer with yes or no is about their own work."""


def scope_of(file: str) -> Scope | None:
    """The scope of a file below `src/polynya`, such as `mls/checks.py`."""
    module = file.removesuffix(".py")
    if module in _NAMED["outside"]:
        return None
    scope = _SCOPES.get(file.partition("/")[0])
    if scope is not None and module in _NAMED["judging"]:
        return replace(scope, nothing=True, verdicts=True)
    return scope


def all_sites(package: Path) -> Iterator[Site]:
    """Every site below `src/polynya`."""
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package).as_posix()
        scope = scope_of(file)
        if scope is not None:
            yield from rewrite(path.read_text("utf-8"), file, scope)[1]
