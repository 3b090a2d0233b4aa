"""Every mistake of a case and of all that it names, at once, and what could be sharper; nothing is solved."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ..case import load_case
from ..case.load import CASE_FILE
from ..domain.case import Case
from ..domain.time import Horizon, PeriodLength
from ..domain.used import RunPlugin
from ..errors import FriendshoreError, InputError, PluginError, Problem
from ..plugins import Registry
from ..problem import Problem as Facts
from ..problem.changes import apply_changes, scenario_changes
from .gather import Gathered, attempt, gather
from .suggest import suggestions


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check finds."""

    errors: tuple[Problem, ...]
    only_plugins: bool
    """Whether nothing but plugins is wrong."""
    suggestions: tuple[Problem, ...]
    """What is worth telling though nothing is wrong."""
    data: tuple[RunPlugin, ...] = ()
    """Catalogs and packs in use, with the day of each."""

    @property
    def exit_code(self) -> int:
        """That of the errors; 0 without any."""
        if not self.errors:
            return 0
        return PluginError.exit_code if self.only_plugins else InputError.exit_code


def check(path: Path, registry: Registry) -> Checked:
    """Reads a case, its catalogs, packs and rules, and puts them together, scenario by scenario.

    Mistakes of the case file do not keep those of its catalogs and packs from being found.
    """
    errors: list[FriendshoreError] = []
    case = attempt(partial(load_case, path), errors)
    gathered = attempt(partial(gather, case or _names_of(path), registry), errors)
    if case is None or gathered is None:
        return _checked(errors, path, ())
    problem = attempt(partial(Facts.build, case, gathered.catalogs, gathered.rules), errors)
    for scenario in case.scenarios:
        attempt(partial(_apply, gathered, scenario.name), errors)
    told = (*gathered.idle, *(suggestions(gathered, problem) if problem is not None else ()))
    return replace(_checked(errors, path, told), data=gathered.plugins)


def _apply(gathered: Gathered, scenario: str) -> None:
    changes = scenario_changes(gathered.case, (scenario,))
    try:
        apply_changes(changes, gathered.case, gathered.catalogs, gathered.rules, gathered.bills)
    except InputError as error:
        found = [
            replace(p, column=p.column or "change", message=f"{p.message} (scenario `{scenario}`)")
            for p in error.problems
        ]
        raise InputError(found) from error


def _checked(errors: Iterable[FriendshoreError], path: Path, found: Iterable[Problem]) -> Checked:
    file = str(path / CASE_FILE if path.is_dir() else path)
    problems = [p if p.file else replace(p, file=file) for error in errors for p in error.problems]
    only_plugins = all(isinstance(error, PluginError) for error in errors)
    return Checked(tuple(dict.fromkeys(problems)), only_plugins, tuple(found))


def _names_of(path: Path) -> Case:
    """A case that only names the catalogs and packs of a file which has mistakes, as far as they can be made out."""
    file = path / CASE_FILE if path.is_dir() else path
    use: Any = {}
    try:
        use = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("use", {})
    except (OSError, ValueError, RecursionError):
        use = {}  # what is wrong with the file has been said already

    def names(key: str) -> tuple[str, ...]:
        found = use.get(key, ()) if isinstance(use, dict) else ()
        return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()

    horizon = Horizon(start=date(2000, 1, 1), count=1, length=PeriodLength.YEAR)
    return Case(
        name=path.stem, horizon=horizon, place="", catalogs=names("catalogs"), packs=names("packs"), blocked=names("block"),
        folder=file.parent,
    )  # fmt: skip
