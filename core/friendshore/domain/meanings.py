"""What the fields of a record mean: the texts under them, read from the source by who makes a schema or a page, and by nobody else."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from types import ModuleType


def meanings(record: type) -> dict[str, str]:
    """Field -> the text under it in the class that states the field last; empty if there is none, or no source."""
    found: dict[str, str] = {}
    for part in reversed(record.__mro__):
        if part.__module__.partition(".")[0] in ("builtins", "pydantic"):
            continue
        module = inspect.getmodule(part)
        body = _classes(module).get(part.__qualname__, []) if module is not None else []
        for field, text in zip(body, [*body[1:], None], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                found[field.target.id] = _text(text)
    return found


def _text(statement: ast.stmt | None) -> str:
    """What a statement says, if it is a text and nothing else."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


@cache
def _classes(module: ModuleType) -> dict[str, list[ast.stmt]]:
    """Qualified name of every class that a module defines -> its body."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):  # a module without source
        return {}
    return dict(_defined(tree, ""))


def _defined(scope: ast.AST, path: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            yield path + node.name, node.body
            yield from _defined(node, f"{path}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield from _defined(node, f"{path}{node.name}.<locals>.")
        else:
            yield from _defined(node, path)
