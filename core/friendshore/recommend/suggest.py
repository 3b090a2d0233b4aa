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
from ..catalog import review, suspicious_zeros
from ..catalog.review import ambiguous_amounts, ambiguous_cells
from ..domain import assumption_codes as codes
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
_MAX_NAMES = 3
"""Maximum number of names for a shared date."""
_MIN_SIMILARITY = 0.8
"""Minimum similarity of a probable misspelling to the name of a company."""
_BELOW_ONE = re.compile(r"(0?\.\d+)\s*%")
_SHARES = ("share", "least_share")
"""Keys of rules that contain a share."""
_MAX_DEMANDS = 3
"""Maximum number of demands in a suggestion."""
_FAR_APART = 1_000
"""Ratio of two prices of a material from which different units are likely."""


@without_gc()
def suggestions(gathered: Gathered, problem: Problem, registry: Registry) -> list[Diagnostic]:
    read = {name for name, called in gathered.named.items() if reader_in(called) is not None}
    own_catalogs = [catalog for catalog in gathered.catalogs if not catalog.distribution or catalog.name in read]
    suggested = [
        *_ambiguous_amounts(gathered, own_catalogs),
        *_small_shares(gathered),
        *_bought_leads(gathered, problem),
        *_unused_demand_table(problem),
        *_unchecked_origins(problem),
        *_namesakes(gathered, registry),
        *(diagnostic for catalog in own_catalogs for diagnostic in suspicious_zeros(catalog)),
        *(diagnostic for catalog in own_catalogs for diagnostic in misleading_words(catalog)),
        *_dates_within_periods(problem),
        *_far_dates(problem, _dates(problem)),
        *_rules_without_phase(gathered, problem),
        *_ineffective_rules(problem),
        *_own_rules(problem),
        *_prices(problem),
        *_demands(problem),
        *_unstated_bases(problem),
        *out_of_scale(problem),
        *_leads(problem),
        *_contradicted_origins(problem),
        *suggest_duties(problem),
        *gathered.ignored_figures,
        *_outdated_names(problem),
        *_catalog_reviews(gathered),
    ]
    return list(dict.fromkeys(suggested))


def _ambiguous_amounts(gathered: Gathered, own_catalogs: Iterable[Catalog]) -> Iterator[Diagnostic]:
    """Yield amounts of the case and its own catalogs whose separators have two readings that differ by a factor of 1000."""
    file = gathered.places.case
    placed_words = [
        (Path(word.file), word) for word in gathered.places.read
    ]  # words of demands; CSV tables are read below as a whole
    tables = dict.fromkeys(path for path, _ in placed_words if path.suffix == ".csv" and path.is_file())
    amounts = [
        *(mentions(file) if file is not None else ()),
        *(word for path, word in placed_words if path not in tables),
    ]
    yield from ambiguous_amounts((w.file, w.row or 0, f"{w.section}.{w.column}", w.word) for w in amounts)
    for path in tables:
        yield from ambiguous_cells(path)
    for catalog in own_catalogs:
        place = gathered.places.catalogs.get(catalog.name)
        if isinstance(place, Path):
            yield from ambiguous_cells(place)


def _small_shares(gathered: Gathered) -> Iterator[Diagnostic]:
    file = gathered.places.case
    for word in mentions(file) if file is not None else ():
        stated = _BELOW_ONE.fullmatch(word.word)
        if stated is None or word.column not in _SHARES or not word.section.startswith(("rule", "scenario")):
            continue
        share = Decimal(stated[1])
        fix = f"write `{(share * 100).normalize():f}%` if you mean {share}; write {share / 100:f} if you mean less than one percent"
        message, column = f"`{word.word}` is less than one percent", f"{word.section}.{word.column}"
        yield Diagnostic(message, word.file, word.row, column, word.word, fix=fix, code="FS645")


def _bought_leads(gathered: Gathered, problem: Problem) -> list[Diagnostic]:
    reasons = {lead.offer.id: lead.texts for lead in problem.leads}
    named = [(order.offer, "order.offer", "has an open order") for order in problem.case.orders]
    named += [(today.offer, "incumbent.offer", "is bought from today") for today in problem.case.incumbents]
    problems = [
        Diagnostic(
            f"`{offer}` {reason}, but no plan can buy from it: {'; '.join(reasons[offer])}",
            column=column,
            found=offer,
            fix=f'state the figure in its catalog, or in [[assume.offer]] with id = "{offer}"',
            code="FS646",
        )
        for offer, column, reason in named
        if offer in reasons
    ]
    return gathered.places(problems) if problems else []


def _unused_demand_table(problem: Problem) -> Iterator[Diagnostic]:
    file = problem.case.file
    table = None if file is None or not is_toml(file) else file.with_name(DEMAND_FILE)
    if file is None or table is None or not table.is_file():
        return
    if not any((word.section, word.column) == ("use", "demand") for word in mentions(file)):
        yield Diagnostic(
            "is ignored, since the case doesn't name a table of demands",
            str(table),
            fix=f'write demand = "{DEMAND_FILE}" under [use], or move the file elsewhere',
            code="FS647",
        )


def _unchecked_origins(problem: Problem) -> Iterator[Diagnostic]:
    for assumption in problem.assumptions:
        if assumption.code == codes.UNEXAMINED:
            yield Diagnostic(
                f"no origin rule applies {assumption.short}; any origin passes, and no origin is found to be lawful",
                column="use.packs",
                fix="add the rule pack of the law that covers them, or a [[rule]] of kind `origin-ban`; if no law does, nothing needs to change",
                code="FS800",
            )


def _namesakes(gathered: Gathered, registry: Registry) -> Iterator[Diagnostic]:
    named_items = [("packs", pack.id, registry.packs) for pack, distribution in gathered.packs if not distribution]
    named_items += [
        ("catalogs", catalog.name, registry.catalogs) for catalog in gathered.catalogs if not catalog.distribution
    ]
    for column, name, installed in named_items:
        if name in installed:
            yield Diagnostic(
                f"`{name}` is the case's own, and not the one with the same name from {installed[name]}",
                column=f"use.{column}",
                found=gathered.named.get(name, name),
                fix=f"use the installed one, `{name}`, or rename your own",
                code="FS648",
            )


def _outdated_names(problem: Problem) -> Iterator[Diagnostic]:
    words = mentions(problem.case.file) if problem.case.followed and problem.case.file is not None else []
    for alias in problem.case.followed:
        diagnostic = Diagnostic(alias.text, found=f"`{alias.old}`", fix=f"write `{alias.new}`", code="FS809")
        places = [word for word in words if word.word == alias.old]
        placed = [replace(diagnostic, file=word.file, row=word.row, column=word.column) for word in places]
        yield from placed or [diagnostic]


def _dates_within_periods(problem: Problem) -> Iterator[Diagnostic]:
    """Yield dates within a period. The model then uses the whole period, or spreads a quantity over it."""
    subjects: defaultdict[date, list[str]] = defaultdict(list)
    for day, text in _dates(problem):
        if text not in subjects[day]:
            subjects[day].append(text)
    for day in sorted(subjects):
        period = _period_around(problem, day)
        if period is None or day == period.end:  # one day makes no difference to a plan
            continue
        named = "; ".join(subjects[day][:_MAX_NAMES])
        omitted_count = len(subjects[day]) - _MAX_NAMES
        named += f"; and {omitted_count} more" if omitted_count > 0 else ""
        yield Diagnostic(
            f"{day} falls within {period.label}: {named}",
            column="case.period",
            found=f"{period.label}, {period.start} to {period.end}",
            fix=f"choose `start` and `period` so that a period begins on {day}",
            code="FS649",
        )


def _rules_without_phase(gathered: Gathered, problem: Problem) -> Iterator[Diagnostic]:
    for rule in problem.rules:
        if not rule.phases:
            pack = gathered.pack_of.get(rule.id)
            pack_text, file = (f" of {pack}", gathered.places.rules.get(rule.id, ("", None))[0]) if pack else ("", "")
            message = f"rule `{rule.id}`{pack_text} has no phase, so it is never in force"
            yield Diagnostic(message, file, column="rule", fix="delete `phases`", code="FS650")


def _ineffective_rules(problem: Problem) -> Iterator[Diagnostic]:
    limiting = {rule.id for rule, _ in problem.limit_rows}
    own_rules = {str(table.get("id")) for table in problem.case.rules}
    for rule, text in idle_limits(problem):
        if rule.id in own_rules and rule.id in limiting:
            yield Diagnostic(text, column="rule", fix='limit a share of purchases: `of = "purchases"`', code="FS806")
    offers = [facts.offer for facts in problem.offers] + [lead.offer for lead in problem.leads]
    for rule in problem.rules:
        if rule.id in own_rules and "rows" in rule.verbs and rule.id not in limiting:
            yield Diagnostic(
                f"rule `{rule.id}` limits nothing: it covers no demand of the case, or isn't in force during the plan",
                column="rule",
                fix="check its materials, places, and phases",
                code="FS806",
            )
        if (
            rule.id in own_rules
            and isinstance(rule, Covering)
            and not any(map(rule.covers, problem.merged.materials.values()))
        ):
            yield Diagnostic(
                f"rule `{rule.id}` covers no material of the case's catalogs: {rule.subject()}",
                column="rule",
                fix="name materials by id, elements by symbol, and forms and tags as in materials.csv",
                code="FS651",
            )
        if rule.id in own_rules and isinstance(rule, Exclude):
            yield from _misspelled_companies(rule, problem)
        if isinstance(rule, Exclude | Counting):
            unknown = sorted(set(rule.offers) - {offer.id for offer in offers})
            unknown += sorted(set(rule.facilities) - {offer.facility for offer in offers})
            for name in unknown:
                verb = "excludes" if isinstance(rule, Exclude) else "counts purchases from"
                message = f"rule `{rule.id}` {verb} `{name}`, which has no offer in the case"
                yield Diagnostic(message, column="rule", found=name, code="FS651")


def _misspelled_companies(rule: Exclude, problem: Problem) -> Iterator[Diagnostic]:
    facilities = problem.merged.facilities.values()
    for field, listed, names in (
        ("suppliers", rule.suppliers, {facility.supplier for facility in facilities}),
        ("parents", rule.parents, {facility.owner for facility in facilities}),
    ):
        for name in listed:
            suggestion = (
                ""
                if any(is_party(company, [name]) for company in names)
                else did_you_mean(name, names, _MIN_SIMILARITY)
            )
            if suggestion:
                message = f"rule `{rule.id}` excludes `{name}`, which is no company in the case's catalogs"
                yield Diagnostic(message, column=f"rule.{field}", found=name, fix=suggestion, code="FS652")


def _dates(problem: Problem) -> Iterator[tuple[date, str]]:
    for subject, start, end, begins, ends in (*_rule_spans(problem), *_supply_spans(problem), *_permit_spans(problem)):
        if start is not None:
            yield start, f"{subject} {begins}"
        if end is not None and end < date.max:
            yield end + timedelta(days=1), f"{subject} {ends}"


def _period_around(problem: Problem, day: date) -> Period | None:
    index = problem.case.horizon.find(day)
    if index is None:
        return None
    period = problem.case.horizon.periods[index]
    return None if period.start == day else period


_DatedSpan = tuple[str, date | None, date | None, str, str]
"""Subject, first and last day, and how the plan counts each of them."""


def _rule_spans(problem: Problem) -> Iterator[_DatedSpan]:
    for rule in problem.rules:
        by_period = "for the whole period" if "judge" in rule.verbs else "by the days of the period"
        for phase in rule.phases:
            subject = f"`{rule.id}` ({phase.status})"
            yield subject, phase.start, phase.end, f"begins and counts {by_period}", f"ends and counts {by_period}"


def _supply_spans(problem: Problem) -> Iterator[_DatedSpan]:
    """Yield the days of offers, quotations, capacity steps, and order terms. Terms apply in every period with one of their days."""
    begins = "begins: it may be ordered from the next period on"
    ends = "ends: it may be ordered up to the period before"
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
    effect = "they apply for the whole period"
    for terms in dict.fromkeys(span.terms for span in problem.term_spans):
        yield f"terms of {terms.name}", terms.start, terms.end, f"begin: {effect}", f"end: {effect}"


def _permit_spans(problem: Problem) -> Iterator[_DatedSpan]:
    """Yield the days of licenses and waivers, which count only in periods that they cover completely."""
    begins, ends = "begins: it counts from the next period on", "ends: it counts up to the period before"
    for noun, papers in (("license", problem.case.licenses), ("waiver", problem.case.waivers)):
        for paper in papers:
            yield f"{noun} `{paper.id or paper.rule}`", paper.start, paper.end, begins, ends


def _prices(problem: Problem) -> Iterator[Diagnostic]:
    prices: defaultdict[str, list[tuple[Decimal, str]]] = defaultdict(list)
    for facts in problem.offers:
        if facts.has_one_output:
            prices[facts.offer.outputs[0].material] += [(price, facts.offer.id) for price in facts.price if price > 0]
    for material, amounts in sorted(prices.items()):
        (low, cheapest), (high, most_expensive) = min(amounts), max(amounts)
        if high > _FAR_APART * low:
            yield Diagnostic(
                f"prices of {material} are more than {_FAR_APART:,} times apart",
                found=f"{readable(low)} of `{cheapest}`, {readable(high)} of `{most_expensive}` {problem.case.currency}/kg",
                fix="check the units of both",
                code="FS653",
            )


def _demands(problem: Problem) -> Iterator[Diagnostic]:
    for demand in problem.demands:
        largest = max(demand.quantity, default=Decimal(0))
        if not largest:
            message = f"demand `{demand.id}` is zero in all periods"
            yield Diagnostic(message, column="demand", fix="check its dates", code="FS654")
        elif largest < 10 * problem.case.resolution:
            yield Diagnostic(
                f"demand `{demand.id}` is barely above the resolution",
                column="demand",
                found=f"{readable(largest)} kg in a period",
                fix="check its unit, or plan to a finer `resolution`",
                code="FS655",
            )


def _unstated_bases(problem: Problem) -> Iterator[Diagnostic]:
    factors = Factors(problem.merged.factors)
    demands_without_substance = grouped(
        (demand.use.material.id, demand.id) for demand in problem.demands if not demand.spec.substance
    )
    for name, demands in demands_without_substance.items():
        material = problem.merged.materials[name]
        weights = [f"{readable(kg)} kg of {other}" for other, kg in equal_weights(material, factors).items()]
        if weights:
            yield Diagnostic(
                f"demand for {name} names no substance, so its kilograms count as {material.basis}, of which 1 kg is {' or '.join(weights)}",
                column="demand",
                found=", ".join(f"`{demand}`" for demand in demands[:_MAX_DEMANDS])
                + (f" and {len(demands) - _MAX_DEMANDS} more" if len(demands) > _MAX_DEMANDS else ""),
                fix=f'write the substance, as in "5 t {material.basis}"',
                code="FS656",
            )


def _leads(problem: Problem) -> Iterator[Diagnostic]:
    alike = grouped(((tuple(lead.materials), tuple(lead.reasons)), lead) for lead in describe_leads(problem))
    for (materials, reasons), leads in alike.items():
        named = [f"`{lead.offer}` ({lead.country})" for lead in leads]
        yield Diagnostic(
            f"{', '.join(named)} {'is a lead' if len(leads) == 1 else 'are leads'} for {', '.join(materials)}: {'; '.join(reasons)}",
            column="assume.offer",
            fix=f'state the figure in [[assume.offer]] with id = "{leads[0].offer}"'
            + (", and for the others" if leads[1:] else ""),
            code="FS646",
        )


def _contradicted_origins(problem: Problem) -> Iterator[Diagnostic]:
    for chained in dict.fromkeys(arc.chained for arc in problem.network.arcs if arc.chained.origin_contradicted):
        yield Diagnostic(
            f"the customs origin of `{chained.offer.id}` is a country without any of its stages: both count, with the higher duty",
            column="offers.customs_origin",
            found=chained.offer.customs_origin,
            expected=", ".join(sorted(chained.last_countries[0])),
            fix="leave it blank, or add the stages in that country to its chain",
            code="FS657",
        )


def _catalog_reviews(gathered: Gathered) -> Iterator[Diagnostic]:
    for catalog in gathered.catalogs:
        if not catalog.distribution:  # authors of plugins review their own
            yield from review(catalog, [other for other in gathered.catalogs if other.name in catalog.requires])


def out_of_scale(problem: Problem) -> Iterator[Diagnostic]:
    """Yield quantities that are too small for the resolution or beside others, judged by the program that a plan would solve."""
    program = compile_program(problem)
    names = _ColumnNames(program)
    for pair in far_apart(program):
        yield _far_apart(pair, names, program)
    yield from _below_resolution(program)


def _far_apart(pair: FarApart, names: _ColumnNames, program: Program) -> Diagnostic:
    small, large = names.of(pair.small), names.of(pair.large)
    apart = f"{pair.ratio:.0e} times apart"
    if pair.row is None:
        return Diagnostic(
            f"the cost of {small} is negligible beside the cost of {large}, in one part of the plan",
            file=names.file(pair.small),
            found=f"{apart}, once quantities are scaled",
            expected="up to 1e+09",
            fix="check the units of both prices, or plan the two in separate cases",
            code="FS658",
        )
    (owner,) = program.owners_of(np.array([pair.row]))
    return Diagnostic(
        f"{small} is negligible beside {large} in one row of the plan ({owner})",
        file=names.file(pair.small),
        found=f"{apart}, once quantities are scaled",
        expected="up to 1e+07",
        fix="check the units of both, or plan independent materials in separate cases",
        code="FS658",
    )


def _below_resolution(program: Program) -> Iterator[Diagnostic]:
    problem, linear, columns = program.problem, program.linear, program.columns
    step = float(problem.case.resolution)
    arc = problem.moves.arc[columns.buy_move]
    offers = np.array([a.offer for a in problem.network.arcs], dtype=np.intp)[arc] if len(arc) else arc
    from_offers = offers >= 0
    max_delivered = np.full(len(problem.offers), -np.inf)  # maximum of any period, by offer
    np.maximum.at(max_delivered, offers[from_offers], linear.upper[columns.buy][from_offers])
    max_used: dict[tuple[str, str, str], float] = {}
    for facts, amount in zip(problem.offers, max_delivered.tolist(), strict=True):
        if 0 < amount < step:
            yield _below(f"offer `{facts.offer.id}` can deliver", amount, facts.offer.catalog, program)
        if facts.has_one_output and facts.offer.inputs and np.isfinite(amount):
            for line in facts.offer.inputs:
                key = (facts.offer.id, line.material, facts.offer.catalog)
                max_used[key] = amount / float(facts.mass_per_unit) * float(line.per_unit)
    for (offer, material, catalog), kilograms in max_used.items():
        if 0 < kilograms < step:
            yield _below(f"offer `{offer}` can use of {material}", kilograms, catalog, program)


def _below(subject: str, kilograms: float, catalog: str, program: Program) -> Diagnostic:
    step = program.problem.case.resolution.normalize()
    return Diagnostic(
        f"the maximum that {subject} in any period is below {step:f} kg, the resolution to which plans are rounded",
        file=f"{catalog}: offers.csv" if catalog else "",
        found=f"{kilograms:.3g} kg",
        expected=f"{step:f} kg or more",
        fix="check its unit, or plan to a finer `resolution`",
        code="FS655",
    )


class _ColumnNames:
    def __init__(self, program: Program) -> None:
        self.program, self.problem = program, program.problem
        self.count = self.problem.case.horizon.count

    @cached_property
    def buys(self) -> dict[int, int]:
        columns = self.program.columns
        return dict(zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True))

    @cached_property
    def makers(self) -> dict[int, int]:
        """Column of units made, or of the use of an offer or order -> the offer."""
        columns = self.program.columns
        offers = {column: offer for (offer, _, _), column in columns.make.items()}
        offers |= {column: offer for offer, column in columns.onboard.items()}
        return offers | {column: offer for (offer, _), column in columns.order.items()}

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
    periods = problem.case.horizon.periods
    first, last = periods[0].start.year - _YEARS_BEFORE, periods[-1].end.year + _YEARS_AFTER
    for day, text in dict.fromkeys(dates):
        if not first <= day.year <= last and day.year < _NO_END:
            yield Diagnostic(
                f"{day} is far from the plan: {text}",
                found=str(day),
                expected=f"a day near {periods[0].start} to {periods[-1].end}",
                fix="check the year",
                code="FS659",
            )


def _own_rules(problem: Problem) -> Iterator[Diagnostic]:
    own_rules = {str(table.get("id")) for table in problem.case.rules}
    span = problem.case.horizon.span
    for rule in problem.rules:
        if rule.id not in own_rules:
            continue
        spans = [Span(start=phase.start, end=phase.end) for phase in rule.phases]
        if spans and not any(phase.meets(span) for phase in spans):
            yield Diagnostic(
                f"rule `{rule.id}` is never in force during the plan",
                column="rule.phases",
                found=", ".join(f"{phase.start or 'ever'} to {phase.end or 'ever'}" for phase in spans),
                expected=f"a date from {span.start} to {span.end}",
                fix="check the dates, or delete the rule",
                code="FS650",
            )
        yield from _stages_of_nothing(rule, problem)


def _stages_of_nothing(rule: Rule, problem: Problem) -> Iterator[Diagnostic]:
    if not isinstance(rule, OriginBan):
        return
    covered = {name: material for name, material in problem.merged.materials.items() if rule.covers(material)}
    stages = {stage for material in covered.values() for stage in material.stages}
    for offer in problem.merged.offers.values():
        stages |= {entry.main_stage for entry in offer.chain}
    if covered and stages.isdisjoint(rule.stages):
        yield Diagnostic(
            f"rule `{rule.id}` prohibits nothing: no material that it covers has its stages",
            column="rule.stages",
            found=", ".join(rule.stages),
            expected="a stage of the materials: " + (", ".join(sorted(stages)) or "they state none"),
            fix="check `stages` of the rule, and of the materials in materials.csv",
            code="FS651",
        )


def misleading_words(catalog: Catalog) -> Iterator[Diagnostic]:
    for material in catalog.materials:
        for column in ("name", "element", "form"):
            yield from _misleading(getattr(material, column), f"{catalog.name}/materials.csv", column, material.id)
        for tag in sorted(material.tags):
            yield from _misleading(tag, f"{catalog.name}/materials.csv", "tags", material.id)
    for facility in catalog.facilities:
        for column in ("name", "operator", "parent", "place"):
            yield from _misleading(getattr(facility, column), f"{catalog.name}/facilities.csv", column, facility.id)


def _misleading(text: str, file: str, column: str, name: str) -> Iterator[Diagnostic]:
    why = misleading(text)
    if why:
        fix = "type it again in plain letters, as rules and limits write it"
        yield Diagnostic(f"{column} of `{name}` {why}", file, column=column, found=text, fix=fix, code="FS660")
