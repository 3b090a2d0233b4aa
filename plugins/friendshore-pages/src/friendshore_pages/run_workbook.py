"""A run as a workbook: the report's tables, every purchase as one row for pivot tables, and every order with its verdict and proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from friendshore.document import elements as doc
from friendshore.domain.base import grouped
from friendshore.domain.countries import country_name
from friendshore.domain.run import Run, RunPurchase
from friendshore.report.cash import duty_status
from friendshore.report.caveats import conflict_section, not_advice, warnings
from friendshore.report.demand import demands, shortages, whole_periods
from friendshore.report.ground import kept_out, versions
from friendshore.report.headline import Headline, run_title
from friendshore.report.mix import bought, chain, cost_of, dependence_section, holdings, in_orders, kilograms_of
from friendshore.report.page import answer_sections, failure_parts, opening, page_headline, proof
from friendshore.report.plan import ranks

from .charts.schedule import countries_section
from .report import MAX_OFFERS, assumptions_section, money_section, rules_section

if TYPE_CHECKING:
    from friendshore.recommend import RunCheck


def run_workbook(run: Run, checked: RunCheck | None, answers: Sequence[doc.Document]) -> doc.Document:
    """Return the report for a workbook. For a run that fails verification, return only the failed checks."""
    if checked is not None and checked.findings:
        return doc.document(run_title(run), *failure_parts(checked))
    return doc.document(
        run_title(run),
        *opening(run, checked),
        _figures(run, page_headline(run, checked)),
        not_advice(),
        conflict_section(run),
        warnings(run),
        ranks(run),
        demands(run),
        shortages(run),
        whole_periods(run),
        bought(run),
        _orders(run, checked),
        _purchases(run),
        countries_section(run),
        dependence_section(run),
        holdings(run),
        money_section(run),
        rules_section(run),
        kept_out(run, MAX_OFFERS, as_tables=True),
        assumptions_section(run),
        doc.section("Proof", doc.notes(proof(run, checked))),
        versions(run),
        *answer_sections(answers),
    )


def _figures(run: Run, headline: Headline) -> doc.KeyFigures:
    """Return the figures of the headline, so that other sheets can refer to their cells."""
    unmet = ", ".join(headline.unmet_end_uses)
    rows: list[tuple[str, doc.Cell, str]] = [
        ("Needs", doc.Count(headline.needs), ""),
        ("Needs not met in full", doc.Count(headline.needs_unmet), f"for {unmet}" if unmet else ""),
        ("Spend", doc.Amount(headline.spend, headline.currency), "cash, not discounted"),
    ]
    if headline.concern_share is not None and headline.concern_share_max is not None:
        rows += [
            ("Share that depends on countries of concern", doc.Share(headline.concern_share), "for certain"),
            ("The same, at most", doc.Share(headline.concern_share_max), "where origins aren't proved"),
        ]
    if headline.overdue_orders:
        rows += [
            ("Overdue orders", doc.Count(headline.overdue_orders), ""),
            ("Spend on overdue orders", doc.Amount(headline.overdue_spend, headline.currency), ""),
        ]
    if headline.next_order_by is not None:
        rows += [
            ("Next orders by", headline.next_order_by, ""),
            ("Spend on the next orders", doc.Amount(headline.next_order_spend, headline.currency), ""),
        ]
    if headline.at_risk_rule:
        rows += [
            (
                "Spend at risk",
                doc.Amount(headline.at_risk_spend, headline.currency),
                f"if {run.names.rule(headline.at_risk_rule)} applies",
            )
        ]
    return doc.KeyFigures(tuple(doc.KeyFigure(*row) for row in rows))


def _purchases(run: Run) -> doc.Section | None:
    """Return one row per purchase, without totals or merged cells, as pivot tables need it."""
    if not run.purchases:
        return None
    columns = [doc.Column(name) for name in ("Material", "Supplier", "Plant", "Country", "Arrives", "Use")]
    columns += [doc.figures("Quantity", "kg"), doc.Column("Basis"), doc.figures("Full price", f"{run.currency}/kg")]
    columns += [doc.figures("Spend", run.currency), doc.Column("Order by"), doc.Column("Offer"), doc.Column("Class")]
    rows = [
        [
            run.names.material(purchase.material),
            purchase.supplier,
            purchase.facility,
            country_name(purchase.country),
            purchase.delivered,
            purchase.end_use,
            doc.Kilograms(purchase.quantity_kg, "kg", bare=True),
            purchase.basis,
            doc.NOTHING if purchase.full_price_per_kg is None else doc.Amount(purchase.full_price_per_kg),
            doc.Amount(purchase.cost),
            purchase.order_by,
            purchase.offer,
            purchase.compliance_class,
        ]
        for purchase in run.purchases
    ]
    return doc.section("Purchases", doc.table(columns, rows))


def _orders(run: Run, checked: RunCheck | None) -> doc.Section | None:
    """Return every order by its last day, with what the verdict on it rests on."""
    if not run.purchases:
        return None
    columns = [doc.Column("Order by"), doc.figures("Days late"), doc.Column("Material"), doc.Column("Supplier")]
    columns += [doc.Column("Plant"), doc.figures("Quantity", "kg"), doc.Column("Basis"), doc.Column("To")]
    columns += [doc.Column("Arrives"), doc.figures("Spend", run.currency), doc.Column("Use"), doc.Column("Verdict")]
    columns += [doc.Column("Rules that it must meet"), doc.Column("Origin"), doc.Column("Countries of concern")]
    columns += [doc.Column("Evidence"), doc.Column("Catalog"), doc.Column("Offer")]
    orders = sorted(
        in_orders(run.purchases).values(), key=lambda purchases: (purchases[0].order_by, -cost_of(purchases))
    )
    rules_by_class = {each.label: each.excluding_rules for each in run.compliance_classes}
    is_verified = checked is not None and checked.verified
    titles = [column.title for column in columns]
    rows = [
        doc.cells_in(titles, _order_cells(run, purchases, rules_by_class, is_verified=is_verified))
        for purchases in orders
    ]
    return doc.section("Orders", doc.table(columns, rows))


def _order_cells(
    run: Run, purchases: Sequence[RunPurchase], rules_by_class: Mapping[str, Sequence[str]], *, is_verified: bool
) -> dict[str, doc.Cell]:
    first = purchases[0]
    rules = dict.fromkeys(rule for purchase in purchases for rule in rules_by_class[purchase.compliance_class])
    return {
        "Order by": first.order_by,
        "Days late": doc.Count(first.late_days) if first.late_days else doc.NOTHING,
        "Material": run.names.material(first.material),
        "Supplier": first.supplier,
        "Plant": first.facility,
        "Quantity": doc.Kilograms(kilograms_of(purchases), "kg", bare=True),
        "Basis": first.basis,
        "To": first.place,
        "Arrives": first.delivered,
        "Spend": doc.Amount(cost_of(purchases)),
        "Use": ", ".join(dict.fromkeys(use for purchase in purchases for use in purchase.end_use.split("+"))),
        "Verdict": "; ".join(_verdict(run, purchases, is_verified=is_verified, has_rules=bool(rules))),
        "Rules that it must meet": ", ".join(rules),
        "Origin": chain(run, first),
        "Countries of concern": _concern(purchases),
        "Evidence": first.confidence,
        "Catalog": first.catalog,
        "Offer": first.offer,
    }


def _verdict(run: Run, purchases: Sequence[RunPurchase], *, is_verified: bool, has_rules: bool) -> Iterator[str]:
    """Yield what verification found, and what it leaves open."""
    if not is_verified:
        yield "not verified"
    else:
        yield "meets the rules listed" if has_rules else "no rule of the case limits its use"
    if duty := duty_status(run, purchases).removeprefix(", "):
        yield duty
    offers = {purchase.offer for purchase in purchases}
    at_risk = [row.rule for row in run.exposed if offers & set(row.offers)]
    if at_risk:
        yield f"prohibited if {', '.join(at_risk)} applies"


def _concern(purchases: Sequence[RunPurchase]) -> str:
    reasons = grouped(
        (purchase.concern, reason) for purchase in purchases for reason in purchase.concern_because or [""]
    )
    return "; ".join(
        f"{verdict}: {', '.join(filter(None, dict.fromkeys(texts)))}".rstrip(": ")
        for verdict, texts in reasons.items()
        if verdict
    )
