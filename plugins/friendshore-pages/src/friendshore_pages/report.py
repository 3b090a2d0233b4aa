"""A run in full as one file, with charts and answers to questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain import assumption_codes as codes
from friendshore.domain.base import grouped
from friendshore.domain.run import Run, RunDemand
from friendshore.questions.wording import weighed
from friendshore.report.cash import cash_sections, costs, price_sentence
from friendshore.report.caveats import Caveat, caveat_data, conflict_section, not_advice, stale_section
from friendshore.report.checks import result_of
from friendshore.report.demand import demands, for_whom, group_causes, periods_of, shortages, whole_periods
from friendshore.report.ground import joined, kept_out, limits, rows_left, rules_table, versions, with_effect
from friendshore.report.headline import Headline, run_title
from friendshore.report.mix import by_material, cost_of, dependence_line, dependence_section, holdings
from friendshore.report.page import answer_sections, failure_parts, opening, page_headline, proof
from friendshore.report.plan import discounts, exchangeable, price_ranges, ranks, status_of, time_of

from .charts.parts import largest
from .charts.schedule import (
    charges_table,
    countries_section,
    evidence_table,
    materials_table,
    orders_section,
    prices_table,
    rules_drawing,
    spend_drawing,
)
from .charts.supply import material_card

if TYPE_CHECKING:  # printing a stored run needs no solver
    from friendshore.recommend import RunCheck

MAX_UNMET = 40
MAX_MATERIALS = 40
MAX_OFFERS = 100
MAX_ASSUMPTIONS = 200


def report_document(run: Run, checked: RunCheck | None = None, answers: Sequence[doc.Document] = ()) -> doc.Document:
    """Return the full report, then answers about the run. For a run that fails verification, return only the failed checks."""
    if checked is not None and checked.findings:
        return doc.document(run_title(run), *failure_parts(checked))
    headline = page_headline(run, checked)
    return doc.document(
        run_title(run),
        doc.sentence(headline.text, strong=True),
        _key_figures(run, headline),
        doc.sentence(_small_print(run, checked, headline), tone=doc.Tone.ASIDE),
        conflict_section(run),
        _shortages_section(run, answers),
        orders_section(run),
        _caveats_section(run),
        countries_section(run),
        _fold(dependence_section(run)),
        _materials_section(run),
        money_section(run),
        rules_section(run),
        _details_section(run, checked),
        *map(_with_folds, answer_sections(answers)),
        not_advice(),
    )


def _with_folds(section: doc.Section) -> doc.Section:
    """Return an answer in which sections without a chart are folded."""
    parts = (
        doc.folded(part.title, *part.parts)
        if isinstance(part, doc.Section)
        and part.title
        and not any(isinstance(each, doc.Drawing) for each in part.parts)
        else part
        for part in section.parts
    )
    return doc.section(section.title, *parts)


def _key_figures(run: Run, headline: Headline) -> doc.KeyFigures:
    met = f"{headline.needs - headline.needs_unmet} of {headline.needs}"
    later = headline.needs_unmet - headline.needs_never_met
    unmet = [f"{headline.needs_never_met} never met"] if headline.needs_never_met else []
    unmet += [f"{later} met later"] if later else []
    figures = [
        doc.KeyFigure("Needs met", met, ", ".join(unmet), doc.Tone.BAD if unmet else doc.Tone.GOOD),
        doc.KeyFigure(
            "Earned" if headline.spend < 0 else "Cash to spend",
            large_money(abs(headline.spend), run.currency),
            _range_text(run) or "not discounted",
        ),
    ]
    if headline.concern_share is not None and headline.concern_share_max is not None:
        possible = f"up to {percent(headline.concern_share_max)} if unknown origins are too"
        aside = possible if headline.concern_share_max > headline.concern_share else "of purchases"
        figures.append(
            doc.KeyFigure("From countries of concern", percent(headline.concern_share), aside, doc.Tone.CONCERN)
        )
    if headline.overdue_orders:
        later_text = f"then by {headline.next_order_by}" if headline.next_order_by else ""
        overdue = f"{large_money(headline.overdue_spend, run.currency)} overdue"
        figures.append(doc.KeyFigure("Next orders", "now", ", ".join(filter(None, (overdue, later_text)))))
    elif headline.next_order_by:
        spend = large_money(headline.next_order_spend, run.currency)
        figures.append(doc.KeyFigure("Next orders by", headline.next_order_by, spend))
    return doc.KeyFigures(tuple(figures))


def _range_text(run: Run) -> str:
    if run.nominal_low is None or run.nominal_high is None or run.nominal_low == run.nominal_high:
        return ""
    low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
    return f"{low} to {high} over price ranges"


def _small_print(run: Run, checked: RunCheck | None, headline: Headline) -> str:
    words, _ = status_of(run)
    result = "not verified" if checked is None else result_of(checked)
    return f"{words[:1].upper()}{words[1:]}, gap {percent(run.gap)}; {result}. {time_of(run)}, {headline.origin}."


def _fold(section: doc.Section | None) -> doc.Section | None:
    return None if section is None else doc.folded(section.title, *section.parts)


def _shortages_section(run: Run, answers: Sequence[doc.Document]) -> doc.Section | None:
    """Return the unmet needs with their reasons, and the cheapest repair of each if it was asked for."""
    section = shortages(run)
    if section is None:
        return None
    lacking = sorted(
        (demand for demand in run.demands if demand.short_kg),
        key=lambda d: (run.rank_of([d.end_use]), -d.short_kg * d.shortage_price, d.id),
    )
    rows: list[list[doc.Cell]] = [
        [
            run.names.material(demand.material),
            weighed(run.names, demand.material, demand.short_kg),
            _reasons(run, demand),
            for_whom(run, demand),
            doc.Share(demand.short_kg / demand.wanted_kg) if demand.delivered_kg else "all",
            periods_of(run, list(run.shortages_of[demand.id])) if demand.id in run.shortages_of else "",
        ]
        for demand in lacking[:MAX_UNMET]
    ]
    columns = [doc.Column("Material"), doc.figures("Short"), doc.Column("Reason"), doc.Column("For")]
    repairs = [answer for answer in answers if answer.question == "repairs"]
    return doc.section(
        "Unmet needs",
        doc.table([*columns, doc.figures("Part"), doc.Column("When")], rows),
        doc.notes(rows_left(len(lacking) - MAX_UNMET, "unmet need", "run.json")),
        *(doc.section("Cheapest fix of each", _cheapest_fixes(answer)) for answer in repairs),
        doc.folded("Causes in detail", *section.parts),
    )


def _reasons(run: Run, demand: RunDemand) -> str:
    """Return the causes of a shortage. Each is one by itself."""
    return "; or ".join(dict.fromkeys(cause.as_shown(run.names) for cause, _ in group_causes(run, [demand])))


def _cheapest_fixes(answer: doc.Document) -> doc.DataTable | None:
    """Return steps and cash of the first row of each table of repairs, which is the cheapest."""
    rows: list[list[doc.Cell]] = []
    columns: list[doc.Column] = []
    for section in (part for part in answer.whole().parts if isinstance(part, doc.Section)):
        for table in (part for part in section.parts if isinstance(part, doc.DataTable) and part.rows):
            cell_by_column = zip(table.columns, table.rows[0].cells, strict=True)
            shown = [(column, cell) for column, cell in cell_by_column if column.title in ("Steps", "Cash")]
            columns = [column for column, _ in shown]
            rows.append([section.title.partition(": ")[0], *(cell for _, cell in shown)])
    return doc.table([doc.Column("Need"), *columns], rows) if rows else None


_ALWAYS_SHOWN = (codes.UNEXAMINED, codes.NOT_ASKED, "FS831", "FS835", "FS836")
"""Codes of caveats that are never folded: goods without an origin rule, law checked in part, old data, money at risk, and prohibited lots."""


def _caveats_section(run: Run) -> doc.Section | None:
    """Return what a reader must know before relying on the plan. Notes on data and assumptions are folded below it."""
    caveats = [Caveat(row["code"], row["text"]) for row in caveat_data(run)]
    shown = [caveat.with_code for caveat in caveats if caveat.code in _ALWAYS_SHOWN]
    others = [caveat.with_code for caveat in caveats if caveat.code not in _ALWAYS_SHOWN]
    fold = doc.folded(f"{count(len(others), 'more note')} on data, law, and assumptions", doc.notes(others))
    return doc.section_if_any("Before you rely on this plan", doc.notes(shown), fold)


def _materials_section(run: Run) -> doc.Section | None:
    purchases_by_material = by_material(run)
    if not purchases_by_material:
        return doc.section("Materials", doc.sentence("Nothing is bought."))
    cost = {material: cost_of(purchases) for material, purchases in purchases_by_material.items()}
    cards = [material_card(run, name, purchases_by_material[name]) for name in largest(cost, MAX_MATERIALS)]
    omitted = rows_left(len(cost) - len(cards), "material", "purchases.csv")
    return doc.section(
        "Materials",
        materials_table(run),
        price_sentence(run),
        _fold(exchangeable(run)),
        *sorted(filter(None, cards), key=lambda card: card.folded),
        _fold(holdings(run)),
        doc.notes(omitted),
    )


def money_section(run: Run) -> doc.Section:
    prices, omitted = prices_table(run)
    notes = doc.notes(rows_left(omitted, "price", "purchases.csv"))
    evidence = doc.folded("Spend by confidence of the facts", evidence_table(run)) if run.purchases else None
    folds = (*cash_sections(run), price_ranges(run), stale_section(run), discounts(run))
    return doc.section(
        "Money",
        spend_drawing(run),
        costs(run),
        *map(_fold, folds),
        evidence,
        doc.folded("Average prices paid", prices, notes) if prices.rows else None,
    )


def rules_section(run: Run) -> doc.Section:
    charges = charges_table(run)
    effective = rules_table(run) if with_effect(run) else doc.sentence("No rule has any effect.")
    return doc.section(
        "Rules",
        rules_drawing(run),
        limits(run),
        doc.folded("Rules with an effect", effective),
        doc.folded("Charges by rule", charges) if charges else None,
        _idle_rules(run),
        _excluded_offers(run),
    )


def _idle_rules(run: Run) -> doc.Section | None:
    effective = {rule.id for rule in with_effect(run)}
    idle_by_pack = grouped(
        (rule.pack or "the case", rule.id) for rule in run.rules if rule.applies and rule.id not in effective
    )
    out_of_force = [f"{rule.id} ({rule.status})" for rule in run.rules if not rule.applies]
    notes = [f"{pack}, in force: {', '.join(names)}" for pack, names in idle_by_pack.items()]
    notes += [f"not in force during this plan: {', '.join(out_of_force)}"] if out_of_force else []
    return doc.folded("Rules without effect", doc.notes(notes))


def _excluded_offers(run: Run) -> doc.Section | None:
    section = kept_out(run.model_copy(update={"leads": []}), MAX_OFFERS, as_tables=True)
    groups = [part for part in section.parts if isinstance(part, doc.Section)] if section else []
    return doc.section_if_any("Excluded offers", *map(_fold, groups), _leads(run))


def _leads(run: Run) -> doc.Section | None:
    """Return the offers that lack a figure, by what they lack."""
    offers_by_reason = grouped(
        ("; ".join(lead.reasons), f"{lead.facility} ({lead.country}, {', '.join(lead.materials)})")
        for lead in run.leads
    )
    rows: list[list[doc.Cell]] = [
        [reason, doc.Count(len(offers)), joined(offers, MAX_OFFERS)] for reason, offers in offers_by_reason.items()
    ]
    if not rows:
        return None
    table = doc.table([doc.Column("Missing"), doc.figures("Offers"), doc.Column("Facilities")], rows[:MAX_OFFERS])
    notes = doc.notes(rows_left(len(rows) - MAX_OFFERS, "reason", "run.json"))
    return doc.folded(f"Leads: {count(len(run.leads), 'offer')} not counted, since a figure is missing", table, notes)


def _details_section(run: Run, checked: RunCheck | None) -> doc.Section:
    """Return the basis of the plan. All of it is folded."""
    statements = [*opening(run, checked)[1:], dependence_line(run)]
    return doc.section(
        "Basis",
        _fold(demands(run)),
        _fold(whole_periods(run)),
        _fold(ranks(run)),
        assumptions_section(run),
        doc.folded("Proof", *statements, doc.notes(proof(run, checked))),
        _fold(versions(run)),
    )


def assumptions_section(run: Run) -> doc.Section | None:
    subjects = grouped((row.text, row.subject) for row in run.assumptions)
    if not subjects:
        return None
    rows = [[text, joined(names)] for text, names in list(subjects.items())[:MAX_ASSUMPTIONS]]
    table = doc.table([doc.Column("Assumption"), doc.Column("Subjects")], rows)
    title = f"Assumptions ({len(run.assumptions)})"
    return doc.folded(title, table, doc.notes(rows_left(len(subjects) - MAX_ASSUMPTIONS, "assumption", "run.json")))
