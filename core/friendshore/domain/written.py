"""Names, examples, and meanings of record fields in files."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Written:
    """Marks a field as a column or key: `Annotated[Kilograms | None, Written("5 t")]`. Its docstring's first paragraph is its meaning; its type has unit and range."""

    example: object = ""
    name: str = ""
    """Column or key. Defaults to the field's name."""
    sort: object = None
    """Values that it takes in files, if its type doesn't say: a range or parser of `values`, a type, or a word for both."""
    needed: bool | None = None
    """True if it is required. Defaults to true for fields without a default."""
    meaning: str = ""
    """Meaning, for types that mean the same in many records. Defaults to the field's docstring."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Marks a field with a record whose fields are in the same row or table."""


BESIDE = Beside()


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A key of a table that is read as a record."""

    name: str
    default: str
    """In words, or "needed"."""
    meaning: str


def keys(record: type[BaseModel], without: Collection[str] = ()) -> list[RecordKey]:
    texts = meanings(record)
    return [
        RecordKey(
            field.alias or name,
            "needed" if field.is_required() else _in_words(field.get_default(call_default_factory=True)),
            " ".join(texts.get(name, "").split()),
        )
        for name, field in record.model_fields.items()
        if name not in without
    ]


def paths_by_record(record: type[BaseModel], without: Collection[str] = ()) -> dict[type[BaseModel], list[str]]:
    """Return the records inside a record, at any depth, with the paths of their keys, like `exceptions.when`."""
    tables: dict[type[BaseModel], list[str]] = {}
    for name, field in record.model_fields.items():
        inner = None if name in without else record_in(field.annotation)
        if inner is None:
            continue
        key = field.alias or name
        tables.setdefault(inner, []).append(key)
        for deeper, paths in paths_by_record(inner).items():
            tables.setdefault(deeper, []).extend(f"{key}.{path}" for path in paths)
    return tables


def record_in(annotation: object) -> type[BaseModel] | None:
    """Return the first record type in a type such as `tuple[Phase, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(record_in, typing.get_args(annotation))), None)


def _in_words(default: object) -> str:
    if isinstance(default, tuple) and default and isinstance(default[0], BaseModel):
        return "always, enacted"
    if isinstance(default, tuple | frozenset):
        return "[" + ", ".join(sorted(map(str, default))) + "]"
    if isinstance(default, dict):
        return "empty"
    if isinstance(default, bool):
        return str(default).lower()
    if default is None:
        return "none"
    return str(default) or "empty"


def meanings(record: type) -> dict[str, str]:
    """Return field -> docstring in the last class that defines it. Empty if there is none, or no source."""
    texts: dict[str, str] = {}
    for base in reversed(record.__mro__):
        if base.__module__.partition(".")[0] in ("builtins", "pydantic"):
            continue
        module = inspect.getmodule(base)
        body = _class_bodies(module).get(base.__qualname__, []) if module is not None else []
        for field, next_statement in zip(body, [*body[1:], None], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                texts[field.target.id] = _docstring(next_statement)
    return texts


def _docstring(statement: ast.stmt | None) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


@cache
def _class_bodies(module: ModuleType) -> dict[str, list[ast.stmt]]:
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):  # a module without source
        return {}
    return dict(_walk_classes(tree, ""))


def _walk_classes(scope: ast.AST, path: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            yield path + node.name, node.body
            yield from _walk_classes(node, f"{path}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield from _walk_classes(node, f"{path}{node.name}.<locals>.")
        else:
            yield from _walk_classes(node, path)
