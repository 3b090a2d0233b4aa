"""Scenarios from the command line: grids of varied figures, and lists of scenarios from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context
from math import prod
from pathlib import Path

from friendshore.case.change_text import keys_and_values, parse_change
from friendshore.domain.case import Case, Scenario
from friendshore.domain.change import Change
from friendshore.domain.quantities import parse_number
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError
from friendshore.problem.changes import scenario_changes
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.shared import SharedData
from friendshore.reading import kinds as k
from friendshore.reading.fields import Field, layout
from friendshore.reading.tomlfile import read_section, read_toml
from friendshore.rules.keys import CHANGE, SCENARIO, scenario

from .results import Scenarios, SweepScenario

OPTION = "--vary"
EXAMPLES = "'price=OFFER, factor=0.5..2/16', 'disable=RULE,RULE', 'capacity=PLANT, delay=0 months,12 months', 'scenario=NAME,NAME' (* for all) or 'strict=no,yes'"
NO_CHANGE = "none"
MAX_SCENARIOS = 1_000_000
"""Maximum number of scenarios. A machine plans about as many in a day, so more is probably a typing error."""
_RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>.+)/\s*(?P<count>\d+)\s*")
_AMOUNT = re.compile(r"(?P<number>[-+.,\d]+)\s*(?P<unit>.*)", re.DOTALL)
_DIGITS = Context(prec=12)
"""12 digits, so that a range has no rounding noise such as 0.30000000000000004."""
_DEFAULT_FIELD = {
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
_BOOLEANS = {"no": False, "yes": True}
FILE_AXIS = "scenarios"
_COMPLETE_AXES = ("scenario", FILE_AXIS)
UNCHANGED = "as it is"


@dataclass(frozen=True, slots=True)
class GridValue:
    """A value of an axis."""

    text: str
    applied: Applied
    option: str


@dataclass(frozen=True, slots=True)
class GridAxis:
    """A varied field and its values."""

    name: str
    values: tuple[GridValue, ...]


def grid_scenarios(facts: Inputs, base_changes: Applied, vary: Sequence[str], file: Path | None) -> Scenarios:
    """Return every scenario of a grid; the last axis changes first. Without axes or a file, return the scenarios of the case.

    Raises InputError with all errors in the axes, including names that the case doesn't have.
    """
    problems: list[Diagnostic] = []
    axes = list(_parse_axes(facts.case, vary, problems))
    if file is not None:
        axes.insert(0, _file_axis(facts.case, file, problems))
    if not vary and file is None:
        axes = [_case_axis(facts.case)]
    if problems:
        raise InputError(dict.fromkeys(problems))
    count = prod(len(axis.values) for axis in axes)
    if count > MAX_SCENARIOS:
        raise InputError(
            "the grid has too many scenarios",
            column=OPTION,
            found=f"{count:,} scenarios",
            expected=f"at most {MAX_SCENARIOS:,}",
            fix="vary less, such as 5 values in place of 50",
            code="FS961",
        )
    _check_names(facts, base_changes, axes)

    def scenario(index: int) -> SweepScenario:
        values: list[GridValue] = []
        for axis in reversed(axes):
            index, position = divmod(index, len(axis.values))
            values.append(axis.values[position])
        return _combine_values(base_changes, axes, values[::-1])

    return Scenarios(count, scenario)


def _check_names(facts: Inputs, base_changes: Applied, axes: Iterable[GridAxis]) -> None:
    """Check each value by itself. Conflicts between values are reported with their scenario."""
    inputs, problems = replace(facts, shared=SharedData()), dict[Diagnostic, None]()
    for value in (value for axis in axes for value in axis.values):
        try:
            inputs.apply(_merge_changes(base_changes, value.applied))
        except InputError as error:
            problems |= {replace(problem, file=value.option, row=None): None for problem in error.problems}
    if problems:
        raise InputError(problems)


def _combine_values(base_changes: Applied, axes: Sequence[GridAxis], values: Sequence[GridValue]) -> SweepScenario:
    changes = base_changes
    for value in values:
        changes = _merge_changes(changes, value.applied)
    varied = {axis.name: value.text for axis, value in zip(axes, values, strict=True)}
    parts = [text if name in _COMPLETE_AXES else f"{name} {text}" for name, text in varied.items() if text != NO_CHANGE]
    return SweepScenario(name=", ".join(parts) or UNCHANGED, varied=varied, applied=changes)


def _merge_changes(first: Applied, second: Applied) -> Applied:
    return Applied(
        scenario=(*first.scenario, *second.scenario),
        changes=(*first.changes, *second.changes),
        strict=first.strict or second.strict,
    )


def _parse_axes(case: Case, vary: Sequence[str], problems: list[Diagnostic]) -> Iterator[GridAxis]:
    names: dict[str, int] = {}
    for option_text in vary:
        if option_text.replace(" ", "") == "scenario=*":
            yield _case_axis(case)
            continue
        key, separator, value_text = (part.strip() for part in option_text.partition("="))
        option = f"{OPTION} '{option_text}'"
        if len(parts := keys_and_values(option_text)) > 1:
            axis = _change_axis(parts, option, problems)
            names[axis.name] = names.get(axis.name, 0) + 1
            yield axis if names[axis.name] == 1 else replace(axis, name=f"{axis.name} ({names[axis.name]})")
            continue
        values = list(_expand_values(value_text, option, problems))
        if not (key and separator and values):
            problems.append(Diagnostic("the axis can't be read", option, expected=EXAMPLES, code="FS960"))
            continue
        names[key] = names.get(key, 0) + 1
        name = key if names[key] == 1 else f"{key} ({names[key]})"
        yield GridAxis(name, tuple(filter(None, (_value(key, value, option, problems) for value in values))))


def _change_axis(parts: Sequence[tuple[str, str]], option: str, problems: list[Diagnostic]) -> GridAxis:
    """Return the axis of a change. The last key with a list or a range varies."""
    (subject, name), *_ = parts
    values_by_key = [list(_expand_values(value, option, problems)) for _, value in parts]
    varied_index = max((n for n, values in enumerate(values_by_key) if len(values) > 1), default=len(parts) - 1)
    values = []
    for value_text in values_by_key[varied_index]:
        text = ", ".join(f"{key}={value_text if n == varied_index else value}" for n, (key, value) in enumerate(parts))
        change = None if value_text == NO_CHANGE else parse_change(text, option, problems)
        if value_text == NO_CHANGE or change is not None:
            values.append(GridValue(value_text, Applied(changes=() if change is None else (change,)), option))
    fixed_text = "".join(f", {key}={value}" for n, (key, value) in enumerate(parts) if n not in (0, varied_index))
    field = parts[varied_index][0]
    axis_name = subject if varied_index == 0 else f"{subject}:{name}"
    return GridAxis(
        axis_name + (f":{field}" if varied_index and field != _DEFAULT_FIELD.get(subject) else "") + fixed_text,
        tuple(values),
    )


def _expand_values(text: str, option: str, problems: list[Diagnostic]) -> Iterator[str]:
    for part in filter(None, map(str.strip, text.split(","))):
        range_match = _RANGE.fullmatch(part)
        if range_match is None:
            yield part
            continue
        low, high = (_AMOUNT.fullmatch(range_match[end].strip()) for end in ("low", "high"))
        count = int(range_match["count"])
        if (
            low is None
            or high is None
            or not 2 <= count <= MAX_SCENARIOS
            or (low["unit"] and low["unit"] != high["unit"])
        ):
            expected = "LOW..HIGH/N with 2 or more values, such as 0.5..2/16 or 0..12 months/4"
            problems.append(Diagnostic("the range can't be read", option, found=part, expected=expected, code="FS960"))
            continue
        try:
            first, last = parse_number(low["number"]), parse_number(high["number"])
        except ValueError as error:
            problems.append(
                Diagnostic("the range can't be read", option, found=part, expected=str(error), code="FS960")
            )
            continue
        for step in range(count):
            value = _DIGITS.plus(first + (last - first) * step / (count - 1)).normalize()
            yield f"{value:f} {high['unit']}".strip()


def _value(key: str, text: str, option: str, problems: list[Diagnostic]) -> GridValue | None:
    changes = Applied() if text == NO_CHANGE else _value_changes(key, text, option, problems)
    return None if changes is None else GridValue(text, changes, option)


def _value_changes(key: str, value_text: str, option: str, problems: list[Diagnostic]) -> Applied | None:
    if key == "scenario":
        return Applied(scenario=tuple(map(str.strip, value_text.split("+"))))
    if key == "strict":
        if value_text not in _BOOLEANS:
            message = "the value of `strict` is unknown"
            problems.append(Diagnostic(message, option, found=value_text, expected="no or yes", code="FS003"))
            return None
        return Applied(strict=_BOOLEANS[value_text])
    subject, separator, name = key.partition(":")
    if subject not in Change.SUBJECTS:
        fix = did_you_mean(subject, [*Change.SUBJECTS, "scenario", "strict"])
        expected = f"scenario, strict, or a subject of a change: {', '.join(Change.SUBJECTS)}"
        problems.append(
            Diagnostic("the subject can't be varied", option, found=subject, expected=expected, fix=fix, code="FS003")
        )
        return None
    subject_name, _, field = name.rpartition(":")
    if field not in CHANGE.names:
        subject_name, field = name, _DEFAULT_FIELD.get(subject, "")
    if separator and not field:
        fix = f"write the field, such as {subject}:{name}:FIELD=1,2, or names, such as {subject}=NAME,NAME"
        problems.append(Diagnostic("the field to vary is missing", option, found=key, fix=fix, code="FS960"))
        return None
    texts = (
        [f"{subject}={subject_name}, {field}={value_text}"]
        if separator
        else [f"{subject}={name_part}" for name_part in value_text.split("+")]
    )
    changes = [parse_change(entry, option, problems) for entry in texts]
    return None if None in changes else Applied(changes=tuple(filter(None, changes)))


def _case_axis(case: Case) -> GridAxis:
    values = [GridValue(scenario.name, Applied(scenario=(scenario.name,)), "") for scenario in case.scenarios]
    return GridAxis("scenario", tuple(values) or (GridValue(NO_CHANGE, Applied(), ""),))


def _file_axis(case: Case, file: Path, problems: list[Diagnostic]) -> GridAxis:
    toml = read_toml(file, problems)
    if toml is None:
        return GridAxis(FILE_AXIS, ())
    entries = read_section(toml, _FILE, toml.data).parts("scenario")
    file_scenarios = [each for each in map(scenario, entries) if each is not None]
    names = [each.name for each in (*case.scenarios, *file_scenarios)]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    problems += [
        Diagnostic(
            "two scenarios of the file or the case have the same name",
            str(file),
            column="name",
            found=name,
            code="FS012",
        )
        for name in duplicates
    ]
    if not file_scenarios and not problems:
        message = "the file contains no scenario"
        problems.append(Diagnostic(message, str(file), expected="[[scenario]] tables, as in a case file", code="FS012"))
    if problems:
        return GridAxis(FILE_AXIS, ())
    extended_case = case.but(scenarios=(*case.scenarios, *file_scenarios))
    return GridAxis(FILE_AXIS, tuple(_file_value(extended_case, each, file, problems) for each in file_scenarios))


def _file_value(case: Case, file_scenario: Scenario, file: Path, problems: list[Diagnostic]) -> GridValue:
    changes: tuple[Change, ...] = ()
    try:
        changes = scenario_changes(case, (file_scenario.name,))
    except InputError as error:
        problems += [replace(problem, file=str(file)) for problem in error.problems]
    return GridValue(file_scenario.name, Applied(changes=changes), f"{file}, scenario {file_scenario.name}")
