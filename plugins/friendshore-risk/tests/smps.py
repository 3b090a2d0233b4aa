"""Two-stage problems in SMPS files (core, time, stochastics), as far as published problems of two stages use the format.

Birge, Dempster, Gassmann, Gunn, King and Wallace, A standard input format for multiperiod stochastic linear programs, COAL Newsletter 17 (1987);
Gassmann and Schweitzer, A comprehensive input format for stochastic linear programs, Annals of Operations Research 104 (2001).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from friendshore.program.matrix import Entries, Linear
from friendshore_risk.twostage import RecourseProgram, ScenarioBranch, SecondStage

Place = tuple[str, str]
"""Column (`RHS`: the right-hand sides) and row."""
Outcome = tuple[float, dict[Place, float]]
"""How probable, and the numbers that it changes."""


@dataclass
class Core:
    """A linear program by names."""

    senses: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, float]] = field(default_factory=dict)
    rhs: dict[str, float] = field(default_factory=dict)
    lower: dict[str, float] = field(default_factory=dict)
    upper: dict[str, float] = field(default_factory=dict)
    integer: set[str] = field(default_factory=set)
    ranges: dict[str, float] = field(default_factory=dict)


def lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """Section and words of every line that is no comment."""
    section = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("*"):
            continue
        if not line[0].isspace():
            section = line.split()[0].upper()
            yield section, ["", *line.split()[1:]]
        else:
            yield section, line.split()


def read_core(text: str) -> Core:
    """The core file."""
    core, whole = Core(), False
    for section, words in lines(text):
        if words[0] == "":
            continue
        if section == "ROWS":
            core.senses[words[1]] = words[0].upper()
        elif section == "COLUMNS":
            if "MARKER" in words[1].upper():
                whole = "INTORG" in words[2].upper()
                continue
            column = core.columns.setdefault(words[0], {})
            if whole:
                core.integer.add(words[0])
            for row, value in zip(words[1::2], words[2::2], strict=True):
                column[row] = column.get(row, 0.0) + float(value)
        elif section == "RHS":
            pairs = words[1:] if len(words) % 2 else words
            core.rhs |= {row: float(value) for row, value in zip(pairs[::2], pairs[1::2], strict=True)}
        elif section == "RANGES":
            core.ranges |= {row: float(value) for row, value in zip(words[1::2], words[2::2], strict=True)}
        elif section == "BOUNDS":
            _bound(core, words)
    return core


def _bound(core: Core, words: list[str]) -> None:
    kind, name = words[0].upper(), words[2] if len(words) > 2 and words[2] in core.columns else words[1]
    value = float(words[-1]) if kind not in ("FR", "MI", "PL", "BV") else 1.0
    if kind in ("UP", "UI", "FX", "BV"):
        core.upper[name] = value
    if kind in ("LO", "LI", "FX"):
        core.lower[name] = value
    if kind in ("FR", "MI"):
        core.lower[name] = -np.inf
    if kind in ("BV", "UI", "LI"):
        core.integer.add(name)


def read_outcomes(text: str, core: Core) -> list[list[Outcome]]:
    """Independent random elements, each with its outcomes; of SCENARIOS, one element whose outcomes they are."""
    found: dict[str, list[Outcome]] = {}
    scenarios: dict[str, dict[Place, float]] = {}
    current: dict[Place, float] = {}
    for section, words in lines(text):
        if words[0] == "":
            continue
        if section == "INDEP":
            changed = {_place(words[0], words[1], core): float(words[2])}
            found.setdefault(f"{words[0]} {words[1]}", []).append((float(words[-1]), changed))
        elif words[0] in ("BL", "SC"):  # a block is like its first outcome, a scenario like its parent
            outcomes = found.setdefault(words[1] if words[0] == "BL" else "", [])
            like = outcomes[0][1] if words[0] == "BL" and outcomes else scenarios.get(words[2], {})
            current = scenarios[words[1]] = dict(like)
            outcomes.append((float(words[3]), current))
        else:
            numbers = zip(words[1::2], words[2::2], strict=True)
            current |= {_place(words[0], row, core): float(value) for row, value in numbers}
    return list(found.values())


def _place(column: str, row: str, core: Core) -> Place:
    return (column if column in core.columns else "RHS"), row


def every(outcomes: list[list[Outcome]]) -> list[Outcome]:
    """Every combination of outcomes."""
    return [
        (float(np.prod([chance for chance, _ in some])), dict(ChainMap(*(changed for _, changed in reversed(some)))))
        for some in product(*outcomes)
    ]


class Read:
    """A core file cut into two stages, from which second stages are made."""

    def __init__(self, core: str, time: str) -> None:
        self.core = read_core(core)
        column, row = [words for section, words in lines(time) if section == "PERIODS" and words[0]][1][:2]
        names, rows = list(self.core.columns), list(self.core.senses)
        at, below = names.index(column), rows.index(row)
        self.before, self.after = names[:at], names[at:]
        self.objective = next(row for row, sense in self.core.senses.items() if sense == "N")
        self.first_rows, self.rows = (
            [name for name in some if self.core.senses[name] != "N"] for some in (rows[:below], rows[below:])
        )

    def stage(self, changed: dict[Place, float]) -> SecondStage:
        low, high = self._ends(self.rows, changed)
        before = np.array([changed.get((name, self.objective), 0.0) for name in self.before])
        given = np.array([self.core.columns[name].get(self.objective, 0.0) for name in self.before])
        technology, recourse = (self._entries(self.rows, names, changed) for names in (self.before, self.after))
        money = np.where(before != 0.0, before - given, 0.0)
        return SecondStage(*self._bounds(self.after, changed), technology, recourse, low, high, money)

    def program(self, outcomes: list[Outcome]) -> RecourseProgram:
        """The two-stage program of some outcomes."""
        entries = self._entries(self.first_rows, self.before, {})
        first = Linear(*self._bounds(self.before, {}), entries, *self._ends(self.first_rows, {}))
        stages = tuple(self.stage(changed) for _, changed in outcomes)
        branches = tuple(ScenarioBranch(chance, (number,)) for number, (chance, _) in enumerate(outcomes))
        return RecourseProgram(first, stages, branches)

    def _bounds(self, names: list[str], changed: dict[Place, float]) -> tuple[np.ndarray, ...]:
        core = self.core
        cost = [changed.get((n, self.objective), core.columns[n].get(self.objective, 0.0)) for n in names]
        lower = [core.lower.get(n, 0.0) for n in names]
        upper = [core.upper.get(n, 1.0 if n in core.integer and n not in core.lower else np.inf) for n in names]
        return (
            np.array(cost),
            np.array(lower),
            np.array(upper),
            np.array([n in core.integer for n in names], dtype=bool),
        )

    def _ends(self, rows: list[str], changed: dict[Place, float]) -> tuple[np.ndarray, np.ndarray]:
        low, high = [], []
        for row in rows:
            value, sense = changed.get(("RHS", row), self.core.rhs.get(row, 0.0)), self.core.senses[row]
            span = abs(self.core.ranges.get(row, np.inf))
            low.append(value - span if sense == "L" else value)
            high.append(value + span if sense == "G" else value)
        return np.array(low), np.array(high)

    def _entries(self, rows: list[str], names: list[str], changed: dict[Place, float]) -> Entries:
        of_row = {row: number for number, row in enumerate(rows)}
        found = [
            (of_row[row], number, changed.get((name, row), value))
            for number, name in enumerate(names)
            for row, value in self.core.columns[name].items()
            if row in of_row
        ]
        row, column, value = zip(*found, strict=True) if found else ((), (), ())
        places = np.array(row, dtype=np.intp), np.array(column, dtype=np.intp)
        return Entries.summed(*places, np.array(value, dtype=float), (len(rows), len(names)))
