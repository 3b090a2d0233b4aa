"""Checks of readers: each reads its own example, as a case in its package's folder would have it do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ..case.load import with_demands
from ..catalog import read_catalogs
from ..domain.case import Case
from ..domain.time import Horizon, PeriodLength
from ..errors import Diagnostic, InputError, PluginError
from ..plugins import PluginInfo, Registry
from ..plugins.readings import What
from ..readers import Reader
from .check import Check, NotLookedAt

_NOTHING = "nothing-answers-to-this"
_CASE = Case(name="example", horizon=Horizon(start=date(2027, 1, 1), count=4, length=PeriodLength.YEAR), place="US")
"""A case that demands of an example are added to."""


def reader_checks(name: str, info: PluginInfo, registry: Registry) -> tuple[Check, ...]:
    """All checks of a reader.

    Args:
        name: what it is called.
        info: the plugin that brings it.
        registry: what is installed.
    """
    subject = f"reader `{name}`"
    home = Path(info.file).parent

    def written() -> Iterator[Diagnostic]:
        reader = registry.reader(name)
        if not (type(reader).__doc__ or "").strip():
            yield Diagnostic("has no text", info.file or subject, fix="say in its docstring what it reads")
        if not _reads(reader):
            yield Diagnostic("reads nothing", info.file or subject, expected="`catalog`, `demand` or both")

    def reads() -> Iterator[Diagnostic]:
        reader = _there(name, registry)
        if not reader.example:
            raise NotLookedAt("it names no example: give its class `example`, a file of the package that it can read")
        for what in _reads(reader):
            yield from _example(f"{name}:{reader.example}", what, home, registry)

    def missing() -> Iterator[Diagnostic]:
        for what in _reads(_there(name, registry)):
            try:
                registry.read(f"{name}:{_NOTHING}", what, home)
            except InputError:
                continue
            except PluginError as error:
                yield from error.problems
            fix = "raise InputError(Diagnostic(message, file, fix=...)) where what is asked for is not there"
            yield Diagnostic(f"asked for a {what} that is not there, it does not say so", subject, fix=fix)

    return (
        Check(subject, "written", "It has a text, and reads catalogs, demands or both.", written),
        Check(subject, "reads", "What it reads of its example is the same twice, and without a mistake.", reads),
        Check(
            subject, "missing", "Where what it is asked for is not there, it says so as a mistake of the case.", missing
        ),
    )


def _there(name: str, registry: Registry) -> Reader:
    try:
        return registry.reader(name)
    except PluginError as error:
        raise NotLookedAt("its code is unavailable: see `code`") from error


def _reads(reader: Reader) -> list[What]:
    """What it overrides."""
    every: tuple[What, ...] = ("catalog", "demand")
    return [what for what in every if getattr(type(reader), what) is not getattr(Reader, what)]


def _example(name: str, what: What, home: Path, registry: Registry) -> Iterator[Diagnostic]:
    """What is wrong with what is read of an example."""
    first, second = (registry.read(name, what, home) for _ in range(2))
    if first.digest != second.digest:
        yield Diagnostic(f"reads something else of {name} when it is asked again", name, fix="read no clock or dice")
    if what == "demand":
        with_demands(_CASE, first.rows.tables["demand"], name)
    else:
        read_catalogs([first.catalog(home)], registry.catalog_folder)
