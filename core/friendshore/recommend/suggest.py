"""Suggestions for a case without errors: dates within periods, leads, figures out of scale, and facts that do nothing in the plan."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import numpy as np

from ..case.formats import is_toml
from ..case.load import mentions
from ..catalog import nothings, review
from ..catalog.review import ambiguous_amounts, ambiguous_cells
from ..domain.base import grouped
from ..domain.basis import Factors, equal_weights
from ..domain.facts import Catalog
from ..domain.quantities import readable
from ..domain.runtime import without_gc
from ..domain.suggest import did_you_mean, misleading
from ..domain.time import Period, Span
from ..errors import Diagnostic
from ..plugins import Registry
from ..problem import Problem
from ..problem.capacity import accepted_steps
from ..problem.case_checks import UNEXAMINED, end_uses
from ..program import Program, compile_program
from ..readers import reader_in
from ..rules.base import Rule
from ..rules.kinds import Exclude, OriginBan
from ..rules.kinds.limits.counting import Counting
from ..rules.kinds.shared import Covering, is_party
from ..solve.scaling import FarApart, far_apart
from .describe import describe_leads
from .gather import Gathered
from .law import idle_limits, suggest_duties

DEMAND_FILE = "demand.csv"
"""Usual name of a table of demands."""
_SHOWN = 3
"""Maximum number of names for a shared date."""
_NEARLY = 0.8
"""Minimum similarity of a probable misspelling to the name of a company."""
_BELOW_ONE = re.compile(r"(0?\.\d+)\s*%")
_SHARES = ("share", "least_share")
"""Keys of rules that contain a share."""
_DEMANDS = 3
"""Maximum number of demands in a suggestion."""
_FAR_APART = 1_000
"""Ratio of two prices of a material from which different units are likely."""


@without_gc()
def suggestions(gathered: Gathered, problem: Problem, registry: Registry) -> list[Diagnostic]:
    """Return all suggestions, in the order of their subjects."""
    read = {name for name, called in gathered.named.items() if reader_in(called) is not None}
    own = [catalog for catalog in gathered.catalogs if not catalog.distribution or catalog.name in read]
    found = [
        *_ambiguous(gathered, own),
        *_small_shares(gathered),
        *_bought_leads(gathered, problem),
        *_unnamed(problem),
        *_unexamined(problem),
        *_namesakes(gathered, registry),
        *(told for catalog in own for told in nothings(catalog)),
        *(told for catalog in own for told in looks(catalog)),
        *(told for told in end_uses(problem.case, problem.rules) if not told.fix),  # the others are doubts
        *_boundaries(problem),
        *_far_dates(problem, _dates(problem)),
        *_never(gathered, problem),
        *_rules(problem),
        *_own_rules(problem),
        *_prices(problem),
        *_demands(problem),
        *_unstated_bases(problem),
        *out_of_scale(problem),
        *_leads(problem),
        *_origins(problem),
        *suggest_duties(problem),
        *gathered.overridden,
        *_renamed(problem),
        *_catalogs(gathered),
    ]
    return list(dict.fromkeys(found))


def _ambiguous(gathered: Gathered, own: Iterable[Catalog]) -> Iterator[Diagnostic]:
    """Yield amounts of the case and its own catalogs whose separators have two readings that differ by a factor of 1000."""
    file = gathered.places.case
    read = [(Path(word.file), word) for word in gathered.places.read]  # of a file that is a table, what stands in it
    tables = dict.fromkeys(path for path, _ in read if path.suffix == ".csv" and path.is_file())
    words = [*(mentions(file) if file is not None else ()), *(word for path, word in read if path not in tables)]
    yield from ambiguous_amounts((w.file, w.row or 0, f"{w.section}.{w.column}", w.word) for w in words)
    for path in tables:
        yield from ambiguous_cells(path)
    for catalog in own:
        place = gathered.places.catalogs.get(catalog.name)
        if isinstance(place, Path):
            yield from ambiguous_cells(place)


def _small_shares(gathered: Gathered) -> Iterator[Diagnostic]:
    """Yield shares in rules of the case below one percent: `0.7 %` more often means 0.7."""
    file = gathered.places.case
    for word in mentions(file) if file is not None else ():
        stated = _BELOW_ONE.fullmatch(word.word)
        if stated is None or word.column not in _SHARES or not word.section.startswith(("rule", "scenario")):
            continue
        share = Decimal(stated[1])
        fix = f"write `{(share * 100).normalize():f} %` if you mean {share}; write {share / 100:f} if you mean less than one percent"
        message = f"`{word.word}` is less than one percent"
        yield Diagnostic(message, word.file, word.row, f"{word.section}.{word.column}", word.word, fix=fix)


def _bought_leads(gathered: Gathered, problem: Problem) -> list[Diagnostic]:
    """Return the offers with orders or current purchases that no plan can buy from."""
    reasons = {lead.offer.id: lead.texts for lead in problem.leads}
    named = [(order.offer, "order.offer", "has an open order") for order in problem.case.orders]
    named += [(today.offer, "incumbent.offer", "is bought from today") for today in problem.case.incumbents]
    found = [
        Diagnostic(
            f"`{offer}` {what}, but no plan can buy from it: {'; '.join(reasons[offer])}",
            column=column,
            found=offer,
            fix=f'state the figure in its catalog, or in [[assume.offer]] with id = "{offer}"',
        )
        for offer, column, what in named
        if offer in reasons
    ]
    return gathered.places(found) if found else []


def _unnamed(problem: Problem) -> Iterator[Diagnostic]:
    """Yield a table of demands beside the case file that the case doesn't name, so that its rows don't count."""
    file = problem.case.file
    table = None if file is None or not is_toml(file) else file.with_name(DEMAND_FILE)
    if file is None or table is None or not table.is_file():
        return
    if not any((word.section, word.column) == ("use", "demand") for word in mentions(file)):
        yield Diagnostic(
            "nothing in it counts: it lies beside the case, which names no table of demands",
            str(table),
            fix=f'write demand = "{DEMAND_FILE}" under [use], or move it elsewhere',
        )


def _unexamined(problem: Problem) -> Iterator[Diagnostic]:
    """Yield goods for defense and similar uses whose origin no rule in use checks."""
    for told in problem.assumptions:
        if told.subject == UNEXAMINED:
            yield Diagnostic(
                f"{UNEXAMINED}, {told.text}",
                column="use.packs",
                fix="add the pack whose law bears on them, or a [[rule]] of kind `origin-ban`; where no law does, nothing is to be mended",
            )


def _namesakes(gathered: Gathered, registry: Registry) -> Iterator[Diagnostic]:
    """Yield packs and catalogs of the case that share a name with installed ones, which the plan doesn't use."""
    own = [("packs", pack.id, registry.packs) for pack, by in gathered.packs if not by]
    own += [("catalogs", catalog.name, registry.catalogs) for catalog in gathered.catalogs if not catalog.distribution]
    for column, name, installed in own:
        if name in installed:
            yield Diagnostic(
                f"`{name}` is that of the case, and not the one of that name that {installed[name]} brings",
                column=f"use.{column}",
                found=gathered.named.get(name, name),
                fix=f"name the installed one, `{name}`, or call your own otherwise",
            )


def _renamed(problem: Problem) -> Iterator[Diagnostic]:
    """Yield names in the case that newer ones replaced."""
    words = mentions(problem.case.file) if problem.case.followed and problem.case.file is not None else []
    for alias in problem.case.followed:
        told = Diagnostic(alias.told, found=f"`{alias.old}`", fix=f"write `{alias.new}`")
        at = [word for word in words if word.word == alias.old]
        yield from [replace(told, file=word.file, row=word.row, column=word.column) for word in at] or [told]


def _boundaries(problem: Problem) -> Iterator[Diagnostic]:
    """Yield dates within a period. The model then uses the whole period, or spreads a quantity over it."""
    subjects: defaultdict[date, list[str]] = defaultdict(list)
    for day, text in _dates(problem):
        if text not in subjects[day]:
            subjects[day].append(text)
    for day in sorted(subjects):
        period = _around(problem, day)
        if period is None or day == period.end:  # a day makes no difference to plan by
            continue
        named = "; ".join(subjects[day][:_SHOWN])
        more = len(subjects[day]) - _SHOWN
        named += f"; and {more} more" if more > 0 else ""
        yield Diagnostic(
            f"{day} falls within {period.label}: {named}",
            column="case.period",
            found=f"{period.label}, {period.start} to {period.end}",
            fix=f"let a period begin on {day} by `start` and `period`",
        )


def _never(gathered: Gathered, problem: Problem) -> Iterator[Diagnostic]:
    """Yield rules without a phase, including those of packs. The plan names the pack but never applies such a rule."""
    for rule in problem.rules:
        if not rule.phases:
            by = gathered.pack_of.get(rule.id)
            of, file = (f" of {by}", gathered.places.rules.get(rule.id, ("", None))[0]) if by else ("", "")
            message = f"rule `{rule.id}`{of} has no phase, so that it never holds"
            yield Diagnostic(message, file, column="rule", fix="leave `phases` out")


def _rules(problem: Problem) -> Iterator[Diagnostic]:
    """Yield rules of the case without the apparent effect: limits that limit nothing, and exclusions without a match."""
    asked = {rule.id for rule, _ in problem.limit_rows}
    own = {str(table.get("id")) for table in problem.case.rules}
    for rule, text in idle_limits(problem):
        if rule.id in own and rule.id in asked:
            yield Diagnostic(text, column="rule", fix='take a share of what is bought: `of = "purchases"`')
    offers = [facts.offer for facts in problem.offers] + [lead.offer for lead in problem.leads]
    for rule in problem.rules:
        if rule.id in own and "rows" in rule.verbs and rule.id not in asked:
            yield Diagnostic(
                f"rule `{rule.id}` limits nothing: no demand of the case is of a material it is about, or it has no force in the plan",
                column="rule",
                fix="look at its materials, places and phases",
            )
        if (
            rule.id in own
            and isinstance(rule, Covering)
            and not any(map(rule.covers, problem.merged.materials.values()))
        ):
            yield Diagnostic(
                f"rule `{rule.id}` bears on no material of the case's catalogs: {rule.subject()}",
                column="rule",
                fix="name materials by id, elements by symbol, forms and tags as in materials.csv",
            )
        if rule.id in own and isinstance(rule, Exclude):
            yield from _slips(rule, problem)
        if isinstance(rule, Exclude | Counting):
            unknown = sorted(set(rule.offers) - {offer.id for offer in offers})
            unknown += sorted(set(rule.facilities) - {offer.facility for offer in offers})
            for name in unknown:
                does = "keeps out" if isinstance(rule, Exclude) else "counts purchases from"
                yield Diagnostic(
                    f"rule `{rule.id}` {does} `{name}`, which no offer of the case goes by",
                    column="rule",
                    found=name,
                )


def _slips(rule: Exclude, problem: Problem) -> Iterator[Diagnostic]:
    """Yield excluded parties that match no company in the case but nearly match one."""
    facilities = problem.merged.facilities.values()
    for field, listed, names in (
        ("suppliers", rule.suppliers, {facility.supplier for facility in facilities}),
        ("parents", rule.parents, {facility.owner for facility in facilities}),
    ):
        for name in listed:
            meant = "" if any(is_party(one, [name]) for one in names) else did_you_mean(name, names, _NEARLY)
            if meant:
                message = f"rule `{rule.id}` keeps out `{name}`, which nobody of the case's catalogs is called"
                yield Diagnostic(message, column=f"rule.{field}", found=name, fix=meant)


def _dates(problem: Problem) -> Iterator[tuple[date, str]]:
    """Yield all first days, and the first days after last ones, each with its subject."""
    for subject, start, end, begins, ends in (*_rule_spans(problem), *_supply_spans(problem), *_paper_spans(problem)):
        if start is not None:
            yield start, f"{subject} {begins}"
        if end is not None and end < date.max:
            yield end + timedelta(days=1), f"{subject} {ends}"


def _around(problem: Problem, day: date) -> Period | None:
    """Return the period that a date falls within without starting it."""
    index = problem.case.horizon.find(day)
    if index is None:
        return None
    period = problem.case.horizon.periods[index]
    return None if period.start == day else period


_DatedSpan = tuple[str, date | None, date | None, str, str]
"""Subject, first and last day, and how the plan counts each of them."""


def _rule_spans(problem: Problem) -> Iterator[_DatedSpan]:
    for rule in problem.rules:
        whole = "for the whole period" if "judge" in rule.verbs else "by the days of the period"
        for phase in rule.phases:
            subject = f"`{rule.id}` ({phase.status})"
            yield subject, phase.start, phase.end, f"begins and counts {whole}", f"ends and counts {whole}"


def _supply_spans(problem: Problem) -> Iterator[_DatedSpan]:
    """Yield the days of offers, quotations, and capacity steps, and those of order terms, which apply in every period with one of their days."""
    begins, ends = (
        "begins: it may be ordered from the next period on",
        "ends: it may be ordered up to the period before",
    )
    seen = set()
    for facts in problem.offers:
        name, facility = facts.offer.id, facts.facility
        yield f"offer `{name}`", facts.offer.start, facts.offer.end, begins, ends
        for quote in facts.offer.quotes:
            yield f"a quotation of `{name}`", quote.start, quote.end, begins, ends
        for step in () if facility.id in seen else accepted_steps(facility, problem.merged, problem.case):
            if problem.case.accept.counts(step.status):
                yield f"capacity of `{facility.id}`", step.start, None, "changes: spread over the period by days", ""
        seen.add(facility.id)
    whole = "they hold for the whole period"
    for terms in dict.fromkeys(span.terms for span in problem.term_spans):
        yield f"terms of {terms.name}", terms.start, terms.end, f"begin: {whole}", f"end: {whole}"


def _paper_spans(problem: Problem) -> Iterator[_DatedSpan]:
    """Yield the days of licenses and waivers, which count only in periods that they cover completely."""
    begins, ends = "begins: it counts from the next period on", "ends: it counts up to the period before"
    for noun, papers in (("licence", problem.case.licences), ("waiver", problem.case.waivers)):
        for paper in papers:
            yield f"{noun} `{paper.id or paper.rule}`", paper.start, paper.end, begins, ends


def _prices(problem: Problem) -> Iterator[Diagnostic]:
    """Yield prices of one material that differ by a factor of 1000."""
    prices: defaultdict[str, list[tuple[Decimal, str]]] = defaultdict(list)
    for facts in problem.offers:
        if facts.single:
            prices[facts.offer.outputs[0].material] += [(price, facts.offer.id) for price in facts.price if price > 0]
    for material, found in sorted(prices.items()):
        (low, cheap), (high, dear) = min(found), max(found)
        if high > _FAR_APART * low:
            yield Diagnostic(
                f"prices of {material} are more than {_FAR_APART:,} times apart",
                found=f"{readable(low)} of `{cheap}`, {readable(high)} of `{dear}` {problem.case.currency}/kg",
                fix="check the units of both",
            )


def _demands(problem: Problem) -> Iterator[Diagnostic]:
    """Yield demands too small to be planned to the resolution."""
    for demand in problem.demands:
        most = max(demand.quantity, default=Decimal(0))
        if not most:
            yield Diagnostic(
                f"demand `{demand.id}` wants nothing in any period", column="demand", fix="check its dates"
            )
        elif most < 10 * problem.case.resolution:
            yield Diagnostic(
                f"demand `{demand.id}` is hardly above the resolution",
                column="demand",
                found=f"{readable(most)} kg in a period",
                fix="check its unit, or plan to a finer `resolution`",
            )


def _unstated_bases(problem: Problem) -> Iterator[Diagnostic]:
    """Yield the materials with several trade bases whose demands name no substance."""
    factors = Factors(problem.merged.factors)
    plain = grouped((one.use.material.id, one.id) for one in problem.demands if not one.spec.substance)
    for name, demands in plain.items():
        material = problem.merged.materials[name]
        weights = [f"{readable(kg)} kg of {other}" for other, kg in equal_weights(material, factors).items()]
        if weights:
            yield Diagnostic(
                f"demand for {name} does not say what its kilograms weigh: they count as {material.basis}, of which 1 kg is {' or '.join(weights)}",
                column="demand",
                found=", ".join(f"`{demand}`" for demand in demands[:_DEMANDS])
                + (f" and {len(demands) - _DEMANDS} more" if len(demands) > _DEMANDS else ""),
                fix=f'write the substance, as in "5 t {material.basis}"',
            )


def _leads(problem: Problem) -> Iterator[Diagnostic]:
    """Yield offers that don't count, grouped by goods and reason."""
    alike = grouped(((tuple(lead.materials), tuple(lead.reasons)), lead) for lead in describe_leads(problem))
    for (materials, reasons), leads in alike.items():
        named = [f"`{lead.offer}` ({lead.country})" for lead in leads]
        yield Diagnostic(
            f"{', '.join(named)} {'is a lead' if len(leads) == 1 else 'are leads'} for {', '.join(materials)}: {'; '.join(reasons)}",
            column="assume.offer",
            fix=f'give the figure in [[assume.offer]] with id = "{leads[0].offer}"'
            + (", and the like" if leads[1:] else ""),
        )


def _origins(problem: Problem) -> Iterator[Diagnostic]:
    """Yield customs origins that contradict the stages of their offer, so that the higher of two duties is charged."""
    for chained in dict.fromkeys(arc.chained for arc in problem.network.arcs if arc.chained.origin_contradicted):
        yield Diagnostic(
            f"the customs origin of `{chained.offer.id}` is stated where none of its stages is done: it counts as of both, at the dearer duty",
            column="offers.customs_origin",
            found=chained.offer.customs_origin,
            expected=", ".join(sorted(chained.last_countries[0])),
            fix="leave it blank, or add to its chain what is done there",
        )


def _catalogs(gathered: Gathered) -> Iterator[Diagnostic]:
    """Yield the review of the catalogs beside the case. Those of plugins are their authors' responsibility."""
    for catalog in gathered.catalogs:
        if not catalog.distribution:
            yield from review(catalog, [other for other in gathered.catalogs if other.name in catalog.requires])


def out_of_scale(problem: Problem) -> Iterator[Diagnostic]:
    """Yield quantities that are too small for the resolution or beside others, judged by the program that a plan would solve."""
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
    """Yield offers that can deliver, and inputs that can be used, less than one step of the resolution in every period."""
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
    """Names of columns in a planner's words."""

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
        """Column of units made, or of the use of an offer or order -> the offer."""
        columns = self.program.columns
        found = {column: offer for (offer, _, _), column in columns.make.items()}
        found |= {column: offer for offer, column in columns.onboard.items()}
        return found | {column: offer for (offer, _), column in columns.order.items()}

    @cached_property
    def delivers(self) -> dict[int, tuple[int, int, int, tuple[str, ...]]]:
        """Column of a delivery -> its demand, period, compliance class, and waivers."""
        return dict(zip(self.program.columns.deliver, self.program.columns.deliver_key, strict=True))

    def of(self, column: int) -> str:
        columns, problem = self.program.columns, self.problem
        if column in self.buys:
            arc = problem.network.arcs[int(problem.moves.arc[self.buys[column]])]
            return f"{arc.node[0]} from `{arc.name}`"
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
        """Return the catalog table with an offer's figure, or "" for any other column."""
        offer = self.makers.get(column, -1)
        if column in self.buys:
            offer = self.problem.network.arcs[int(self.problem.moves.arc[self.buys[column]])].offer
        catalog = self.problem.offers[offer].offer.catalog if offer >= 0 else ""
        return f"{catalog}: offers.csv" if catalog else ""


_YEARS_AFTER = 50
_YEARS_BEFORE = 100
"""Distance in years from the plan at which a date is probably an error. The year 9999 often means no end."""
_NO_END = 9999


def _far_dates(problem: Problem, dates: Iterable[tuple[date, str]]) -> Iterator[Diagnostic]:
    """Yield dates so far from the plan that a digit is probably wrong, each with its subject."""
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


def _own_rules(problem: Problem) -> Iterator[Diagnostic]:
    """Yield the case's own rules that are never in force during the plan, or that prohibit a stage that none of their materials have."""
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
    """Yield words of a catalog with misleading characters, which rules and limits don't match as expected."""
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
