"""A run in full as one file, with charts and answers to questions about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import grouped
from friendshore.domain.run import Run
from friendshore.domain.used import is_stale
from friendshore.report.cash import cash_sections, costs, price_sentence
from friendshore.report.caveats import conflict_section, not_advice, stale_section, warnings
from friendshore.report.demand import demands, shortages, whole_periods
from friendshore.report.ground import (
    joined,
    kept_out,
    limits,
    rows_left,
    rules_table,
    versions,
    with_effect,
    without_effect,
)
from friendshore.report.mix import bought, by_material, cost_of, dependence_figure, dependence_section, holdings
from friendshore.report.page import answer_sections, failure_parts, opening, proof, run_title
from friendshore.report.plan import STATUS, discounts, price_ranges, ranks

from .charts.parts import largest
from .charts.schedule import (
    charges_drawing,
    evidence_drawing,
    met_drawing,
    orders_section,
    prices_table,
    rules_drawing,
    spend_drawing,
)
from .charts.supply import flow_element, mix_elements, world_section

if TYPE_CHECKING:  # who prints a run that it has needs no solver
    from friendshore.recommend import RunCheck

MATERIALS = 40
"""Maximum number of materials with charts, the most expensive first."""
OFFERS = 100
"""Rows of each table of offers that don't count."""
IDLE = 12
"""Maximum number of rules without effect in one sentence."""
ASSUMPTIONS = 200
"""Maximum number of assumptions."""


def report_document(run: Run, checked: RunCheck | None = None, answers: Sequence[doc.Document] = ()) -> doc.Document:
    """Return the full page with charts, then the answers about the run, one section each.

    For a run that fails verification, return only the failed checks.
    """
    if checked is not None and checked.findings:
        return doc.document(run_title(run), *failure_parts(checked))
    return doc.document(
        run_title(run),
        *opening(run, checked),
        _key_figures(run, checked),
        conflict_section(run),
        warnings(run),
        ranks(run),
        _demand(run),
        shortages(run),
        whole_periods(run),
        orders_section(run),
        world_section(run),
        _materials(run),
        dependence_section(run),
        holdings(run),
        _money(run),
        _rules(run),
        kept_out(run, OFFERS, as_tables=True),
        _assumptions(run),
        doc.section("Proof", doc.notes(proof(run, checked))),
        versions(run),
        *answer_sections(answers),
        not_advice(),
    )


def _key_figures(run: Run, checked: RunCheck | None) -> doc.KeyFigures:
    word, _, tone = STATUS[run.status]
    lacking = [one for one in run.demands if one.short_kg]
    never = sum(1 for one in lacking if not one.first_met)
    of = f"{len(run.demands) - len(lacking)} of {len(run.demands)}"
    found = [
        doc.KeyFigure("Plan", word, f"gap {percent(run.gap)}", tone),
        _verified(checked),
        doc.KeyFigure(
            "Earned" if run.cost.nominal < 0 else "Spent",
            large_money(abs(run.cost.nominal), run.currency),
            ""
            if run.cost.nominal == run.cost.total
            else f"present value {large_money(abs(run.cost.total), run.currency)}",
        ),
        doc.KeyFigure(
            "Demands met in full", of, f"{never} never" if never else "", doc.Tone.BAD if never else doc.Tone.GOOD
        ),
    ]
    found += filter(None, [dependence_figure(run)])
    if run.purchases:
        day = min(one.order_by for one in run.purchases)
        due = cost_of(one for one in run.purchases if one.order_by == day)
        found.append(doc.KeyFigure("First orders by", day, large_money(due, run.currency)))
    if run.exposed:
        worst = max(run.exposed, key=lambda row: row.cost)
        found.append(
            doc.KeyFigure("Exposed", large_money(worst.cost, run.currency), f"if {worst.rule} holds", doc.Tone.DOUBTFUL)
        )
    return doc.KeyFigures((*found, *_age(run), doc.KeyFigure("Assumptions", doc.Count(len(run.assumptions)))))


def _verified(checked: RunCheck | None) -> doc.KeyFigure:
    if checked is None:
        return doc.KeyFigure("Verified", "no", "friendshore verify checks it", doc.Tone.BAD)
    if not checked.verified:
        return doc.KeyFigure(
            "Verified", "in part", f"{count(len(checked.unchecked), 'rule')} left unverified", doc.Tone.DOUBTFUL
        )
    facts = len(checked.unvouched)
    aside = f"{count(facts, 'part')} of its facts not vouched for" if facts else "its facts are those installed here"
    return doc.KeyFigure("Verified", "yes", aside, doc.Tone.DOUBTFUL if facts else doc.Tone.GOOD)


def _age(run: Run) -> Iterator[doc.KeyFigure]:
    """Yield the age of its oldest data."""
    dated = [one for one in run.plugins if one.has_facts and one.as_of is not None]
    if not dated:
        return
    oldest = min(dated, key=lambda one: (one.as_of, one.name))
    stale = is_stale(oldest.as_of, run.made)
    assert oldest.as_of is not None
    yield doc.KeyFigure(
        "Oldest data", oldest.as_of, f"{oldest.kind} {oldest.name}", doc.Tone.BAD if stale else doc.Tone.PLAIN
    )


def _demand(run: Run) -> doc.Section:
    section = demands(run)
    table, *rest = section.parts
    assert isinstance(table, doc.DataTable)
    return replace(section, parts=(met_drawing(run, table), *rest))


def _materials(run: Run) -> doc.Section:
    """Return each purchased material over time, and from mine to user."""
    found = by_material(run)
    if not found:
        return bought(run)
    kept = set(largest({material: cost_of(some) for material, some in found.items()}, MATERIALS))
    sections = [
        doc.section(
            run.names.material_with_id(material),
            *mix_elements(run, material, purchases),
            flow_element(run, material, purchases),
        )
        for material, purchases in found.items()
        if material in kept
    ]
    left = rows_left(len(found) - len(kept), "material", "purchases.csv")
    section = bought(run)
    return doc.section(section.title, *section.parts, price_sentence(run), *sections, doc.notes(left))


def _money(run: Run) -> doc.Section:
    prices, left = prices_table(run)
    paid = doc.section(
        "Prices paid, on average over the plan", prices, doc.notes(rows_left(left, "price", "purchases.csv"))
    )
    return doc.section(
        "What it costs",
        spend_drawing(run),
        costs(run),
        *cash_sections(run),
        price_ranges(run),
        stale_section(run),
        discounts(run),
        evidence_drawing(run),
        paid if prices.rows else None,
    )


def _rules(run: Run) -> doc.Section:
    at_work = with_effect(run)
    drawn = rules_drawing(run, rules_table(run)) if at_work or run.exposed else doc.sentence("No rule has any effect.")
    return doc.section("What the rules do", drawn, charges_drawing(run), limits(run), *_idle(run))


def _idle(run: Run) -> Iterator[doc.Element | None]:
    """Yield rules without effect here, by pack if there are many."""
    at_work = {rule.id for rule in with_effect(run)}
    idle = grouped((rule.pack or "the case", rule.id) for rule in run.rules if rule.bites and rule.id not in at_work)
    if sum(map(len, idle.values())) <= IDLE:
        yield from without_effect(run)
        return
    without = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.bites]
    notes = [f"{pack}, in force: {', '.join(names)}" for pack, names in idle.items()]
    notes += [f"without force in this plan: {', '.join(without)}"] if without else []
    yield doc.section("Without effect here", doc.notes(notes))


def _assumptions(run: Run) -> doc.Section | None:
    """Return all assumptions, each with its subjects."""
    if not run.assumptions:
        return None
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    rows = [[text, joined(names)] for text, names in list(subjects.items())[:ASSUMPTIONS]]
    table = doc.table([doc.Column("Taken as given"), doc.Column("Of")], rows)
    title = f"What it rests on: {count(len(run.assumptions), 'assumption')}"
    return doc.section(title, table, doc.notes(rows_left(len(subjects) - ASSUMPTIONS, "assumption", "run.json")))
