"""
The small mistakes that could stand in a checker, one at a time: what is compared, joined, counted, left out or answered.

Sentences are left alone: words of a report are for people, and no verdict hangs on them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

# A node of a tree: its parent, the field it stands in, and where in that, if that is a list.
Place: TypeAlias = "tuple[ast.AST, str, int | None]"
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
KINDS = {
    "VACUOUS": "INTERFERENCE",
    "INTERFERENCE": "NOT_OBSERVABLE",
    "NOT_OBSERVABLE": "ENVIRONMENT",
    "ENVIRONMENT": "VACUOUS",
}
OUTCOMES = {"build_held": "build_violated", "build_violated": "build_held"}
# What makes words of what was found, in whatever function it stands.
WORDING = frozenset(
    {"__str__", "show", "_show", "_show_alert", "_tell", "_tell_standing", "_names", "_name_place", "_short", "_join"}
    | {"_describe", "_gaps_declared", "describe_attempts", "_label"}
)
WORDS = frozenset(
    {"declared", "observed", "evidence", "plural", "how", "names", "sentence", "more", "detail", "shown", "told"}
)
# How many of the first arguments of these are words; what a check is called is one.
SAYING = {"build_held": 4, "build_violated": 4, "build_unknown": 3, "Evidence": 3, "_not_in_a_row": 2, "_none": 3}
# What stands here is read by a type checker, shown to people, or decided elsewhere.
SKIPPED = (ast.JoinedStr, ast.AnnAssign, ast.arg, ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One mistake: where in the file, what stands there now and would stand there then; `place` is where in the tree.

    `function` is the qualified name of what it stands in, empty for a constant of the module.
    """

    file: str
    line: int
    function: str
    before: str
    after: str
    place: Place
    node: ast.AST
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.file}:{self.line} `{self.before}` as `{self.after}`"

    def apply(self) -> ast.Module:
        """Put the mistake into the tree it was found in, and return that."""
        parent, name, index = self.place
        if index is None:
            setattr(parent, name, self.node)
        else:
            getattr(parent, name)[index] = self.node
        return ast.fix_missing_locations(self.tree)


def list_mutants(tree: ast.Module, file: str) -> list[Mutant]:
    """List every mistake that could be made in a module, in its order."""
    return [
        Mutant(file, node.lineno, function, _show(node), _show(changed), place, ast.copy_location(changed, node), tree)
        for node, place, function in _walk(tree, "")
        for changed in _change(node, place)
    ]


def _walk(parent: ast.AST, function: str, outer: str = "") -> Iterator[tuple[Any, Place, str]]:
    """Walk what can be changed: `outer` is the class we are in, `function` the outermost function or method."""
    for name, value in ast.iter_fields(parent):
        said = _count_words(parent) if name == "args" else 0
        for index, node in list(enumerate(value))[said:] if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, SKIPPED) or _is_skipped(parent, name, node):
                continue
            inside = function or (outer + node.name if isinstance(node, ast.FunctionDef) else "")
            if hasattr(node, "lineno") and (inside or not isinstance(parent, ast.ClassDef)):
                yield node, (parent, name, index), inside
            yield from _walk(node, inside, f"{node.name}." if isinstance(node, ast.ClassDef) else outer)


def _is_skipped(parent: ast.AST, name: str, node: ast.AST) -> bool:
    if name in {"annotation", "returns", "decorator_list", "bases"} or (
        isinstance(node, ast.Expr) and _is_text(node.value)
    ):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.FunctionDef) and node.name in WORDING:
        return True
    if isinstance(node, ast.Assign | ast.AugAssign) and _list_targets(node) <= WORDS:
        return True
    # Where something is a sentence, no word of it decides.
    return _is_text(node) and (name not in {"left", "comparators", "slice", "elts"} and not _is_asked(parent))


def _list_targets(node: ast.Assign | ast.AugAssign) -> frozenset[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return frozenset(each.id if isinstance(each, ast.Name) else "" for each in targets)


def _count_words(node: ast.AST) -> int:
    return SAYING.get(node.func.id, 0) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else 0


def _is_asked(parent: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and bool(parent.args)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _change(node: ast.AST, place: Place) -> Iterator[ast.expr | ast.stmt]:  # noqa: C901, PLR0912 - a table of cases
    parent, name, _ = place
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield from (ast.Compare(left, [other()], [right]) for other in COMPARED[type(op)])
        case ast.Compare(left=left, ops=[first, second], comparators=[middle, right]):
            yield from (ast.Compare(left, [other(), second], [middle, right]) for other in COMPARED[type(first)])
            yield from (ast.Compare(left, [first, other()], [middle, right]) for other in COMPARED[type(second)])
        case ast.BoolOp(op=op, values=values):
            yield from (_join(op, values[:at] + values[at + 1 :]) for at in range(len(values)))
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.Call(ast.Name("bool", ast.Load()), [operand], [])
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            yield ast.Constant(0)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COUNTED and not _is_text(left):
            yield ast.BinOp(left, COUNTED[type(op)](), right)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(-1 if name == "slice" and value == 0 else value + 1)
        case ast.Constant(value=float() as value):
            yield from (ast.Constant(value * factor if value else factor) for factor in (0.5, 2.0))
        case ast.Constant(value=str() as value) if value and " " not in value and value.isascii():
            yield ast.Constant(f"other_{value}")
        case ast.Name(id=called) if isinstance(parent, ast.Call) and name == "func" and called in CALLED | OUTCOMES:
            yield ast.Name((CALLED | OUTCOMES)[called], ast.Load())
        case ast.Attribute(value=ast.Name(id="UnknownKind") as kinds, attr=kind) if kind in KINDS:
            yield ast.Attribute(kinds, KINDS[kind], ast.Load())
        case ast.If(test=test, body=body, orelse=orelse):
            yield from (ast.If(ast.Constant(value), body, orelse) for value in (True, False) if not _is_plain(test))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.comprehension():
            return
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass()
    if isinstance(parent, ast.comprehension) and name == "ifs":
        yield ast.Constant(value=True)


def _join(op: ast.boolop, values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(op, values)


def _is_plain(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant)


def _show(node: ast.AST) -> str:
    text = ast.unparse(node).split("\n", 1)[0]
    return text if len(text) <= 100 else f"{text[:97]}…"
