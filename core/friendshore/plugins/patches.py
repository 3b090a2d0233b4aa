"""Whether code of a plugin has changed friendshore's own, its verifier above all, or facts: what can be seen of that from within.

A plugin's code runs with the same rights, and could hide what it does. Found are functions, methods, classes and constants of friendshore's modules,
of the classes that theirs are made of, and Python's built-in functions, where they are others than before.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from hashlib import sha256
from types import BuiltinFunctionType, FunctionType, ModuleType

from pydantic import BaseModel

from ..errors import Diagnostic, PluginError
from .attribution import owner_of_package
from .interface import OWN, is_own, package_of
from .manifest import PluginInfo
from .running import have_run

_PLAIN = (int, float, str, bytes, Decimal, Fraction, tuple, frozenset)
"""Values that can only be replaced."""
_HELD = (dict, list, set)
"""Values that can be changed within; those of a name in capitals never are."""


def own_code() -> dict[str, object]:
    """Everything of friendshore's own that a plugin has no business with, by its full name."""
    return {name: _identity(name, value) for name, value in _named()}


def refuse_altered(before: Mapping[str, object], info: PluginInfo) -> None:
    """Refuses a plugin by whose import or hook friendshore's own code was changed; `before` is what `own_code` was.

    Raises:
        PluginError: naming what was changed.
    """
    now = dict(_named())
    found = [
        name
        for name, was in before.items()
        if was is not None and (name not in now or _identity(name, now[name]) != was)
    ]
    found += [name for name, value in now.items() if name not in before and _package(value) == info.package]
    if found:
        raise PluginError(_problem(info, found))


def refuse_taken_over() -> None:
    """Refuses every result where code of a plugin that has run stands in the place of friendshore's own.

    Raises:
        PluginError: naming what, and whose it is.
    """
    packages = have_run()
    found: dict[str, list[str]] = {}
    for name, value in _named() if packages else ():
        package = _package(value)
        if package in packages:
            found.setdefault(package, []).append(name)
    if found:
        raise PluginError(_problem(owner_of_package(package), names) for package, names in sorted(found.items()))


@contextmanager
def unaltered(facts: Iterable[BaseModel]) -> Iterator[None]:
    """While a case is planned: refuses the result where a plugin's code has changed friendshore's own code, or facts: catalogs, the case, rules.

    Raises:
        PluginError: naming what was changed, and who may have done so.
    """
    kept = tuple(facts)
    before = _digest(kept) if have_run() else ""
    yield
    refuse_taken_over()
    if before and _digest(kept) != before:
        infos = [owner_of_package(package) for package in have_run()]
        named = " or ".join(info.label for info in infos)
        message = f"facts were changed by code of a plugin while rules were asked ({named}). No plan that follows from them is to be relied on"
        fix = f"uninstall or block {infos[0].distribution if len(infos) == 1 else 'them'}, or report this to the author"
        raise PluginError(message, infos[0].file if len(infos) == 1 else "", fix=fix)


def _digest(facts: Iterable[BaseModel]) -> str:
    """Of records as they are, whatever now stands in them."""
    found = sha256()
    for one in facts:
        try:
            found.update(one.model_dump_json(warnings=False).encode())
        except ValueError:  # something that no record holds
            return "changed"
    return found.hexdigest()


def _problem(info: PluginInfo, names: Collection[str]) -> Diagnostic:
    some = sorted(names)[:5]
    told = ", ".join(f"`{name}`" for name in some) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    message = f"{info.label} changes code that is not its own: {told}. Nothing that is then said can be relied on"
    return Diagnostic(message, info.file, fix=f"uninstall or block {info.distribution}, or report this to its author")


def _named() -> Iterator[tuple[str, object]]:
    """Names and values in the modules of friendshore that are loaded, in their classes and what those derive from, and the built-in ones."""
    seen: set[type] = set()
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] != OWN or not isinstance(module, ModuleType):
            continue
        yield name, module
        for key, value in list(vars(module).items()):
            if isinstance(value, type):
                for one in value.__mro__ if is_own(value) else ():
                    if one is not object and one not in seen:
                        seen.add(one)
                        yield from _members(one)
            if not key.startswith("__"):
                yield f"{name}.{key}", value
    yield from ((f"builtins.{key}", value) for key, value in list(vars(builtins).items()) if key != "_")


def _members(one: type) -> Iterator[tuple[str, object]]:
    for key, value in list(vars(one).items()):
        if not key.startswith("__") or isinstance(value, FunctionType | classmethod | staticmethod | property):
            yield f"{one.__module__}.{one.__qualname__}.{key}", value


def _identity(name: str, value: object) -> object:
    """What tells a value from another that was put in its place; None: it may change by itself."""
    value = _within(value)
    if isinstance(value, FunctionType):
        return id(value), id(value.__code__), id(value.__defaults__), repr(value.__kwdefaults__)
    if isinstance(value, type | BuiltinFunctionType | ModuleType | property | partial):
        return id(value)
    if isinstance(value, _PLAIN):
        return type(value), value
    if isinstance(value, _HELD) and name.rpartition(".")[2].isupper():
        return [(id(key), id(value[key])) for key in value] if isinstance(value, dict) else [id(one) for one in value]
    return None


def _within(value: object) -> object:
    """The function within what wraps one."""
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    if isinstance(value, property):
        return value.fget
    return value.func if isinstance(value, cached_property | partial) else value


def _package(value: object) -> str:
    """The package that a function or class was written in; of anything else, that of its class."""
    value = _within(value)
    if isinstance(value, FunctionType):
        return str(value.__globals__.get("__name__", "")).partition(".")[0]
    return package_of(value if isinstance(value, type) else type(value))
