"""What a rule reads beside what it is given: the clock, dice, the environment, files, the network, the order in which sets are gone through."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from types import CodeType, FrameType, MethodType
from typing import Any, cast

from pydantic import BaseModel

from friendshore.domain.facts import DeclaredColumn, Material
from friendshore.domain.use import Verdict
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins.elsewhere import elsewhere
from friendshore.plugins.interface import is_own, package_of
from friendshore.rules.base import Rule
from friendshore.rules.rows import one_by_one

from .asking import Asking, described, normal
from .check import NotLookedAt
from .worlds import worlds

_CLOCK = "the clock"
_FILES = "files"
_CALLS: dict[Callable[..., Any], str] = {
    **{
        getattr(time, name): _CLOCK
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime")
    },
    **{getattr(os, name): _FILES for name in ("open", "stat", "lstat", "listdir", "scandir", "getcwd")},
    io.open: _FILES,
    io.open_code: _FILES,
    os.urandom: "dice",
}  # fmt: skip
_DAYS = frozenset({"now", "today", "utcnow"})
_ENVIRONMENT: tuple[CodeType, ...] = (type(os.environ).__getitem__.__code__, type(os.environ).__iter__.__code__)
"""Of what `os.environ` is, which is written in Python."""
_DICE = cast(MethodType, random.random).__self__
"""What `random.random` and the like throw: a generator of ones own, made from a seed, is no dice."""
_ANYBODYS = frozenset({"importlib", "logging", "warnings", "linecache", "zipimport"})
"""Packages that read files and clocks for reasons of their own: importing a module within a function is no reading."""


@contextmanager
def watched(package: str) -> Iterator[list[Diagnostic]]:
    """Watches what the code of a top-level package reads beside what it is given; what is found is in the list afterwards.

    What others read for reasons of their own is not laid at its door.
    """
    found: list[Diagnostic] = []
    seen: set[tuple[str, int]] = set()

    def look(frame: FrameType, event: str, called: Any) -> None:
        what = _reading(frame, event, called)
        by = _whose(frame, package) if what else None
        if by is not None and (by.f_code.co_filename, by.f_lineno) not in seen:
            seen.add((by.f_code.co_filename, by.f_lineno))
            found.append(Diagnostic(f"it reads {what}", by.f_code.co_filename, by.f_lineno))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _reading(frame: FrameType, event: str, called: Any) -> str:
    """What a call reads; empty if it reads nothing."""
    if event == "call":
        return "the environment" if any(frame.f_code is code for code in _ENVIRONMENT) else ""
    if event != "c_call":
        return ""
    owner = getattr(called, "__self__", None)
    if owner is _DICE:
        return "dice"
    if called.__name__ in _DAYS and isinstance(owner, type) and issubclass(owner, date):
        return _CLOCK
    if getattr(called, "__module__", "") == "_socket" or type(owner).__module__ == "_socket":
        return "the network"
    return _CALLS.get(called, "") if owner is None or type(owner).__name__ == "module" else ""


def _whose(frame: FrameType, package: str) -> FrameType | None:
    """Where the package asks for it; None if it is asked for by somebody else, whom the package may have called."""
    at: FrameType | None = frame
    while at is not None:
        root = str(at.f_globals.get("__name__", "")).partition(".")[0]
        if root == package:
            return at
        if (
            root in _ANYBODYS
            or root == __name__.partition(".")[0]
            or at.f_code.co_filename.startswith("<frozen importlib")
        ):
            return None
        at = at.f_back
    return None


def impure(asking: Asking) -> Iterator[str | Diagnostic]:
    """What shows that a rule's answers rest on more than what it is given, or that asking it changes something."""
    kind = type(asking.rule)
    if not is_own(kind):
        with watched(package_of(kind)) as found:
            asking.judged()
            asking.rows()
        yield from found
    judged, rows = asking.first_judged, asking.first_rows
    shown, rule = asking.before
    if asking.shown() != shown:
        yield "being asked, it changes what it is shown"
    elif asking.judged() != judged:
        yield "asked the same questions twice, it gives other verdicts or charges"
    elif asking.judged(backwards=True) != judged:
        yield "asked the same questions in another order, it gives other verdicts or charges"
    elif normal(asking.rows()) != normal(rows):
        yield "asked for its rows twice, it gives other rows"
    elif asking.rule.model_dump_json() != rule:
        yield "being asked changes the rule itself"


def disordered(asking: Asking) -> Iterator[str]:
    """Rows that change with the order in which a rule is shown things."""
    usual = normal(asking.rows())
    if any(normal(asking.rows(order=seed)) != usual for seed in (1, 2, 3)):
        yield "its rows change with the order in which it is shown offers, demands, materials and places"


SEEDS = ("1", "2")
LIMIT = 120.0
"""Seconds for each process."""


def unsteady(
    rules: Sequence[Rule], materials: Sequence[Material], count: int, columns: Sequence[DeclaredColumn] = ()
) -> list[str]:
    """Ids of rules that say something else, or the same in another order, where sets are gone through in another order, in `count` made-up cases.

    Raises:
        NotLookedAt: if their classes are unavailable in another process.
    """
    told = {
        "rules": [_told(rule) for rule in rules],
        "materials": [material.model_dump(mode="json") for material in materials],
        "count": count,
        "columns": [column.model_dump(mode="json") for column in columns],
    }

    def asked(seed: str) -> Any:
        return elsewhere(f"{__name__}:fingerprints", told, LIMIT, {"PYTHONHASHSEED": seed}).said

    with ThreadPoolExecutor(len(SEEDS)) as workers:
        said = list(workers.map(asked, SEEDS))
    if any(answer is None for answer in said):
        raise NotLookedAt("the classes of the rules are unavailable in another process")
    return [rule.id for rule, one, other in zip(rules, *said, strict=True) if one != other]


def _told(rule: Rule) -> dict[str, Any]:
    settings = rule.settings
    return {**_written(rule), "settings": None if settings is None else _written(settings)}


def _written(record: BaseModel) -> dict[str, Any]:
    kind = type(record)
    return {
        "module": kind.__module__,
        "class": kind.__qualname__,
        "data": record.model_dump(mode="json", by_alias=True),
    }


def _read(written: Mapping[str, Any]) -> Any:
    return getattr(import_module(written["module"]), written["class"]).model_validate(written["data"])


def fingerprints(told: Mapping[str, Any]) -> list[str]:
    """What the other process does: a digest of all that each rule says, in its order."""
    materials = [Material.model_validate(material) for material in told["materials"]]
    columns = [DeclaredColumn.model_validate(column) for column in told["columns"]]
    found = []
    for one in told["rules"]:
        settings = one["settings"]
        rule: Rule = _read(one).given(None if settings is None else _read(settings))
        cases = worlds([rule], materials, told["count"], columns=columns)
        said = [_said(Asking(rule, world)) for world in cases]
        found.append(hashlib.sha256(repr(said).encode()).hexdigest())
    return found


def _said(asking: Asking) -> list[str]:
    try:
        rows = [f"{row.label} {described(row)}" for made in asking.rows() for row in one_by_one(made)]
    except InputError:
        rows = []  # it names something that only a real case has
    judged: Sequence[Any] = asking.judged()
    verdicts = [v.model_dump_json() if isinstance(v, Verdict) else repr(v) for answers in judged for v in answers]
    return [*rows, *verdicts]
