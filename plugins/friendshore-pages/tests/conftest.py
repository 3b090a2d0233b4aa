"""Worked cases, and what a page answers, worked out by another solver without one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix

from friendshore.domain.change import Change
from friendshore.domain.plan import Cost
from friendshore.recommend import Opened, reopen
from friendshore.session import Session
from friendshore_pages.interactive.levers import OfferedLevers, PageProgram, numbers

SOURCE = Path(__file__).parents[3] / "docs/cases/small/recipes"
Taken = tuple[int, Decimal, int]
"""A lever by its number, its factor, and the period from which on it takes something away."""


def _made(folder: Path, rules: str = "") -> Opened:
    """The worked case of recipes without scenarios, rules and costs of onboarding, so that nothing in it is whole; with other rules."""
    shutil.copytree(SOURCE / "catalog", folder / "catalog")
    offers = folder / "catalog" / "offers.csv"
    offers.write_text(re.sub(r",\d+ USD,", ",,", offers.read_text()))
    text = re.sub(r"(?ms)^\[\[rule\]\].*\Z", "", (SOURCE / "case.toml").read_text())
    (folder / "case.toml").write_text(text + rules)
    return reopen(folder)


@pytest.fixture(scope="session")
def recipes_without_choices() -> Callable[..., Opened]:
    """What makes and opens it in a folder, with rules of its own."""
    return _made


def _minimum(program: PageProgram, offered: OfferedLevers, taken: Sequence[Taken]) -> float:
    """Of a program after some levers."""
    linear, base = program.layout.linear, numbers(program.layout)
    moved = base.copy()
    for number, factor, _ in taken:
        if number in program.effects:
            moved += program.effects[number].changes(factor, len(base))
    columns, rows = len(linear.cost), len(linear.row_lower)
    cost, lower, upper, row_lower, row_upper, values = np.split(
        moved, np.cumsum([columns, columns, columns, rows, rows])
    )
    lost = {name: first for number, _, first in taken for name in offered.levers[number].offers}
    for column, what in enumerate(program.layout.columns):
        if what.kind in ("bought", "made") and what.ordered >= lost.get(what.name, np.inf):
            upper[column] = 0
    matrix = csr_matrix((values, linear.entries.indices, linear.entries.indptr), linear.entries.shape)
    found = milp(
        cost,
        constraints=LinearConstraint(matrix, row_lower, row_upper),
        bounds=(lower, upper),
        integrality=linear.integer,
        options={"mip_rel_gap": 1e-9},
    )
    return float(found.fun) + linear.constant if found.success else np.inf


def _answered(offered: OfferedLevers, taken: Sequence[Taken]) -> float | None:
    """What the plan comes to after some levers, as the page works it out; None: they are not offered together."""
    stands = {}
    makers = {}
    for number, _, _ in taken:
        for program in offered.programs_by_lever.get(number, ()):
            for part in offered.programs[program].covers:
                if part in stands:
                    return None
                stands[part], makers[part] = program, number
    acting: dict[int, set[int]] = {}
    for number, _, _ in taken:
        for part in offered.affected_parts[number]:
            program = stands.setdefault(part, part)
            if offered.levers[number].kind == "remove" or makers.get(part) == number:
                continue
            if number not in offered.programs[program].effects:
                return None
            if len(offered.programs[program].effects[number].positions):
                acting.setdefault(program, set()).add(number)
    for program, some in acting.items():
        held = offered.programs[program]
        if any({a, b} <= some for a, b in held.conflicts) or (held.is_exclusive and len(some) > 1):
            return None
    total = sum(float(plan.verified.cost.objective) for n, plan in enumerate(offered.plans) if n not in stands)
    return total + sum(_minimum(offered.programs[number], offered, taken) for number in set(stands.values()))


@pytest.fixture(scope="session")
def answered() -> Callable[[OfferedLevers, Sequence[Taken]], float | None]:
    """What a page answers."""
    return _answered


def _cost_after(session: Session, offered: OfferedLevers, taken: Sequence[Taken]) -> Cost | None:
    """Return the cost of the plan after the same changes of the case. None if hard rules conflict."""
    starts = [period.start for period in session.problem.case.horizon.periods]
    order = sorted(taken, key=lambda one: offered.levers[one[0]].kind == "remove")
    changes: list[Change] = [
        offered.levers[number].change_at(factor, starts[first] if first else None) for number, factor, first in order
    ]
    answer = session.what_if(*changes)
    return None if answer.infeasible else answer.cost


def _expected(session: Session, offered: OfferedLevers, taken: Sequence[Taken]) -> float:
    """What the plan comes to after the same changes of the case; infinite: hard rules conflict."""
    cost = _cost_after(session, offered, taken)
    return np.inf if cost is None else float(cost.objective)


@pytest.fixture(scope="session")
def expected() -> Callable[[Session, OfferedLevers, Sequence[Taken]], float]:
    """What `plan` comes to."""
    return _expected


@pytest.fixture(scope="session")
def cost_after() -> Callable[[Session, OfferedLevers, Sequence[Taken]], Cost | None]:
    return _cost_after
