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
from friendshore.report.headline import run_title
from friendshore.report.mix import bought, by_material, cost_of, dependence_figure, dependence_section, holdings
from friendshore.report.page import answer_sections, failure_parts, opening, proof
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

if TYPE_CHECKING:  # printing a stored run needs no solver
    from friendshore.recommend import RunCheck

MAX_MATERIALS = 40
MAX_OFFERS = 100
MAX_IDLE_RULES = 12
"""Maximum number of rules without effect in one sentence."""
MAX_ASSUMPTIONS = 200


def report_document(run: Run, checked: RunCheck | None = None, answers: Sequence[doc.Document] = ()) -> doc.Document:
    """Return the full report, then answers about the run. For a run that fails verification, return only the failed checks."""
    if checked is not None and checked.findings:
        return doc.document(run_title(run), *failure_parts(checked))
    return doc.document(
        run_title(run),
        *opening(run, checked),
        _key_figures(run, checked),
        conflict_section(run),
        warnings(run),
        ranks(run),
        demand_section(run),
        shortages(run),
        whole_periods(run),
        orders_section(run),
        world_section(run),
        _materials_section(run),
        dependence_section(run),
        holdings(run),
        money_section(run),
        rules_section(run),
        kept_out(run, MAX_OFFERS, as_tables=True),
        assumptions_section(run),
        doc.section("Proof", doc.notes(proof(run, checked))),
        versions(run),
        *answer_sections(answers),
        not_advice(),
    )


def _key_figures(run: Run, checked: RunCheck | None) -> doc.KeyFigures:
    status_text, _, tone = STATUS[run.status]
    short_demands = [demand for demand in run.demands if demand.short_kg]
    never_met = sum(1 for demand in short_demands if not demand.first_met)
    met_text = f"{len(run.demands) - len(short_demands)} of {len(run.demands)}"
    figures = [
        doc.KeyFigure("Plan", status_text, f"gap {percent(run.gap)}", tone),
        _verification_figure(checked),
        doc.KeyFigure(
            "Earned" if run.cost.nominal < 0 else "Spent",
            large_money(abs(run.cost.nominal), run.currency),
            ""
            if run.cost.nominal == run.cost.total
            else f"present value {large_money(abs(run.cost.total), run.currency)}",
        ),
        doc.KeyFigure(
            "Demands met in full",
            met_text,
            f"{never_met} never" if never_met else "",
            doc.Tone.BAD if never_met else doc.Tone.GOOD,
        ),
    ]
    figures += filter(None, [dependence_figure(run)])
    if run.purchases:
        first_day = min(purchase.order_by for purchase in run.purchases)
        due_cost = cost_of(purchase for purchase in run.purchases if purchase.order_by == first_day)
        figures.append(doc.KeyFigure("First orders by", first_day, large_money(due_cost, run.currency)))
    if run.exposed:
        worst = max(run.exposed, key=lambda row: row.cost)
        figures.append(
            doc.KeyFigure(
                "At risk", large_money(worst.cost, run.currency), f"if {worst.rule} applies", doc.Tone.DOUBTFUL
            )
        )
    return doc.KeyFigures((*figures, *_age_figures(run), doc.KeyFigure("Assumptions", doc.Count(len(run.assumptions)))))


def _verification_figure(checked: RunCheck | None) -> doc.KeyFigure:
    if checked is None:
        return doc.KeyFigure("Verified", "no", "check with friendshore verify", doc.Tone.BAD)
    if not checked.verified:
        return doc.KeyFigure(
            "Verified", "in part", f"{count(len(checked.unchecked), 'rule')} left unverified", doc.Tone.DOUBTFUL
        )
    unvouched = len(checked.unvouched)
    aside = (
        f"{count(unvouched, 'part')} of its facts not vouched for" if unvouched else "facts equal the installed ones"
    )
    return doc.KeyFigure("Verified", "yes", aside, doc.Tone.DOUBTFUL if unvouched else doc.Tone.GOOD)


def _age_figures(run: Run) -> Iterator[doc.KeyFigure]:
    dated_plugins = [plugin for plugin in run.plugins if plugin.has_facts and plugin.as_of is not None]
    if not dated_plugins:
        return
    oldest = min(dated_plugins, key=lambda plugin: (plugin.as_of, plugin.name))
    stale = is_stale(oldest.as_of, run.made)
    assert oldest.as_of is not None
    yield doc.KeyFigure(
        "Oldest data", oldest.as_of, f"{oldest.kind} {oldest.name}", doc.Tone.BAD if stale else doc.Tone.PLAIN
    )


def demand_section(run: Run) -> doc.Section:
    section = demands(run)
    table, *rest = section.parts
    assert isinstance(table, doc.DataTable)
    return replace(section, parts=(met_drawing(run, table), *rest))


def _materials_section(run: Run) -> doc.Section:
    purchases_by_material = by_material(run)
    if not purchases_by_material:
        return bought(run)
    shown = set(
        largest({material: cost_of(purchases) for material, purchases in purchases_by_material.items()}, MAX_MATERIALS)
    )
    sections = [
        doc.section(
            run.names.material_with_id(material),
            *mix_elements(run, material, purchases),
            flow_element(run, material, purchases),
        )
        for material, purchases in purchases_by_material.items()
        if material in shown
    ]
    omitted = rows_left(len(purchases_by_material) - len(shown), "material", "purchases.csv")
    section = bought(run)
    return doc.section(section.title, *section.parts, price_sentence(run), *sections, doc.notes(omitted))


def money_section(run: Run) -> doc.Section:
    prices, omitted = prices_table(run)
    prices_section = doc.section("Average prices paid", prices, doc.notes(rows_left(omitted, "price", "purchases.csv")))
    return doc.section(
        "Costs",
        spend_drawing(run),
        costs(run),
        *cash_sections(run),
        price_ranges(run),
        stale_section(run),
        discounts(run),
        evidence_drawing(run),
        prices_section if prices.rows else None,
    )


def rules_section(run: Run) -> doc.Section:
    effective = with_effect(run)
    drawing = (
        rules_drawing(run, rules_table(run)) if effective or run.exposed else doc.sentence("No rule has any effect.")
    )
    return doc.section("Effects of rules", drawing, charges_drawing(run), limits(run), *_idle_rules(run))


def _idle_rules(run: Run) -> Iterator[doc.Element | None]:
    """Yield the rules without effect, grouped by pack if there are many."""
    effective = {rule.id for rule in with_effect(run)}
    idle_by_pack = grouped(
        (rule.pack or "the case", rule.id) for rule in run.rules if rule.bites and rule.id not in effective
    )
    if sum(map(len, idle_by_pack.values())) <= MAX_IDLE_RULES:
        yield from without_effect(run)
        return
    out_of_force = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.bites]
    notes = [f"{pack}, in force: {', '.join(names)}" for pack, names in idle_by_pack.items()]
    notes += [f"not in force during this plan: {', '.join(out_of_force)}"] if out_of_force else []
    yield doc.section("Rules without effect", doc.notes(notes))


def assumptions_section(run: Run) -> doc.Section | None:
    if not run.assumptions:
        return None
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    rows = [[text, joined(names)] for text, names in list(subjects.items())[:MAX_ASSUMPTIONS]]
    table = doc.table([doc.Column("Assumption"), doc.Column("Subjects")], rows)
    title = f"Assumptions ({len(run.assumptions)})"
    return doc.section(title, table, doc.notes(rows_left(len(subjects) - MAX_ASSUMPTIONS, "assumption", "run.json")))
