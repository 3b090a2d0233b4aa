"""Scenarios from the command line: grids of varied figures, and lists of scenarios from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context
from math import prod
from pathlib import Path

from friendshore.case.stated import keys_and_values, read_stated
from friendshore.domain.case import Case, Scenario
from friendshore.domain.change import Change
from friendshore.domain.quantities import parse_number
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError
from friendshore.problem.changes import scenario_changes
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.kept import Kept
from friendshore.reading import kinds as k
from friendshore.reading.fields import Field, layout
from friendshore.reading.tomlfile import read_section, read_toml
from friendshore.rules.keys import CHANGE, SCENARIO, scenario

from .results import Scenarios, SweepScenario

OPTION = "--vary"
WRITTEN = "'price=OFFER, factor=0.5..2/16', 'disable=RULE,RULE', 'capacity=PLANT, delay=0 months,12 months', 'scenario=NAME,NAME' (* for all) or 'strict=no,yes'"
"""Examples of the syntax."""
NOTHING = "none"
"""A value that leaves the case unchanged."""
MOST = 1_000_000
"""Maximum number of scenarios: what a machine plans in a day at some milliseconds each. More is probably a typing error."""
_RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>.+)/\s*(?P<count>\d+)\s*")
_AMOUNT = re.compile(r"(?P<number>[-+.,\d]+)\s*(?P<unit>.*)", re.DOTALL)
_DIGITS = Context(prec=12)
"""Precision of the values of a range."""
_USUAL = {
    "price": "factor",
    "capacity": "factor",
    "demand": "factor",
    "lead_time": "factor",
    "accept": "factor",
    "loosen": "by",
}
"""Subject of a change -> field that varies by default. Other subjects vary by the name."""
_FILE = layout(
    "scenarios", "A list of scenarios.", Field("scenario", k.TABLES, "A scenario.", inside=SCENARIO, repeated=True)
)
_TRUTHS = {"no": False, "yes": True}
FILE = "scenarios"
"""Name of the axis with the scenarios of a file."""
_NAMED = ("scenario", FILE)
"""Axes whose values are complete by themselves."""
AS_IT_IS = "as it is"
"""Name of the scenario without changes."""


@dataclass(frozen=True, slots=True)
class GridValue:
    """A value of an axis."""

    told: str
    applied: Applied
    option: str
    """Option that contains it, for messages."""


@dataclass(frozen=True, slots=True)
class GridAxis:
    """A varied field and its values."""

    name: str
    values: tuple[GridValue, ...]


def scenarios_of(facts: Inputs, base: Applied, vary: Sequence[str], file: Path | None) -> Scenarios:
    """Return every scenario of a grid; the last axis changes first. Without axes, return the scenarios of the case.

    Args:
        facts: Facts of the case, without changes.
        base: Changes that apply to all scenarios.
        vary: Axes, as written.
        file: File of scenarios, which form another axis.

    Raises:
        InputError: With all errors in the axes, including names that the case doesn't have.
    """
    found: list[Diagnostic] = []
    axes = list(_axes(facts.case, vary, found))
    if file is not None:
        axes.insert(0, _of_file(facts.case, file, found))
    if not vary and file is None:
        axes = [_of_case(facts.case)]
    if found:
        raise InputError(dict.fromkeys(found))
    count = prod(len(axis.values) for axis in axes)
    if count > MOST:
        raise InputError(
            "the grid is too large", column=OPTION, found=f"{count:,} scenarios", expected=f"at most {MOST:,}"
        )
    _refuse_unknown(facts, base, axes)

    def made(place: int) -> SweepScenario:
        values: list[GridValue] = []
        for axis in reversed(axes):
            place, at = divmod(place, len(axis.values))
            values.append(axis.values[at])
        return _joined(base, axes, values[::-1])

    return Scenarios(count, made)


def _refuse_unknown(facts: Inputs, base: Applied, axes: Iterable[GridAxis]) -> None:
    """Check each value by itself. Conflicts between values are reported with their scenario.

    Raises:
        InputError: With all values that name nothing in the case.
    """
    known, found = replace(facts, kept=Kept()), dict[Diagnostic, None]()
    for value in (value for axis in axes for value in axis.values):
        try:
            known.apply(_both(base, value.applied))
        except InputError as error:
            found |= {replace(one, file=value.option, row=None): None for one in error.problems}
    if found:
        raise InputError(found)


def _joined(base: Applied, axes: Sequence[GridAxis], values: Sequence[GridValue]) -> SweepScenario:
    applied = base
    for value in values:
        applied = _both(applied, value.applied)
    varied = {axis.name: value.told for axis, value in zip(axes, values, strict=True)}
    told = [text if name in _NAMED else f"{name} {text}" for name, text in varied.items() if text != NOTHING]
    return SweepScenario(name=", ".join(told) or AS_IT_IS, varied=varied, applied=applied)


def _both(one: Applied, other: Applied) -> Applied:
    return Applied(
        scenario=(*one.scenario, *other.scenario),
        changes=(*one.changes, *other.changes),
        strict=one.strict or other.strict,
    )


def _axes(case: Case, vary: Sequence[str], found: list[Diagnostic]) -> Iterator[GridAxis]:
    names: dict[str, int] = {}
    for text in vary:
        if text.replace(" ", "") == "scenario=*":
            yield _of_case(case)
            continue
        key, equals, stated = (part.strip() for part in text.partition("="))
        option = f"{OPTION} '{text}'"
        if len(parts := keys_and_values(text)) > 1:
            axis = _of_change(parts, option, found)
            names[axis.name] = names.get(axis.name, 0) + 1
            yield axis if names[axis.name] == 1 else replace(axis, name=f"{axis.name} ({names[axis.name]})")
            continue
        values = list(_values(stated, option, found))
        if not (key and equals and values):
            found.append(Diagnostic("cannot be read", option, expected=WRITTEN))
            continue
        names[key] = names.get(key, 0) + 1
        name = key if names[key] == 1 else f"{key} ({names[key]})"
        yield GridAxis(name, tuple(filter(None, (_value(key, value, option, found) for value in values))))


def _of_change(parts: Sequence[tuple[str, str]], option: str, found: list[Diagnostic]) -> GridAxis:
    """Return the axis of a change with several values for one of its keys: the last key with a list or a range."""
    (subject, name), *_ = parts
    listed = [list(_values(value, option, found)) for _, value in parts]
    varied = max((n for n, values in enumerate(listed) if len(values) > 1), default=len(parts) - 1)
    values = []
    for told in listed[varied]:
        text = ", ".join(f"{key}={told if n == varied else value}" for n, (key, value) in enumerate(parts))
        change = None if told == NOTHING else read_stated(text, option, found)
        if told == NOTHING or change is not None:
            values.append(GridValue(told, Applied(changes=() if change is None else (change,)), option))
    fixed = "".join(f", {key}={value}" for n, (key, value) in enumerate(parts) if n not in (0, varied))
    field = parts[varied][0]
    shown = subject if varied == 0 else f"{subject}:{name}"
    return GridAxis(shown + (f":{field}" if varied and field != _USUAL.get(subject) else "") + fixed, tuple(values))


def _values(stated: str, option: str, found: list[Diagnostic]) -> Iterator[str]:
    """Yield the values of a list, with ranges expanded."""
    for part in filter(None, map(str.strip, stated.split(","))):
        spread = _RANGE.fullmatch(part)
        if spread is None:
            yield part
            continue
        low, high = (_AMOUNT.fullmatch(spread[end].strip()) for end in ("low", "high"))
        count = int(spread["count"])
        if low is None or high is None or not 2 <= count <= MOST or (low["unit"] and low["unit"] != high["unit"]):
            expected = (
                "LOW..HIGH/N: two numbers, the second with the unit if there is one, and how many values, 2 or more"
            )
            found.append(Diagnostic("is no range", option, found=part, expected=expected))
            continue
        try:
            first, last = parse_number(low["number"]), parse_number(high["number"])
        except ValueError as error:
            found.append(Diagnostic("is no range", option, found=part, expected=str(error)))
            continue
        for step in range(count):
            value = _DIGITS.plus(first + (last - first) * step / (count - 1)).normalize()
            yield f"{value:f} {high['unit']}".strip()


def _value(key: str, told: str, option: str, found: list[Diagnostic]) -> GridValue | None:
    applied = Applied() if told == NOTHING else _applied(key, told, option, found)
    return None if applied is None else GridValue(told, applied, option)


def _applied(key: str, told: str, option: str, found: list[Diagnostic]) -> Applied | None:
    """Return the changes of a value, or None after recording its errors."""
    if key == "scenario":
        return Applied(scenario=tuple(map(str.strip, told.split("+"))))
    if key == "strict":
        if told not in _TRUTHS:
            found.append(Diagnostic("is neither", option, found=told, expected="no or yes"))
            return None
        return Applied(strict=_TRUTHS[told])
    subject, colon, name = key.partition(":")
    if subject not in Change.SUBJECTS:
        fix = did_you_mean(subject, [*Change.SUBJECTS, "scenario", "strict"])
        expected = f"scenario, strict, or a subject of a change: {', '.join(Change.SUBJECTS)}"
        found.append(Diagnostic("cannot be varied", option, found=subject, expected=expected, fix=fix))
        return None
    rest, _, field = name.rpartition(":")
    if field not in CHANGE.names:
        rest, field = name, _USUAL.get(subject, "")
    if colon and not field:
        fix = f"name what is varied of it, {subject}:{name}:FIELD=...; or write {subject}=NAME,NAME"
        found.append(Diagnostic("does not say what is varied", option, found=key, fix=fix))
        return None
    texts = [f"{subject}={rest}, {field}={told}"] if colon else [f"{subject}={one}" for one in told.split("+")]
    changes = [read_stated(text, option, found) for text in texts]
    return None if None in changes else Applied(changes=tuple(filter(None, changes)))


def _of_case(case: Case) -> GridAxis:
    values = [GridValue(one.name, Applied(scenario=(one.name,)), "") for one in case.scenarios]
    return GridAxis("scenario", tuple(values) or (GridValue(NOTHING, Applied(), ""),))


def _of_file(case: Case, file: Path, found: list[Diagnostic]) -> GridAxis:
    """Return the scenarios of a file, written as in a case file. They may inherit from those of the case."""
    toml = read_toml(file, found)
    if toml is None:
        return GridAxis(FILE, ())
    entries = read_section(toml, _FILE, toml.data).parts("scenario")
    read = [one for one in map(scenario, entries) if one is not None]
    names = [one.name for one in (*case.scenarios, *read)]
    twice = sorted({name for name in names if names.count(name) > 1})
    found += [
        Diagnostic("is there twice, in the file or the case", str(file), column="name", found=name) for name in twice
    ]
    if not read and not found:
        found.append(Diagnostic("holds no scenario", str(file), expected="[[scenario]] tables, as in a case file"))
    if found:
        return GridAxis(FILE, ())
    both = case.but(scenarios=(*case.scenarios, *read))
    return GridAxis(FILE, tuple(_of_scenario(both, one, file, found) for one in read))


def _of_scenario(case: Case, one: Scenario, file: Path, found: list[Diagnostic]) -> GridValue:
    changes: tuple[Change, ...] = ()
    try:
        changes = scenario_changes(case, (one.name,))
    except InputError as error:
        found += [replace(problem, file=str(file)) for problem in error.problems]
    return GridValue(one.name, Applied(changes=changes), f"{file}, scenario {one.name}")
