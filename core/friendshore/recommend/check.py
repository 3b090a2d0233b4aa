"""Every mistake of a case and of all that it names, at once, and what could be sharper; nothing is solved."""

from __future__ import annotations

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
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..plugins import Registry, sentence_of
from ..problem import Problem
from ..problem.changes import scenario_changes
from ..problem.inputs import Inputs
from ..reading.textfile import read_bytes
from ..reading.tomltext import toml_data
from ..reading.words import plain
from .gather import attempt, gather
from .names import unanswered
from .suggest import suggestions


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check finds."""

    errors: tuple[Diagnostic, ...]
    only_plugins: bool
    """Whether nothing but plugins is wrong."""
    suggestions: tuple[Diagnostic, ...]
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

    Mistakes of the case file do not keep those of its catalogs and packs from being found, nor any of them the names that
    nothing answers to.
    """
    errors: list[FriendshoreError] = []
    case = attempt(partial(load_case, path), errors)
    named = case or _names_of(path)
    gathered = attempt(partial(gather, named, registry), errors)
    if case is None or gathered is None:
        file = path / CASE_FILE if path.is_dir() else path
        unknown = unanswered(file, named, registry)
        return _checked([*errors, *([InputError(unknown)] if unknown else [])], path, ())
    inputs = gathered.inputs
    problem = attempt(inputs.problem, errors)
    for scenario in case.scenarios:
        attempt(partial(_apply, inputs, gathered.case, scenario.name), errors)
    if problem is not None:
        attempt(partial(_asked, problem, inputs), errors)
        for rule in problem.rules:
            attempt(partial(sentence_of, rule), errors)
    told = suggestions(gathered, problem) if problem is not None and not errors else ()
    return replace(
        _checked(errors, path, (*gathered.idle, *told)), data=tuple(used for used in gathered.plugins if used.has_facts)
    )


def _asked(problem: Problem, inputs: Inputs) -> None:
    """Asks every limit for its rows: some mistakes are seen only then."""
    try:
        problem.limit_rows  # noqa: B018 (computed once, and kept)
    except InputError as error:
        raise InputError(inputs.where(error.problems)) from error


def _apply(inputs: Inputs, case: Case, scenario: str) -> None:
    changes = scenario_changes(case, (scenario,))
    try:
        inputs.after(changes)
    except InputError as error:
        found = [
            replace(p, column=p.column or "change", message=f"{p.message} (scenario `{scenario}`)")
            for p in error.problems
        ]
        raise InputError(found) from error


def _checked(errors: Iterable[FriendshoreError], path: Path, found: Iterable[Diagnostic]) -> Checked:
    file = str(path / CASE_FILE if path.is_dir() else path)
    problems = [p if p.file else replace(p, file=file) for error in errors for p in error.problems]
    only_plugins = all(isinstance(error, PluginError) for error in errors)
    in_order = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.row or 0))
    return Checked(tuple(in_order), only_plugins, tuple(found))


def _names_of(path: Path) -> Case:
    """A case that only names what a file which has mistakes uses, and states its rules, as far as they can be made out."""
    file = path / CASE_FILE if path.is_dir() else path
    data: dict[str, Any] = {}
    try:
        data = toml_data(read_bytes(file).decode("utf-8-sig"), str(file))
    except (OSError, UnicodeDecodeError, InputError):
        data = {}  # what is wrong with the file has been said already
    use, rules = data.get("use", {}), data.get("rule", [])

    def names(key: str) -> tuple[str, ...]:
        found = use.get(key, ()) if isinstance(use, dict) else ()
        return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()

    own = [plain(rule) for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    own = [rule for rule in own if isinstance(rule.get("kind"), str)]
    once = {str(rule.get("id", number)): rule for number, rule in enumerate(own)}
    horizon = Horizon(start=date(2000, 1, 1), count=1, length=PeriodLength.YEAR)
    # Not validated: what is wrong with the file has been said, and must not keep the rest from being found.
    return Case.model_construct(
        name="case", horizon=horizon, place="", catalogs=names("catalogs"), packs=names("packs"), blocked=names("block"),
        folder=file.parent, file=file, rules=tuple(once.values()),
    )  # fmt: skip
