"""Whether code of a plugin has changed friendshore's own, its verifier above all, or facts: what can be seen of that from within.

A plugin's code runs with the same rights, and could hide what it does. Found are functions, methods, classes and constants of friendshore's modules,
of the classes that theirs are made of, and Python's built-in functions, where they are others than before.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from hashlib import sha256
from operator import is_
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import NamedTuple

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
_METHODS = (FunctionType, classmethod, staticmethod, property)
_WRAPS = (classmethod, staticmethod, property, cached_property, partial)
"""What may have a function within."""


class CodePlace(NamedTuple):
    """A module or class of friendshore's own, what one derives from, the modules that are loaded, or Python's built-in functions."""

    itself: object
    members: Mapping[str, object]
    """What stood in it, by name."""
    name: str = ""
    """A module's."""

    def told(self, key: str) -> Iterator[str]:
        """The full name of one of them, if it is no plugin's business."""
        methods = isinstance(self.itself, type) and isinstance(self.members[key], _METHODS)
        if methods or not key.startswith("__") or (self.itself is builtins and key != "_"):
            name = (
                f"{self.itself.__module__}.{self.itself.__qualname__}" if isinstance(self.itself, type) else self.name
            )
            yield f"{name}.{key}" if name else key


@dataclass(frozen=True, slots=True)
class OwnCode:
    """Everything of friendshore's own that a plugin has no business with, as it was at one moment."""

    places: Mapping[int, CodePlace]
    """By the identity of what they are, which nothing else takes while they are kept."""
    ran: Mapping[FunctionType, tuple[CodeType, object, str]]
    """What each function ran, and its defaults."""
    held: Mapping[tuple[int, str], tuple[object, ...]]
    """What stood in dictionaries, lists and sets that never change, by place and name."""


def own_code() -> OwnCode:
    """What it is now."""
    places = {id(place.itself): place for place in _places()}
    ran: dict[FunctionType, tuple[CodeType, object, str]] = {}
    held: dict[tuple[int, str], tuple[object, ...]] = {}
    for number, place in places.items():
        for key, value in place.members.items():
            code = value if type(value) is FunctionType else _within(value) if isinstance(value, _WRAPS) else None
            if isinstance(code, FunctionType):
                if code not in ran:
                    named = code.__kwdefaults__
                    ran[code] = code.__code__, code.__defaults__, repr(named) if named else ""
            elif isinstance(value, _HELD) and key.isupper():
                held[number, key] = (*value, *value.values()) if isinstance(value, dict) else tuple(value)
    return OwnCode(places, ran, held)


def refuse_altered(before: OwnCode, info: PluginInfo) -> None:
    """Refuses a plugin by whose import or hook friendshore's own code was changed; `before` is what `own_code` was.

    Raises:
        PluginError: naming what was changed.
    """
    now = own_code()
    found = {*_replaced(before, now, info.package), *_changed_within(before, now)}
    if found:
        raise PluginError(_problem(info, found))


def refuse_taken_over() -> None:
    """Refuses every result where code of a plugin that has run stands in the place of friendshore's own.

    Raises:
        PluginError: naming what, and whose it is.
    """
    packages = have_run()
    places = [*_places()] if packages else []
    values = {id(value): value for place in places for value in place.members.values()}  # most stand in several
    theirs = {
        number: package
        for number, value in values.items()
        if (package := _written(value) if type(value) is FunctionType else _package(value)) in packages
    }
    found: dict[str, list[str]] = {}
    for place in places if theirs else ():
        for key, value in place.members.items():
            if id(value) in theirs:
                found.setdefault(theirs[id(value)], []).extend(place.told(key))
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


def _places() -> Iterator[CodePlace]:
    """Modules of friendshore that are loaded, their classes and what those derive from, and the built-in functions."""
    loaded: list[tuple[str, object]] = [one for one in sorted(sys.modules.items()) if one[0].partition(".")[0] == OWN]
    modules = {name: one for name, one in loaded if isinstance(one, ModuleType)}
    yield CodePlace(sys.modules, modules)
    seen: set[type] = set()
    for name, module in modules.items():
        members = dict(vars(module))
        for value in members.values():
            if isinstance(value, type) and is_own(value) and value not in seen:
                new = [one for one in value.__mro__ if one is not object and one not in seen]
                seen.update(new)
                yield from [CodePlace(one, dict(vars(one))) for one in new]
        yield CodePlace(module, members, name)
    yield CodePlace(builtins, dict(vars(builtins)), "builtins")


def _replaced(before: OwnCode, now: OwnCode, package: str) -> Iterator[str]:
    """Names of what is another than it was, or gone, and of what is new there and of a package."""
    nowhere = CodePlace(None, {})
    for number in {**before.places, **now.places}:
        was, there = before.places.get(number, nowhere), now.places.get(number, nowhere)
        if not _same(was.members, there.members) or not _same(was.members.values(), there.members.values()):
            for key, value in was.members.items():
                if _is_another(_within(there.members.get(key, nowhere)), _within(value)):
                    yield from was.told(key)
            for key, value in there.members.items():
                if value is not was.members.get(key, nowhere) and _package(value) == package:
                    yield from there.told(key)


def _same(some: Collection[object], others: Collection[object]) -> bool:
    """Whether these are the same objects in the same order."""
    return len(some) == len(others) and all(map(is_, some, others))


def _is_another(value: object, was: object) -> bool:
    """Whether a value is another than before; one that may change by itself never is."""
    if isinstance(was, FunctionType | type | BuiltinFunctionType | ModuleType | property | partial):
        return value is not was
    return isinstance(was, _PLAIN) and (type(value) is not type(was) or value != was)


def _changed_within(before: OwnCode, now: OwnCode) -> Iterator[str]:
    """Names of functions that run something else than they did, and of what held something else."""
    other: set[object] = set()
    for function, ran in before.ran.items():
        runs = now.ran.get(function, ran)
        if runs[0] is not ran[0] or runs[1] is not ran[1] or runs[2] != ran[2]:
            other.add(function)
    for place in before.places.values() if other else ():
        for key, value in place.members.items():
            if isinstance(code := _within(value), FunctionType) and code in other:
                yield from place.told(key)
    for (number, key), held in before.held.items():
        if not _same(held, now.held.get((number, key), (now,))):
            yield from before.places[number].told(key)


def _within(value: object) -> object:
    """The function within what wraps one."""
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    if isinstance(value, property):
        return value.fget
    return value.func if isinstance(value, cached_property | partial) else value


def _package(value: object) -> str:
    """The package that a function or class was written in; of anything else, that of its class."""
    code = _within(value) if isinstance(value, _WRAPS) else value
    if isinstance(code, FunctionType):
        return _written(code)
    return package_of(code if isinstance(code, type) else type(code))


def _written(function: FunctionType) -> str:
    return str(function.__globals__.get("__name__", "")).partition(".")[0]
