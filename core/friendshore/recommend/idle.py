"""What a case or its catalogs say that does nothing in its plan, or not what it looks like: far dates, stages and words that nothing has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from ..domain.facts import Catalog
from ..domain.looks import misleading
from ..domain.suggest import did_you_mean
from ..domain.time import Span
from ..errors import Diagnostic
from ..problem import Problem
from ..rules.base import Rule
from ..rules.kinds import OriginBan

_YEARS_AFTER = 50
_YEARS_BEFORE = 100
"""How far from the plan a date lies that is more likely a slip; 9999 is what many write for `no end`."""
_NO_END = 9999
_ALIKE = 0.8
"""How alike an end use is to the one of which it is a slip."""


def far_dates(problem: Problem, dates: Iterable[tuple[date, str]]) -> Iterator[Diagnostic]:
    """Dates so far from the plan that a digit is likely wrong.

    Args:
        problem: the case with its facts.
        dates: days, with what begins or ends on them.
    """
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


def end_uses(problem: Problem) -> Iterator[Diagnostic]:
    """End uses of demands that no rule names, and that are nearly what a rule names."""
    named = {word for rule in problem.rules for word in getattr(rule, "end_uses", ())}
    for demand in problem.demands:
        word = demand.spec.end_use
        meant = did_you_mean(word, named, _ALIKE) if word not in named else ""
        if meant:
            yield Diagnostic(
                f"demand `{demand.id}` is for `{word}`, which no rule names: rules for a word like it do not look at this demand",
                column="demand.end_use",
                found=word,
                fix=meant,
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
