"""What a case or its catalogs say that is doubtful though it can be read.

That is what does nothing in the plan, or not what it looks like: far dates, stages and words that nothing has. And figures out of scale: those
that a solver cannot tell apart in one plan, and quantities below the resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property

import numpy as np

from ..domain.facts import Catalog
from ..domain.suggest import misleading
from ..domain.time import Span
from ..errors import Diagnostic
from ..problem import Problem
from ..program import Program, compile_program
from ..rules.base import Rule
from ..rules.kinds import OriginBan
from ..solve.scaling import FarApart, far_apart


def out_of_scale(problem: Problem) -> Iterator[Diagnostic]:
    """What of a case is too small beside what it is planned with, judged on the program that a plan would solve."""
    program = compile_program(problem)
    named = _Names(program)
    for found in far_apart(program):
        yield _apart(found, named, program)
    yield from _too_little(program)


def _apart(found: FarApart, named: _Names, program: Program) -> Diagnostic:
    small, large = named.of(found.small), named.of(found.large)
    apart = f"{found.ratio:.0e} times apart"
    if found.row is None:
        return Diagnostic(
            f"what {small} costs is lost beside what {large} costs: both belong to one part of the plan",
            file=named.file(found.small),
            found=f"{apart}, once quantities are scaled",
            expected="up to 1e+09",
            fix="check the units of both prices, or plan the two in cases of their own",
        )
    (owner,) = program.owners_of(np.array([found.row]))
    return Diagnostic(
        f"{small} is lost beside {large} in one row of the plan ({owner})",
        file=named.file(found.small),
        found=f"{apart}, once quantities are scaled",
        expected="up to 1e+07",
        fix="check the units of both; materials that need not be planned together may have cases of their own",
    )


def _too_little(program: Program) -> Iterator[Diagnostic]:
    """Offers of which no period can bring, and inputs of which no period can take, one step of the resolution."""
    problem, linear, columns = program.problem, program.linear, program.columns
    step = float(problem.case.resolution)
    arc = problem.moves.arc[columns.buy_move]
    offers = np.array([a.offer for a in problem.network.arcs], dtype=np.intp)[arc] if len(arc) else arc
    bought = offers >= 0
    brings = np.full(len(problem.offers), -np.inf)  # the most in any period, by offer; in one pass over all columns
    np.maximum.at(brings, offers[bought], linear.upper[columns.buy][bought])
    taken: dict[tuple[str, str, str], float] = {}
    for facts, most in zip(problem.offers, brings.tolist(), strict=True):
        if 0 < most < step:
            yield _below(f"offer `{facts.offer.id}` can bring", most, facts.offer.catalog, program)
        if facts.single and facts.offer.inputs and np.isfinite(most):
            for line in facts.offer.inputs:
                key = (facts.offer.id, line.material, facts.offer.catalog)
                taken[key] = most / float(facts.mass_per_unit) * float(line.per_unit)
    for (offer, material, catalog), kilograms in taken.items():
        if 0 < kilograms < step:
            yield _below(f"offer `{offer}` can take of {material}", kilograms, catalog, program)


def _below(what: str, kilograms: float, catalog: str, program: Program) -> Diagnostic:
    step = program.problem.case.resolution.normalize()
    return Diagnostic(
        f"the most that {what} in any period is below {step:f} kg, the resolution to which plans are rounded",
        file=f"{catalog}: offers.csv" if catalog else "",
        found=f"{kilograms:.3g} kg",
        expected=f"{step:f} kg or more",
        fix="check its unit, or plan to a finer `resolution`",
    )


class _Names:
    """What columns are about, in a planner's words."""

    def __init__(self, program: Program) -> None:
        self.program, self.problem = program, program.problem
        self.count = self.problem.case.horizon.count

    @cached_property
    def buys(self) -> dict[int, int]:
        """Column of a purchase -> its move."""
        columns = self.program.columns
        return dict(zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True))

    @cached_property
    def makers(self) -> dict[int, int]:
        """Column of units made, of the use of an offer or of an order -> the offer."""
        columns = self.program.columns
        found = {column: offer for (offer, _, _), column in columns.make.items()}
        found |= {column: offer for offer, column in columns.onboard.items()}
        return found | {column: offer for (offer, _), column in columns.order.items()}

    @cached_property
    def delivers(self) -> dict[int, tuple[int, int, int, tuple[str, ...]]]:
        """Column of a delivery -> its demand, period, compliance class and waivers."""
        return dict(zip(self.program.columns.deliver, self.program.columns.deliver_key, strict=True))

    def of(self, column: int) -> str:
        """What a column is about."""
        columns, problem = self.program.columns, self.problem
        if column in self.buys:
            arc = problem.network.arcs[int(problem.moves.arc[self.buys[column]])]
            name = arc.chained.offer.id if arc.lot < 0 else problem.lots[arc.lot].id
            return f"{arc.node[0]} from `{name}`"
        if column in self.makers:
            return f"an order of `{problem.offers[self.makers[column]].offer.id}`"
        if column in self.delivers:
            return f"demand `{problem.demands[self.delivers[column][0]].id}`"
        if columns.short <= column < columns.short + len(problem.demands) * self.count:
            return f"a shortage of `{problem.demands[(column - columns.short) // self.count].id}`"
        for (node, _), first in columns.stock.items():
            if first <= column < first + self.count:
                material, place = problem.network.nodes[node]
                return f"stock of {material} at {place}"
        return "something that a rule or an order term counts"

    def file(self, column: int) -> str:
        """The table of a catalog that a figure of an offer stands in; empty for any other."""
        offer = self.makers.get(column, -1)
        if column in self.buys:
            offer = self.problem.network.arcs[int(self.problem.moves.arc[self.buys[column]])].offer
        catalog = self.problem.offers[offer].offer.catalog if offer >= 0 else ""
        return f"{catalog}: offers.csv" if catalog else ""


_YEARS_AFTER = 50
_YEARS_BEFORE = 100
"""How far from the plan a date lies that is more likely a slip; 9999 is what many write for `no end`."""
_NO_END = 9999


def far_dates(problem: Problem, dates: Iterable[tuple[date, str]]) -> Iterator[Diagnostic]:
    """Dates, each with what begins or ends on it, so far from the plan that a digit is likely wrong."""
    periods = problem.case.horizon.periods
    first, last = periods[0].start.year - _YEARS_BEFORE, periods[-1].end.year + _YEARS_AFTER
    for day, text in dict.fromkeys(dates):
        if not first <= day.year <= last and day.year < _NO_END:
            yield Diagnostic(
                f"{day} is far from the plan: {text}",
                found=str(day),
                expected=f"a day near {periods[0].start} to {periods[-1].end}",
                fix="check the year",
            )


def own_rules(problem: Problem) -> Iterator[Diagnostic]:
    """Rules of the case's own that never hold within the plan, or bar a stage that no material of theirs has."""
    own = {str(table.get("id")) for table in problem.case.rules}
    span = problem.case.horizon.span
    for rule in problem.rules:
        if rule.id not in own:
            continue
        spans = [Span(start=phase.start, end=phase.end) for phase in rule.phases]
        if spans and not any(phase.meets(span) for phase in spans):
            yield Diagnostic(
                f"rule `{rule.id}` holds on no day of the plan",
                column="rule.phases",
                found=", ".join(f"{phase.start or 'ever'} to {phase.end or 'ever'}" for phase in spans),
                expected=f"a day of {span.start} to {span.end}",
                fix="check the dates, or delete the rule",
            )
        yield from _stages(rule, problem)


def _stages(rule: Rule, problem: Problem) -> Iterator[Diagnostic]:
    if not isinstance(rule, OriginBan):
        return
    covered = {name: material for name, material in problem.merged.materials.items() if rule.covers(material)}
    there = {stage for material in covered.values() for stage in material.stages}
    for offer in problem.merged.offers.values():
        there |= {entry.main_stage for entry in offer.chain}
    if covered and there.isdisjoint(rule.stages):
        yield Diagnostic(
            f"rule `{rule.id}` bars nothing: no material that it covers has its stages",
            column="rule.stages",
            found=", ".join(rule.stages),
            expected="a stage of the materials: " + (", ".join(sorted(there)) or "they state none"),
            fix="check `stages` of the rule, and of the materials in materials.csv",
        )


def looks(catalog: Catalog) -> Iterator[Diagnostic]:
    """Words of a catalog that are not what they look like: rules and limits take them for other words than they seem to be."""
    for material in catalog.materials:
        for column in ("name", "element", "form"):
            yield from _look(getattr(material, column), f"{catalog.name}/materials.csv", column, material.id)
        for tag in sorted(material.tags):
            yield from _look(tag, f"{catalog.name}/materials.csv", "tags", material.id)
    for facility in catalog.facilities:
        for column in ("name", "operator", "parent", "place"):
            yield from _look(getattr(facility, column), f"{catalog.name}/facilities.csv", column, facility.id)


def _look(text: str, file: str, column: str, name: str) -> Iterator[Diagnostic]:
    why = misleading(text)
    if why:
        fix = "type it again: a rule or limit that names it in plain letters means another"
        yield Diagnostic(f"{column} of `{name}` {why}", file, column=column, found=text, fix=fix)
