"""Names that a package offers, loaded from the module that holds each when it is first used."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path


def load_on_use(package: str, exports: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__` (PEP 562): every name that it offers, with the module below it that holds it."""

    def get(name: str) -> object:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(import_module(f".{exports[name]}", package), name)
        return found

    def names() -> list[str]:
        return sorted({name for name in vars(sys.modules[package]) if name.startswith("__")} | {*exports})

    return get, names


def stated_names(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """The same and `__all__`, of the imports that the stub beside a package's `__init__.py` states, which type checkers read."""
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    exports = {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return *load_on_use(package, exports), sorted(exports)
