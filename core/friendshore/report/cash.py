"""Money of a run: cash by part, year, and site against budgets, then its present value, full prices, and fees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, money, rounded_money
from ..domain.base import totals
from ..domain.run import Run, RunLimit, RunPurchase
from ..questions.wording import mass_of

YEARS = 6
"""Maximum number of years that the first screen lists."""
SITES = 6
"""Maximum number of sites that a table shows. The others are summed."""
_DUST = Decimal("0.5")
"""Money below which nothing is shown, since rounding to the resolution leaves such amounts."""
_NONE = Decimal(0)
_PARTS = {
    "price": "price",
    "discounts": "discounts and lumps of price schedules",
    "charges": "duties and other charges",
    "freight": "freight",
    "onboarding": "onboarding",
    "fixed": "fixed costs of ordering",
    "untaken": "paid for, not taken",
    "holding": "holding",
}
"""Parts of the spend, in words."""
_WITHOUT_SITE = {"stock": "in stock at the end", "unused": "made or bought, and not used", **_PARTS}
_HORIZON = "horizon"
"""Label of a budget for the whole plan."""


def cash_by_part(run: Run) -> dict[str, Decimal]:
    """Return the cash of each part of the cost, list prices included, without zeros. Empty for a run that states no cash."""
    if not run.cash:
        return {}
    found: dict[str, Decimal] = totals((str(row.on), row.amount) for row in run.cash if row.on in _PARTS)
    found["charges"] = sum((one.charges for one in run.purchases), _NONE)
    found["freight"] = sum((one.freight for one in run.purchases), _NONE)
    price = run.cost.nominal - sum(found.values(), _NONE)
    found["price"] = price if abs(price) >= _DUST else _NONE
    return {name: found[name] for name in _PARTS if found.get(name)}


MILLION = Decimal(10) ** 6
_UNITS = ((1000 * MILLION, ", in billions"), (MILLION, ", in millions"))


def money_line(run: Run) -> str:
    """Return the line on money below the headline: years, budgets, present value, and ends of price ranges. Empty if there is nothing."""
    by_year = {year: cash for year, cash in _by_year(run).items() if abs(cash) >= _DUST}
    told = []
    if 1 < len(by_year) <= YEARS:
        told.append(_in_one_unit("by year of order", by_year))
    told += _budget_words(run)
    if run.cost.nominal != run.cost.total:
        told.append(f"present value {large_money(run.cost.total, run.currency)}")
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
        told += [f"price ranges {low} to {high}"] if low != high else []
    return "; ".join(told)


def _in_one_unit(title: str, amounts: Mapping[str, Decimal]) -> str:
    """Return amounts in one unit, with three digits: `by year of order, in billions: 2027 3.76, 2028 3.7`."""
    largest = max(map(abs, amounts.values()))
    unit, word = next((each for each in _UNITS if largest >= each[0]), (Decimal(1), ""))
    figures = (
        f"{name} {float(amount / unit):.3g}" if word else f"{name} {amount:,.0f}" for name, amount in amounts.items()
    )
    return f"{title}{word}: {', '.join(figures)}"


def penalty_line(run: Run) -> str:
    """Return the penalties in the objective, rounded. Empty if there are none."""
    parts = [
        f"{rounded_money(amount, run.currency)} for {what}"
        for amount, what in ((run.cost.shortage, "shortage"), (run.cost.penalties, "missed soft limits"))
        if amount
    ]
    return f"Penalties, which are not paid: about {' and '.join(parts)} (present value)" if parts else ""


def costs(run: Run) -> doc.Section:
    """Return cash and present value by part, then the penalties."""
    cash, cost = cash_by_part(run), run.cost
    discounted = cost.nominal != cost.total
    parts = [(title, cash.get(name), getattr(cost, name)) for name, title in _PARTS.items()]
    rows = [
        doc.DataRow((title, _amount(paid), *([_amount(value)] if discounted else [])))
        for title, paid, value in parts
        if paid or value
    ]
    rows.append(
        doc.DataRow(("spent", doc.Amount(cost.nominal), *([doc.Amount(cost.total)] if discounted else [])), strong=True)
    )
    columns = [doc.Column("Part"), doc.figures("Cash", run.currency)]
    columns += [doc.figures("Present value", run.currency)] if discounted else []
    penalty = penalty_line(run)
    minimized = f". Spend and penalties together are minimized: {rounded_money(cost.objective, run.currency)}."
    aside = doc.sentence(penalty + minimized, tone=doc.Tone.ASIDE) if penalty else None
    return doc.section("Cost", doc.table(columns, rows), aside)


def cash_sections(run: Run) -> list[doc.Section]:
    """Return cash by site and year, and by period, against budgets."""
    if not run.cash:
        return []
    years = {period.label: str(period.start.year) for period in run.periods}
    told = "By period of the order, as budgets count it; duty and freight are paid on arrival. Not discounted."
    sections = [doc.section("Cash by site and year", doc.sentence(told), _by_site(run, years))]
    if len(set(years.values())) < len(run.periods):
        sections.append(doc.section("Cash by period and site", _by_period(run)))
    return sections


def full_cost_of(purchases: Iterable[RunPurchase]) -> Decimal:
    """Return the cost of some purchases, inputs included."""
    return sum((one.cost + one.inputs_cost for one in purchases), _NONE)


def fee(run: Run, purchases: Sequence[RunPurchase]) -> Decimal | None:
    """Return the average fee per kilogram, with duty and freight. None if any of it is bought ready, since fees and prices aren't averaged."""
    kilograms = sum((one.quantity_kg for one in purchases), _NONE)
    if not kilograms or any(one.offer not in run.inputs_of for one in purchases):
        return None
    return sum((one.cost for one in purchases), _NONE) / kilograms


def full_price(purchases: Sequence[RunPurchase]) -> Decimal | None:
    """Return the average full price of a kilogram. None if nothing is bought."""
    kilograms = sum((one.quantity_kg for one in purchases), _NONE)
    return full_cost_of(purchases) / kilograms if kilograms else None


def full_price_cell(purchases: Sequence[RunPurchase]) -> doc.Cell:
    """Return the average full price of a kilogram, marked if it excludes duty on the value of inputs."""
    whole = full_price(purchases)
    if whole is None:
        return doc.NOTHING
    return f"{money(whole)}*" if any(one.duty_on_inputs for one in purchases) else doc.Amount(whole)


def duty_note(run: Run) -> str:
    """Return the meaning of the mark on full prices. Empty if no price has one."""
    left_out = run.duty_on_inputs
    return (
        f"* Duty on the fee alone: with that on inputs it is {large_money(left_out, run.currency)} more."
        if left_out
        else ""
    )


def is_duty_told(run: Run) -> bool:
    """Return True if the first screen mentions the duty on inputs, because it exceeds a thousandth of the cash."""
    return run.duty_on_inputs * 1000 > run.cost.nominal


def priced(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    """Return the full price as a cell, with the fee if there is one."""
    whole, own = full_price(purchases), fee(run, purchases)
    if whole is None:
        return doc.NOTHING
    mark = "*" if is_duty_told(run) and any(one.duty_on_inputs for one in purchases) else ""
    return doc.Amount(whole) if own is None else f"{money(whole)}{mark} (fee {money(own)})"


def price_sentence(run: Run) -> doc.Sentence | None:
    """Return the meaning of full prices and fees. None if nothing is made from inputs."""
    told = "Prices include all inputs. A fee is what a maker asks, with duty and freight; its inputs are orders of their own."
    return doc.sentence(" ".join(filter(None, (told, stock_note(run), duty_note(run))))) if run.draws else None


def stock_note(run: Run) -> str:
    """Return the inputs that cost no cash in this plan, because they are in stock or on order. Empty if there are none."""
    drawn = {draw.material for draw in run.draws}
    lots = totals((lot.material, lot.quantity_kg) for lot in run.lots if lot.material in drawn)
    held = [
        f"{run.names.material(material)} {mass_of(run.names, material, kilograms)}"
        for material, kilograms in lots.items()
    ]
    more = f", {len(held) - 1} more" if len(held) > 1 else ""
    return f"Full prices leave out inputs in stock and on order: {held[0]}{more}." if held else ""


def _by_year(run: Run) -> dict[str, Decimal]:
    years = {period.label: str(period.start.year) for period in run.periods}
    found = totals((years[row.period], row.amount) for row in run.cash)
    return {year: found.get(year, _NONE) for year in dict.fromkeys(years.values())} if found else {}


def _budgets(run: Run) -> dict[str, list[RunLimit]]:
    kinds = {rule.id: rule.kind for rule in run.rules}
    rows = [row for row in run.limits if kinds.get(row.rule) == "budget" and row.at_most is not None]
    return {rule: [row for row in rows if row.rule == rule] for rule in dict.fromkeys(row.rule for row in rows)}


def _budget_words(run: Run) -> Iterator[str]:
    for rule, rows in _budgets(run).items():
        tight = [row for row in rows if row.at_most is not None and row.at_most - row.value < 1]
        over = [row for row in rows if row.missed_by >= 1]
        if over:
            told = f"overdrawn in {_labels(over)}"
        elif tight:
            told = f"used up in {_labels(tight)}"
        else:
            told = "not used up"
        most = {row.at_most for row in rows if row.at_most is not None}
        size = f" of {large_money(most.pop(), run.currency)}" if len(most) == 1 else ""
        yield f"budget {rule}{size} {told}"


def _labels(rows: Sequence[RunLimit]) -> str:
    names = ["the whole plan" if row.label == _HORIZON else row.label for row in rows]
    return ", ".join(names[:YEARS]) + (f" and {len(names) - YEARS} more" if len(names) > YEARS else "")


def _amount(value: Decimal | None) -> doc.Cell:
    return doc.Amount(value) if value and abs(value) >= _DUST else doc.NOTHING


def _by_site(run: Run, years: Mapping[str, str]) -> doc.DataTable:
    columns = list(dict.fromkeys(years.values()))

    def row(name: str, cash: Mapping[str, Decimal], *, strong: bool = False) -> doc.DataRow:
        return doc.DataRow(
            (name, *(_amount(cash.get(year)) for year in columns), _amount(sum(cash.values(), _NONE))), strong
        )

    rows = [
        row(name, totals((years[one.period], one.amount) for one in run.cash if _name(one.on, one.place) == name))
        for name in _names(run)
    ]
    rows.append(row("cash", totals((years[one.period], one.amount) for one in run.cash), strong=True))
    rows += _budget_rows(run, columns)
    return doc.table([doc.Column("For"), *map(doc.figures, columns), doc.figures("All", run.currency)], rows)


def _budget_rows(run: Run, columns: Sequence[str]) -> Iterator[doc.DataRow]:
    """Yield the counted, allowed, and remaining amount of each budget, by the columns with rows for it."""
    for rule, limits in _budgets(run).items():
        by_label = {limit.label: limit for limit in limits}
        if not by_label.keys() & {*columns, _HORIZON}:
            continue
        shown = [by_label.get(label) for label in (*columns, _HORIZON)]
        for words, value in _OF_BUDGET:
            cells = (_amount(None if limit is None else value(limit)) for limit in shown)
            yield doc.DataRow((f"budget {rule}: {words}", *cells))


_OF_BUDGET: tuple[tuple[str, Callable[[RunLimit], Decimal]], ...] = (
    ("counted", lambda limit: limit.value),
    ("limit", lambda limit: limit.at_most or _NONE),
    ("left", lambda limit: (limit.at_most or _NONE) - limit.value),
)


def _by_period(run: Run) -> doc.DataTable:
    names = _names(run)
    kept = names if len(names) <= SITES + 1 else names[:SITES]
    labels = [period.label for period in run.periods]
    of = totals(((one.period, _name(one.on, one.place)), one.amount) for one in run.cash)
    budgets = {
        rule: {limit.label: limit for limit in limits}
        for rule, limits in _budgets(run).items()
        if {limit.label for limit in limits} & set(labels)
    }

    def row(title: str, some: Sequence[str], *, strong: bool = False) -> doc.DataRow:
        by_name = {name: sum((of.get((label, name), _NONE) for label in some), _NONE) for name in names}
        rest = [sum((by_name[name] for name in names if name not in kept), _NONE)] if len(kept) < len(names) else []
        left = (
            doc.Amount((limit.at_most or _NONE) - limit.value)
            if not strong and (limit := rows.get(title))
            else doc.NOTHING
            for rows in budgets.values()
        )
        amounts = (*(by_name[name] for name in kept), *rest, sum(by_name.values(), _NONE))
        return doc.DataRow((title, *map(_amount, amounts), *left), strong)

    rows = [row(label, [label]) for label in labels]
    rows.append(row("cash", labels, strong=True))
    columns = [doc.Column("Period", whole=True), *map(doc.figures, kept)]
    columns += [doc.figures(count(len(names) - len(kept), "other"))] if len(kept) < len(names) else []
    columns += [doc.figures("All", run.currency), *(doc.figures(f"left of {rule}") for rule in budgets)]
    return doc.table(columns, rows)


def _names(run: Run) -> list[str]:
    """Return the sites by descending cash, then the cash without a site."""
    sites = totals((one.place, abs(one.amount)) for one in run.cash if one.on == "use")
    ordered = sorted(sites, key=lambda name: (-sites[name], name))
    others = dict.fromkeys(one.on for one in run.cash if one.on != "use" and _felt(run, one.on))
    return [*ordered, *(_WITHOUT_SITE[on] for on in others)]


def _felt(run: Run, on: str) -> bool:
    return any(abs(one.amount) >= _DUST for one in run.cash if one.on == on)


def _name(on: str, place: str) -> str:
    return place if on == "use" else _WITHOUT_SITE[on]
