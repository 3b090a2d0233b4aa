"""A run on one page of Markdown: what a planner sends to whoever decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ..domain.run import Run, RunDemand, RunPurchase
from ..domain.used import aged
from ..inert import markdown_inert
from .checks import answer
from .demand import because_lines, by_reason, causes_of, for_whom, met_from, periods_of
from .figures import count, large_money, mass, money, percent
from .ground import blocked_plugins
from .heading import STATUS, assumed_lines, conflict_lines, exposed_lines, old_lines, spends, time_of
from .holdings import TITLES, barred_lines, barred_texts, holding_rows
from .mix import by_material, chain, names_of, per_kg
from .orders import in_orders
from .whole_periods import TITLES as BY_MONTHS
from .whole_periods import by_months_rows, only_by_periods, rounded_lines, unlooked

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


def markdown_report(run: Run, checked: RunCheck | None = None) -> str:
    """The page: verdict, caveats, needs, suppliers, what is short, what to order next, what the law does, how to check it.

    Args:
        run: what is told.
        checked: what a check of it found; None: it was not checked, which the page says. Of a run that does not hold nothing is told but
            what failed verification.
    """
    if checked is not None and checked.findings:
        return _refused(run, checked)
    parts = [
        _title(run, checked),
        _section("Before you rely on it", _bullets(_caveats(run))),
        _section("What is needed, and whether it is available", _needs(run)),
        _section("What counting in whole periods does", _whole_periods(run)),
        _section("Who supplies it", _suppliers(run)),
        _section("Stock in hand and orders placed", _holdings(run)),
        _section("What to order next", _orders(run)),
        _section("What the rules do", _bullets(_rules(run))),
        _section("How sure this is", _bullets(_proof(run, checked))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(run: Run, checked: RunCheck | None) -> str:
    words, _ = STATUS[run.status]
    strict = ", rules of unknown status enforced" if run.strict else ""
    told = f"The plan is **{words}**, gap {percent(run.gap)}{strict}. It {markdown_inert(spends(run))}."
    return f"# {markdown_inert(_called(run))}\n\n{markdown_inert(time_of(run))}\n\n{_checked(checked)}\n\n{told}"


def _called(run: Run) -> str:
    return run.case + (f" with {', '.join(run.scenario)}" if run.scenario else "")


def _checked(checked: RunCheck | None) -> str:
    """Whether the run was verified when the page was made, before all else that is told of it."""
    if checked is None:
        return "**Not verified** when this page was made: `friendshore verify` checks the run."
    return f"Checked when this page was made: **{markdown_inert(answer(checked).partition(': ')[2])}**."


def _refused(run: Run, checked: RunCheck) -> str:
    """What is printed of a run that does not hold: what failed verification, and nothing of what it says."""
    found = [str(problem) for problem in checked.findings[:FINDINGS]]
    if len(checked.findings) > FINDINGS:
        found.append(f"and {len(checked.findings) - FINDINGS:,} more: `friendshore verify` lists them")
    head = f"# {markdown_inert(_called(run))}\n\n**This run does not hold: do not rely on it.** Nothing that it says is told here."
    other = _section("Here is something else than the run was made with", _bullets(checked.differs))
    return "\n\n".join(filter(None, (head, other, _section("What failed verification", _bullets(found))))) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_inert(text)}" for text in texts)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], figures: int) -> str:
    """A table whose last so many columns are figures."""
    words = len(titles) - figures
    lines = [titles, ["---"] * words + ["---:"] * figures, *rows]
    return "\n".join("| " + " | ".join(map(markdown_inert, line)) + " |" for line in lines)


def _caveats(run: Run) -> Iterator[str]:
    yield from (f"Rules conflict: {text}" for text in conflict_lines(run))
    yield from (f"Old data: {text}." for text in old_lines(run))
    yield from assumed_lines(run)
    yield from (f"Exposed: {text}" for text in exposed_lines(run))
    yield from (f"Paid for, and barred from all that wants it: {text}." for text in barred_texts(run))
    yield from (f"{text}." for text in only_by_periods(run))
    if run.assumptions:
        yield f"Rests on {count(len(run.assumptions), 'assumption')}; all are in the run."
    if run.leads:
        yield f"{count(len(run.leads), 'offer')} not counted, because nobody published a capacity or price."
    if run.unproven:
        offers = len({row.offer for row in run.unproven})
        yield f"{count(offers, 'offer')} kept out of some use only because an origin or a licence is not proved."


def _needs(run: Run) -> str:
    rows = [
        [
            d.material,
            for_whom(run, d),
            _why(run, d),
            mass(d.wanted_kg),
            _part(d),
            mass(d.short_kg) if d.short_kg else "",
            met_from(d),
        ]
        for d in run.demands
    ]
    made = _table(["material", "for", "why it is short", "wanted", "delivered", "short", "met from"], rows, 4)
    why = _bullets(because_lines(run))
    return f"{made}\n\n{why}" if why else made


def _whole_periods(run: Run) -> str:
    """Shortages beside those of a plan in months, and what is counted otherwise than it is stated."""
    rows = by_months_rows(run)
    texts = _bullets((*unlooked(run), *rounded_lines(run)))
    return "\n\n".join(part for part in (_table(BY_MONTHS, rows, 3) if rows else "", texts) if part)


def _why(run: Run, demand: RunDemand) -> str:
    """Every reason for which it is short, with the periods."""
    reasons = ((reason, entries) for (name, reason), entries in by_reason(run).items() if name == demand.id)
    return "; ".join(f"{causes_of(entries) or reason}, {periods_of(run, entries)}" for reason, entries in reasons)


def _part(demand: RunDemand) -> str:
    return percent(demand.delivered_kg / demand.wanted_kg) if demand.wanted_kg else ""


def _suppliers(run: Run) -> str:
    rows = [row for material, purchases in by_material(run).items() for row in _of_material(run, material, purchases)]
    titles = ["material", "supplier", "through", "share", "quantity", f"{run.currency}/kg"]
    return _table(titles, rows, 3) if rows else "Nothing is bought."


def _of_material(run: Run, material: str, purchases: Sequence[RunPurchase]) -> Iterator[list[str]]:
    names = names_of(purchases)
    groups: defaultdict[str, list[RunPurchase]] = defaultdict(list)
    for purchase in purchases:
        groups[purchase.offer].append(purchase)
    total = _kilograms(purchases)
    in_order = sorted(groups.values(), key=lambda group: (-_kilograms(group), group[0].offer))
    for number, group in enumerate(in_order[:SUPPLIERS]):
        first, bought = group[0], _kilograms(group)
        part = percent(bought / total) if total else ""
        yield [
            material if not number else "",
            names[first.offer],
            chain(run, first, False),
            part,
            mass(bought),
            per_kg(group),
        ]
    rest = [purchase for group in in_order[SUPPLIERS:] for purchase in group]
    if rest:
        part = percent(_kilograms(rest) / total) if total else ""
        others = count(len(in_order) - SUPPLIERS, "other")
        yield ["", others, "", part, mass(_kilograms(rest)), per_kg(rest)]


def _holdings(run: Run) -> str:
    """What is there or on its way, with what bars it and what would heal that."""
    if not run.holdings:
        return ""
    made = _table(TITLES, holding_rows(run), 0)
    why = _bullets(barred_lines(run))
    return f"{made}\n\n{why}" if why else made


def _kilograms(purchases: Sequence[RunPurchase]) -> Decimal:
    return sum((purchase.quantity_kg for purchase in purchases), Decimal(0))


def _money(purchases: Sequence[RunPurchase]) -> Decimal:
    return sum((purchase.cost for purchase in purchases), Decimal(0))


def _orders(run: Run) -> str:
    """The orders of the first period in which anything is ordered, dearest first."""
    if not run.purchases:
        return "Nothing."
    day = min(purchase.order_by for purchase in run.purchases)
    due = [purchase for purchase in run.purchases if purchase.order_by == day]
    orders = sorted(in_orders(due).items(), key=lambda item: (-_money(item[1]), item[0]))
    rows = [
        [offer, material, place, delivered, mass(_kilograms(group)), money(_money(group))]
        for (offer, material, place, delivered), group in orders[:ORDERS]
    ]
    left = orders[ORDERS:]
    if left:
        rest = [purchase for _, group in left for purchase in group]
        rows.append([count(len(left), "other order"), "", "", "", "", money(_money(rest))])
    titles = ["order", "material", "to", "arrives", "quantity", run.currency]
    return f"By {day}: {markdown_inert(large_money(_money(due), run.currency))} in all.\n\n" + _table(titles, rows, 2)


def _rules(run: Run) -> Iterator[str]:
    at_work = [rule for rule in run.rules if rule.bites and (rule.keeps_out or rule.charges or rule.limits)]
    at_work.sort(key=lambda rule: (-rule.limits, -rule.keeps_out, -rule.charges, rule.id))
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


def _proof(run: Run, checked: RunCheck | None) -> Iterator[str]:
    cost = run.cost
    bound, own = (large_money(money, run.currency) for money in (run.bound, run.objective))
    yield f"By the solver, no plan has a lower objective than {bound}; this one has {own}."
    if cost.shortage:
        yield f"Of that, {large_money(cost.shortage, run.currency)} is shortage at its price, which nobody spends."
    if checked is None:
        yield "Not verified when this page was made."
    else:
        yield f"{checked.optimality[:1].upper()}{checked.optimality[1:]}."
        if checked.verified:
            yield "Every quantity, origin, verdict and cost was derived again from the facts of the run, by other code than the solver's."
        yield from (f"Left unverified: {problem.message}." for problem in checked.unchecked)
        yield from (f"Something else is here than the run was made with: {text}." for text in checked.differs)
        yield from (f"Not vouched for: {text}." for text in checked.unvouched)
        yield from (f"As the run tells it: {text}." for text in checked.as_told)
        yield f"{checked.signature[:1].upper()}{checked.signature[1:]}."
        yield checked.proves_not
    yield from (f"Applied: {text}." for text in run.changes)
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
