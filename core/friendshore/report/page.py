"""A run on one page: what a planner sends to whoever decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ..document import elements as doc
from ..document.figures import count, large_money, percent
from ..domain.base import grouped
from ..domain.run import Run, RunDemand, RunPurchase
from ..domain.used import aged
from ..questions.wording import conversions, weighed
from .cash import cash_sections, costs, price_note
from .caveats import (
    assumed_lines,
    conflict_lines,
    exposed_lines,
    not_advice,
    noted_packs,
    old_lines,
    stale_line,
    turned_rules,
)
from .checks import result_of
from .demand import (
    because_lines,
    for_whom,
    group_causes,
    met_from,
    only_by_periods,
    periods_of,
    wanted_range,
    whole_periods,
)
from .ground import blocked_plugins, with_effect
from .mix import (
    barred_texts,
    by_material,
    chain,
    cost_of,
    dependence_line,
    dependence_section,
    holdings,
    in_orders,
    kilograms_of,
    order_day,
    prices_of,
)
from .plan import spends, status_of, time_of

if TYPE_CHECKING:  # who prints a run that it has needs no solver
    from ..recommend import RunCheck

SUPPLIERS = 2
"""Suppliers of a material that are named."""
ORDERS = 8
"""Orders that are named."""
FINDINGS = 20
"""Things that fail verification that are named."""
RULES = 8
"""Rules that are named: those that keep out most, then those that cost most."""


def page_document(run: Run, checked: RunCheck | None = None, answers: Sequence[doc.Document] = ()) -> doc.Document:
    """The page: verdict, caveats, needs, suppliers, what is short, what to order next, what the law does, how to check it; then the answers.

    It says if the run was not checked. Of a run that does not hold nothing is told but what failed verification.
    """
    if checked is not None and checked.findings:
        return doc.document(titled(run), *refused(checked))
    return doc.document(
        titled(run),
        *head(run, checked),
        dependence_line(run),
        doc.section_if_any("Before you rely on it", doc.notes(caveats(run))),
        doc.section("What is needed, and whether it is available", *needs(run)),
        whole_periods(run),
        doc.section("Who supplies it", suppliers(run), *map(doc.sentence, supply_notes(run))),
        dependence_section(run),
        holdings(run),
        doc.section("What to order next", *_orders(run)),
        doc.section("What it costs", costs(run), *cash_sections(run)),
        doc.section("What the rules do", doc.notes(_rules(run))),
        doc.section("How sure this is", doc.notes([*proof(run, checked), *_made_with(run)])),
        *answered(answers),
        not_advice(),
    )


def answered(answers: Sequence[doc.Document]) -> Iterator[doc.Section]:
    """What was asked of a run besides, a section an answer."""
    return (doc.section(one.title, *one.parts) for one in answers)


def titled(run: Run) -> str:
    """Case and scenarios."""
    return run.case + (f" with {', '.join(run.scenario)}" if run.scenario else "")


def head(run: Run, checked: RunCheck | None) -> list[doc.Sentence]:
    """The plan's time, whether it was verified when the page was made, before all else that is told of it, and what it comes to."""
    words, tone = status_of(run)
    strict = ", rules of unknown status enforced" if run.strict else ""
    status = doc.Phrase(words, tone, strong=True)
    told = doc.sentence("The plan is ", status, f", gap {percent(run.gap)}{strict}. It {spends(run)}.")
    if checked is None:
        verified = doc.sentence(
            doc.Phrase("Not verified", strong=True),
            " when this page was made: ",
            doc.Phrase("friendshore verify", code=True),
            " checks the run.",
        )
    else:
        came_to = doc.Phrase(result_of(checked), strong=True)
        verified = doc.sentence("Checked when this page was made: ", came_to, ".")
    return [doc.sentence(time_of(run)), verified, told]


def refused(checked: RunCheck) -> Iterator[doc.Element | None]:
    """What is told of a run that does not hold: what failed verification, and nothing of what it says."""
    found = [str(problem) for problem in checked.findings[:FINDINGS]]
    if len(checked.findings) > FINDINGS:
        found.append(f"and {len(checked.findings) - FINDINGS:,} more: `friendshore verify` lists them")
    warning = doc.Phrase("This run does not hold: do not rely on it.", strong=True)
    yield doc.sentence(warning, " Nothing that it says is told here.")
    yield doc.section_if_any("Here is something else than the run was made with", doc.notes(checked.differs))
    yield doc.section("What failed verification", doc.notes(found))


def caveats(run: Run) -> Iterator[str]:
    """What must be known before anything else is read."""
    yield from (f"Rules conflict: {text}" for text in conflict_lines(run))
    yield from (f"Old data: {text}." for text in old_lines(run))
    yield from (f"Law that turned since it was looked at: {text}." for text in turned_rules(run))
    if old_prices := stale_line(run):
        yield f"Old prices: {old_prices}."
    yield from (f"Made for the case: {text}." for text in noted_packs(run))
    yield from assumed_lines(run)
    yield from (f"Exposed: {text}" for text in exposed_lines(run))
    yield from (f"Paid for, and barred from all that wants it: {text}." for text in barred_texts(run))
    yield from (f"{text}." for text in only_by_periods(run))
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
        told = f"Prices of {count(len({one.offer for one in run.ranges}), 'offer')} are given as ranges"
        yield f"{told}: at their ends the same purchases would cost {low} to {high}, not discounted."
    if run.assumptions:
        yield f"Rests on {count(len(run.assumptions), 'assumption')}; all are in the run."
    if run.leads:
        yield f"{count(len(run.leads), 'offer')} not counted, because nobody published a capacity or price."
    if run.unproven:
        offers = len({row.offer for row in run.unproven})
        yield f"{count(offers, 'offer')} kept out of some use only because an origin or a licence is not proved."


def needs(run: Run) -> list[doc.Element | None]:
    """Every demand with what becomes of it, and what keeps supply from those that are short."""
    columns = [doc.Column("Material"), doc.Column("For"), doc.Column("Cause")]
    ranged = any(d.low_kg is not None for d in run.demands)
    columns += map(doc.figures, ("Wanted", *(["Range"] if ranged else []), "Delivered", "Short", "Met from"))
    rows: list[list[doc.Cell]] = [
        [
            run.names.material_with_id(d.material),
            for_whom(run, d),
            _why(run, d),
            weighed(run.names, d.material, d.wanted_kg),
            *([wanted_range(d)] if ranged else []),
            doc.Share(d.delivered_kg / d.wanted_kg) if d.wanted_kg else "",
            weighed(run.names, d.material, d.short_kg) if d.short_kg else "",
            met_from(d),
        ]
        for d in run.demands
    ]
    return [doc.table(columns, rows), doc.notes(because_lines(run))]


def _why(run: Run, demand: RunDemand) -> str:
    entries = run.shortages_of.get(demand.id, [])
    found = []
    for cause, _ in group_causes(run, [demand]):
        own = [entry for entry in entries if any(each.key == cause.key for each in entry.causes)]
        found.append(f"{cause.brief}, {periods_of(run, own)}")
    return "; ".join(found)


def suppliers(run: Run) -> doc.Element:
    """Material by material the suppliers of most of it, and all others together."""
    rows = [row for material, purchases in by_material(run).items() for row in _of_material(run, material, purchases)]
    columns = [doc.Column("Material"), doc.Column("Supplier"), doc.Column("Through")]
    columns += [doc.figures("Share"), doc.figures("Quantity"), doc.figures("", f"{run.currency}/kg")]
    columns += [doc.figures("of it fee")] if run.draws else []
    return doc.table(columns, rows) if rows else doc.sentence("Nothing is bought.")


def supply_notes(run: Run) -> list[str]:
    """Return what prices include, and what the kilograms of contained elements and oxides equal."""
    materials = [*(d.material for d in run.demands), *(p.material for p in run.purchases)]
    return list(filter(None, (price_note(run), conversions(run.names, materials))))


def _of_material(run: Run, material: str, purchases: Sequence[RunPurchase]) -> Iterator[list[doc.Cell]]:
    groups = grouped((purchase.offer, purchase) for purchase in purchases)
    total = kilograms_of(purchases)
    in_order = sorted(groups.values(), key=lambda group: (-kilograms_of(group), group[0].offer))

    def row(name: str, through: str, group: Sequence[RunPurchase], *, first: bool) -> list[doc.Cell]:
        bought = kilograms_of(group)
        part = doc.Share(bought / total) if total else ""
        return [
            run.names.material_with_id(material) if first else "",
            name,
            through,
            part,
            weighed(run.names, material, bought),
            *prices_of(run, group),
        ]

    for number, group in enumerate(in_order[:SUPPLIERS]):
        yield row(run.names.offer(group[0].offer), chain(run, group[0]).brief, group, first=not number)
    rest = [purchase for group in in_order[SUPPLIERS:] for purchase in group]
    if rest:
        yield row(count(len(in_order) - SUPPLIERS, "other"), "", rest, first=False)


def _orders(run: Run) -> list[doc.Element]:
    """Return the orders of the first period with any, by their last day, the most expensive of a day first."""
    if not run.purchases:
        return [doc.sentence("Nothing.")]
    first = min(run.purchases, key=lambda purchase: purchase.order_by).ordered
    due = [purchase for purchase in run.purchases if purchase.ordered == first]
    orders = sorted(in_orders(due).items(), key=lambda item: (item[1][0].order_by, -cost_of(item[1]), item[0]))
    rows: list[list[doc.Cell]] = [
        [
            *(
                order_day(group[0]),
                run.names.offer_with_id(offer),
                run.names.material_with_id(material),
                place,
                delivered,
            ),
            *(weighed(run.names, material, kilograms_of(group)), *prices_of(run, group), doc.Amount(cost_of(group))),
        ]
        for (offer, material, place, delivered), group in orders[:ORDERS]
    ]
    left = orders[ORDERS:]
    if left:
        rest = cost_of(purchase for _, group in left for purchase in group)
        blank = [""] * (len(rows[0]) - 3)
        rows.append(["", count(len(left), "other order"), *blank, doc.Amount(rest)])
    columns = [doc.Column("Order by", whole=True), *map(doc.Column, ("From", "Material", "To", "Arrives"))]
    columns += [doc.figures("Quantity"), doc.figures("", f"{run.currency}/kg")]
    columns += [*([doc.figures("of it fee")] if run.draws else []), doc.figures("", run.currency)]
    made = doc.table(columns, rows)
    return [doc.sentence(f"In {first}: {large_money(cost_of(due), run.currency)} in all."), made]


def _rules(run: Run) -> Iterator[str]:
    at_work = sorted(with_effect(run), key=lambda rule: (-rule.limits, -rule.keeps_out, -rule.charges, rule.id))
    for rule in at_work[:RULES]:
        parts = [
            f"keeps out {count(rule.keeps_out, 'offer')}" if rule.keeps_out else "",
            f"adds {large_money(rule.charges, run.currency)}" if rule.charges else "",
            f"sets {count(rule.limits, 'limit')}" if rule.limits else "",
        ]
        title = rule.title or rule.sentence
        yield f"{title} ({rule.citation or rule.id}): {', '.join(part for part in parts if part)}."
    rest = at_work[RULES:]
    if rest:
        charges = large_money(sum((rule.charges for rule in rest), Decimal(0)), run.currency)
        yield f"{count(len(rest), 'other rule')}: {charges} in charges."
    if not at_work:
        yield "No rule has any effect."


def proof(run: Run, checked: RunCheck | None) -> Iterator[str]:
    """What is proved, by whom, and what was changed first."""
    cost = run.cost
    bound, own = (large_money(money, run.currency) for money in (run.bound, run.objective))
    yield f"By the solver, no plan has a lower objective than {bound}; this one has {own}."
    if cost.shortage:
        yield f"Of that, about {large_money(cost.shortage, run.currency)} is the penalty for shortage, which is not paid."
    if checked is None:
        yield "Not verified when this page was made."
    else:
        yield from (f"{text[:1].upper()}{text[1:]}." for text in checked.sentences)
        if checked.verified:
            yield "Every quantity, origin, verdict and cost was derived again from the facts of the run, by other code than the solver's."
        yield from (f"Left unverified: {problem.message}." for problem in checked.unchecked)
        yield from (f"Something else is here than the run was made with: {text}." for text in checked.differs)
        yield from (f"Not vouched for: {text}." for text in checked.unvouched)
        yield from (f"As the run tells it: {text}." for text in checked.as_told)
        yield checked.proves_not
    yield from (f"Applied: {text}." for text in run.changes)


def _made_with(run: Run) -> Iterator[str]:
    """Yield the versions and the data behind the run."""
    yield "Made with " + ", ".join(f"{name} {number}" for name, number in run.versions.items()) + "."
    yield (
        "Data: "
        + ", ".join(
            f"{p.name} ({p.distribution or 'beside the case'}, {aged(p.as_of, run.made)}, {p.digest[:12]})"
            for p in run.plugins
            if p.has_facts
        )
        + "."
    )
    kinds = [
        f"{p.name} ({p.distribution}, {p.digest[:12] or 'files not known'})"
        for p in run.plugins
        if p.kind == "rule kind"
    ]
    if kinds:
        yield f"Kinds of rules of plugins: {', '.join(kinds)}."
    yield from (f"Planned {text}." for text in blocked_plugins(run))
