"""Small slips, made by machine: every solution with one operator, constant, axis, call or line changed.

    python -m tests.mutants                 # all exercises: how many slips change a value, and how many are accepted
    python -m tests.mutants pedal overlap   # only these, and each accepted slip as a line

A slip that is accepted although it gives another value (or gradient) than the solution is a hole in a check.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from paulbook.agreement import close
from paulbook.checking import all_exercises, verdict
from paulbook.exercise import Exercise
from paulbook.limits import TimeIsUp, time_limit
from paulbook.trying import changes, plain, undisturbed

from tests.solutions import built, sources

SWAPPED: dict[type, list[type]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Div],
    ast.Pow: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
SECONDS = 5.0  # a slip may make an endless loop


class Mutant(NamedTuple):
    """A solution with one slip."""

    name: str  # of the exercise
    line: str  # what was changed, and into what
    function: Callable[..., Any]


def slips(node: ast.AST) -> Iterator[ast.AST | None]:
    """What a node may be changed into; None is a line left out."""
    if isinstance(node, ast.Compare):
        for swapped in SWAPPED.get(type(node.ops[0]), []):
            yield ast.Compare(node.left, [swapped(), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
        yield from (ast.BinOp(node.left, swapped(), node.right) for swapped in SWAPPED.get(type(node.op), []))
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
        yield ast.BoolOp(SWAPPED[type(node.op)][0](), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from map(ast.Constant, _other_values(node.value))
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Call):
        yield from _other_calls(node)
    elif isinstance(node, ast.Subscript | ast.Slice):
        yield from _other_places(node)
    elif isinstance(node, ast.comprehension):
        yield from (ast.comprehension(node.target, node.iter, [], 0) for _ in node.ifs)
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If):
        yield None


def _other_values(value: float) -> list[float]:
    if isinstance(value, bool):
        return [not value]
    return [value + 1, value - 1] if isinstance(value, int) else [2 * value, 0.0]


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    """The call left out, its first two arguments exchanged, one of its keywords forgotten."""
    if isinstance(node.func, ast.Attribute):
        yield node.func.value
    if node.args:
        yield node.args[0]
    if len(node.args) > 1:
        yield ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    for place in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:place] + node.keywords[place + 1 :])


def _other_places(node: ast.Subscript | ast.Slice) -> Iterator[ast.AST]:
    """A slice without its lower or upper end, and places along the axes in the other order."""
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Tuple):
            yield ast.Subscript(node.value, ast.Tuple(node.slice.elts[::-1], ast.Load()), node.ctx)
        if isinstance(node.ctx, ast.Load):
            yield node.value
        return
    if node.lower:
        yield ast.Slice(None, node.upper, node.step)
    if node.upper:
        yield ast.Slice(node.lower, None, node.step)


def mutated(source: str) -> Iterator[tuple[str, str]]:
    """A line about each slip, and the source with it."""
    tree = ast.parse(source)
    kept = {id(node) for part in ast.walk(tree) for other in _no_part_of_it(part) for node in ast.walk(other)}
    places = [place for place, node in enumerate(ast.walk(tree)) if id(node) not in kept]
    for place in places:
        old = list(ast.walk(tree))[place]
        if isinstance(old, ast.Expr) and isinstance(old.value, ast.Constant):
            continue  # the docstring
        for number in range(len(list(slips(old)))):
            fresh = copy.deepcopy(tree)
            node = list(ast.walk(fresh))[place]
            new = list(slips(node))[number]
            line = f"{_text(node)}  ->  {_text(new) if new else '(left out)'}"
            changed = ast.fix_missing_locations(_Replace(node, new or ast.Pass()).visit(fresh))
            yield line, ast.unparse(changed)


def _no_part_of_it(node: ast.AST) -> list[ast.AST]:
    """Arguments with their defaults, which the exercise gives, and annotations, which change nothing."""
    parts = (
        [node]
        if isinstance(node, ast.arguments)
        else [getattr(node, "returns", None), getattr(node, "annotation", None)]
    )
    return [part for part in parts if part is not None]


def _text(node: ast.AST) -> str:
    with contextlib.suppress(Exception):
        return ast.unparse(node).replace("\n", "; ")[:70]
    return type(node).__name__


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def mutants(name: str) -> Iterator[Mutant]:
    """Every slip in every solution of an exercise that can be read as Python."""
    seen = set()
    for source in sources(all_exercises()[name]):
        for line, changed in mutated(source.text):
            with contextlib.suppress(Exception):
                if changed not in seen:
                    yield Mutant(name, line, built(changed, source.names))
            seen.add(changed)


def differs(exercise: Exercise, function: Callable[..., Any], seeds: range = range(100, 140)) -> bool:
    """Whether it gives another value, another gradient or another error than the solution, or changes its input."""
    asked = vars(exercise.properties[-1])
    draw, given, slopes = (asked.get(part) for part in ("drawn", "given", "slopes"))
    cases = [] if draw is None else [given(*draw(np.random.default_rng(seed))) for seed in seeds]
    pairs = [
        [_outcome(f, case, slopes or ()) for f in (function, exercise.solution)]
        for case in [*cases, exercise.example()]
    ]
    return any(mine != theirs for mine, theirs in pairs)


class _Rounded:
    """A result that is equal to another up to rounding."""

    def __init__(self, value: Any) -> None:
        self.value = plain(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rounded) and close(self.value, other.value, 1e-5)


def _outcome(function: Callable[..., Any], given: tuple[Any, ...], slopes: Sequence[int]) -> Any:
    parts = [copy.deepcopy(v.detach() if isinstance(v, torch.Tensor) else v) for v in given]
    leaves = [part.requires_grad_() if place in slopes else part for place, part in enumerate(parts)]
    try:
        with undisturbed(), time_limit(SECONDS):
            found = function(*leaves)
            if isinstance(found, torch.nn.Module):  # how its weights begin is free, how many it learns is not
                return sorted(tuple(weight.shape) for weight in found.parameters())
            tensors = [v for v in leaves if isinstance(v, torch.Tensor) and v.requires_grad]
            learns = isinstance(found, torch.Tensor) and found.requires_grad
            slopes = torch.autograd.grad(found.sum(), tensors, allow_unused=True) if learns else ()
            fresh = [v.detach() if isinstance(v, torch.Tensor) else copy.deepcopy(v) for v in given]
            touched = changes(function, *fresh)
    except (Exception, TimeIsUp) as error:
        return type(error).__name__ if isinstance(error, TimeIsUp) else "error"
    zeros = [torch.zeros_like(t) if s is None else s for s, t in zip(slopes, tensors, strict=bool(slopes))]
    return [_Rounded(found), _Rounded(zeros), touched]


def accepted(name: str) -> tuple[int, list[Mutant]]:
    """How many slips there are, and those that the check calls right."""
    exercise, every = all_exercises()[name], list(mutants(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return len(every), [m for m in every if verdict(exercise, m.function, SECONDS)[0] == "right"]


def main(names: list[str]) -> None:
    """Count, and show what is accepted."""
    functions = [name for name, exercise in all_exercises().items() if callable(exercise.solution)]
    total, equal, holes = 0, 0, 0
    for name in names or functions:
        count, passed = accepted(name)
        unlike = [m for m in passed if differs(all_exercises()[name], m.function)]
        print(f"{name}: {count} slips, {len(passed)} accepted, of which {len(unlike)} give another value", flush=True)
        for mutant in passed if names else unlike:
            print(f"    {'HOLE ' if mutant in unlike else 'equal'} {mutant.line}", flush=True)
        total, equal, holes = total + count, equal + len(passed) - len(unlike), holes + len(unlike)
    print(f"{total} slips: {total - equal - holes} refused, {equal} that change no value, {holes} holes")


if __name__ == "__main__":
    main(sys.argv[1:])
