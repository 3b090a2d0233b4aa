"""Lazy imports: a package's public names, loaded on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module


def load_on_use(
    package: str, names_by_module: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` (PEP 562), and `__all__` of a package from its modules, whose names may start with a dot."""
    modules = {name: module for module, names in names_by_module.items() for name in names}

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(modules[name], package), name)
        return value

    def list_names() -> list[str]:
        return sorted({name for name in vars(sys.modules[package]) if name.startswith("__")} | {*modules})

    return get, list_names, sorted(modules)
