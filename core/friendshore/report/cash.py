"""Money of a run: cash by part, year, and site against budgets, then its present value, full prices, and fees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, money, rounded_money
from ..domain.base import totals
from ..domain.run import Run, RunLimit, RunPurchase
from ..questions.wording import ESTIMATED, mass_of

MAX_YEARS = 6
MAX_SITES = 6
_SMALLEST_SHOWN = Decimal("0.5")
"""Money below which nothing is shown, since rounding to the resolution leaves such amounts."""
_ZERO = Decimal(0)
_PARTS = {
    "price": "price",
    "discounts": "discounts and lump sums of price schedules",
    "charges": "duties and other charges",
    "freight": "freight",
    "onboarding": "onboarding",
    "fixed": "fixed costs of ordering",
    "untaken": "paid for, not taken",
    "holding": "holding",
}
_WITHOUT_SITE = {"stock": "in stock at the end", "unused": "made or bought but unused", **_PARTS}
_HORIZON = "horizon"


def cash_by_part(run: Run) -> dict[str, Decimal]:
    """Return the cash of each part of the cost, without zeros. Empty for a run that states no cash."""
    if not run.cash:
        return {}
    cash: dict[str, Decimal] = totals((str(row.purpose), row.amount) for row in run.cash if row.purpose in _PARTS)
    cash["charges"] = sum((purchase.charges for purchase in run.purchases), _ZERO)
    cash["freight"] = sum((purchase.freight for purchase in run.purchases), _ZERO)
    price = run.cost.nominal - sum(cash.values(), _ZERO)
    cash["price"] = price if abs(price) >= _SMALLEST_SHOWN else _ZERO
    return {name: cash[name] for name in _PARTS if cash.get(name)}


MILLION = Decimal(10) ** 6
_UNITS = ((1000 * MILLION, ", in billions"), (MILLION, ", in millions"))


def money_line(run: Run) -> str:
    by_year = {year: cash for year, cash in _by_year(run).items() if abs(cash) >= _SMALLEST_SHOWN}
    parts = []
    if 1 < len(by_year) <= MAX_YEARS:
        parts.append(_in_one_unit("By year of order", by_year))
    return "; ".join([*parts, *_budget_words(run)])


def present_value(run: Run) -> Iterator[str]:
    """Yield the present value and the cost over price ranges, where they differ from the cash."""
    if run.cost.nominal != run.cost.total:
        yield f"present value {large_money(run.cost.total, run.currency)}"
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
        word = high.rpartition(" ")[2]
        if low != high:
            yield f"{low.removesuffix(f' {word}')} to {high.removeprefix(f'{run.currency} ')} over price ranges"


def _in_one_unit(title: str, amounts: Mapping[str, Decimal]) -> str:
    """Return text such as `by year of order, in billions: 2027 3.76, 2028 3.7`."""
    largest = max(map(abs, amounts.values()))
    unit, word = next((unit_and_word for unit_and_word in _UNITS if largest >= unit_and_word[0]), (Decimal(1), ""))
    figures = (
        f"{name} {float(amount / unit):.3g}" if word else f"{name} {amount:,.0f}" for name, amount in amounts.items()
    )
    return f"{title}{word}: {', '.join(figures)}"


def penalty_line(run: Run) -> str:
    """Return the penalties in the objective, rounded. Empty if there are none."""
    parts = [
        f"{rounded_money(amount, run.currency)} for {purpose}"
        for amount, purpose in ((run.cost.shortage, "shortage"), (run.cost.penalties, "missed soft limits"))
        if amount
    ]
    return f"Penalties, which are not paid: about {' and '.join(parts)} (present value)" if parts else ""


def costs(run: Run) -> doc.Section:
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
    if not run.cash:
        return []
    years = {period.label: str(period.start.year) for period in run.periods}
    explanation = (
        "Counted in the period of the order, as budgets do. Duty and freight are paid on arrival. Not discounted."
    )
    sections = [doc.section("Cash by site and year", doc.sentence(explanation), _by_site(run, years))]
    if len(set(years.values())) < len(run.periods):
        sections.append(doc.section("Cash by period and site", _by_period(run)))
    return sections


def full_cost_of(purchases: Iterable[RunPurchase]) -> Decimal:
    return sum((purchase.cost + purchase.inputs_cost for purchase in purchases), _ZERO)


def fee(run: Run, purchases: Sequence[RunPurchase]) -> Decimal | None:
    """Return the average fee per kilogram, with duty and freight. None if any of it is bought ready, since fees and prices aren't averaged."""
    kilograms = sum((purchase.quantity_kg for purchase in purchases), _ZERO)
    if not kilograms or any(purchase.offer not in run.inputs_of for purchase in purchases):
        return None
    return sum((purchase.cost for purchase in purchases), _ZERO) / kilograms


def full_price(purchases: Sequence[RunPurchase]) -> Decimal | None:
    """Return the average full price of a kilogram. None if nothing is bought."""
    kilograms = sum((purchase.quantity_kg for purchase in purchases), _ZERO)
    return full_cost_of(purchases) / kilograms if kilograms else None


def full_price_cell(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    price = full_price(purchases)
    if price is None:
        return doc.NOTHING
    mark = "*" if any(purchase.duty_on_inputs for purchase in purchases) else ""
    mark += duty_status(run, purchases)
    return f"{money(price)}{mark}" if mark else doc.Amount(price)


def duty_status(run: Run, purchases: Iterable[RunPurchase]) -> str:
    """Return remarks for a price without duty because no tariff line is known, or with the highest duty because the customs origin is unknown."""
    bought = list(purchases)
    unchecked = any(purchase.material in run.duty_not_checked for purchase in bought)
    estimated = any(purchase.charges and purchase.offer in run.duty_estimated for purchase in bought)
    return (", duty not checked" if unchecked else "") + (ESTIMATED if estimated else "")


def duty_note(run: Run) -> str:
    duty = run.duty_on_inputs
    return f"* Excludes duty on the value of inputs, which would add {large_money(duty, run.currency)}." if duty else ""


def is_duty_told(run: Run) -> bool:
    """Return True if the duty on inputs exceeds a thousandth of the cash, so that the first screen mentions it."""
    return run.duty_on_inputs * 1000 > run.cost.nominal


def priced(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    price, own_fee = full_price(purchases), fee(run, purchases)
    if price is None:
        return doc.NOTHING
    mark = "*" if is_duty_told(run) and any(purchase.duty_on_inputs for purchase in purchases) else ""
    status = duty_status(run, purchases)
    if own_fee is None:
        return f"{money(price)}{status}" if status else doc.Amount(price)
    return f"{money(price)}{mark} (fee {money(own_fee)}){status}"


def price_sentence(run: Run) -> doc.Sentence | None:
    """Explain full prices and fees. None if nothing is made from inputs."""
    explanation = (
        "Prices include all inputs. A fee is a maker's charge with duty and freight. Its inputs are separate orders."
    )
    return doc.sentence(" ".join(filter(None, (explanation, stock_note(run), duty_note(run))))) if run.draws else None


def stock_note(run: Run) -> str:
    """Return the inputs in stock or on order, which cost no cash in this plan. Empty if there are none."""
    drawn = {draw.material for draw in run.draws}
    lots = totals((lot.material, lot.quantity_kg) for lot in run.lots if lot.material in drawn)
    inputs = [
        f"{run.names.material(material)} {mass_of(run.names, material, kilograms)}"
        for material, kilograms in lots.items()
    ]
    others = f", {len(inputs) - 1} more" if len(inputs) > 1 else ""
    return f"Full prices exclude inputs in stock or on order: {inputs[0]}{others}." if inputs else ""


def _by_year(run: Run) -> dict[str, Decimal]:
    years = {period.label: str(period.start.year) for period in run.periods}
    cash = totals((years[row.period], row.amount) for row in run.cash)
    return {year: cash.get(year, _ZERO) for year in dict.fromkeys(years.values())} if cash else {}


def _budgets(run: Run) -> dict[str, list[RunLimit]]:
    kinds = {rule.id: rule.kind for rule in run.rules}
    rows = [row for row in run.limits if kinds.get(row.rule) == "budget" and row.at_most is not None]
    return {rule: [row for row in rows if row.rule == rule] for rule in dict.fromkeys(row.rule for row in rows)}


def _budget_words(run: Run) -> Iterator[str]:
    for rule, rows in _budgets(run).items():
        tight = [row for row in rows if row.at_most is not None and row.at_most - row.value < 1]
        over = [row for row in rows if row.missed_by >= 1]
        if over:
            state = f"overdrawn in {_labels(over)}"
        elif tight:
            state = f"used up in {_labels(tight)}"
        else:
            state = "not used up"
        maximums = {row.at_most for row in rows if row.at_most is not None}
        size = f" of {large_money(maximums.pop(), run.currency)}" if len(maximums) == 1 else ""
        yield f"budget {rule}{size} {state}"


def _labels(rows: Sequence[RunLimit]) -> str:
    names = ["the whole plan" if row.label == _HORIZON else row.label for row in rows]
    return ", ".join(names[:MAX_YEARS]) + (f" and {len(names) - MAX_YEARS} more" if len(names) > MAX_YEARS else "")


def _amount(value: Decimal | None) -> doc.Cell:
    return doc.Amount(value) if value and abs(value) >= _SMALLEST_SHOWN else doc.NOTHING


def _by_site(run: Run, years: Mapping[str, str]) -> doc.DataTable:
    columns = list(dict.fromkeys(years.values()))

    def row(payee: str, cash: Mapping[str, Decimal], *, strong: bool = False) -> doc.DataRow:
        return doc.DataRow(
            (payee, *(_amount(cash.get(year)) for year in columns), _amount(sum(cash.values(), _ZERO))), strong
        )

    rows = [
        row(
            payee,
            totals(
                (years[entry.period], entry.amount) for entry in run.cash if _payee(entry.purpose, entry.place) == payee
            ),
        )
        for payee in _payees(run)
    ]
    rows.append(row("cash", totals((years[entry.period], entry.amount) for entry in run.cash), strong=True))
    rows += _budget_rows(run, columns)
    return doc.table([doc.Column("For"), *map(doc.figures, columns), doc.figures("All", run.currency)], rows)


def _budget_rows(run: Run, columns: Sequence[str]) -> Iterator[doc.DataRow]:
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
    ("limit", lambda limit: limit.at_most or _ZERO),
    ("left", lambda limit: (limit.at_most or _ZERO) - limit.value),
)


def _by_period(run: Run) -> doc.DataTable:
    names = _payees(run)
    shown = names if len(names) <= MAX_SITES + 1 else names[:MAX_SITES]
    labels = [period.label for period in run.periods]
    cash = totals(((entry.period, _payee(entry.purpose, entry.place)), entry.amount) for entry in run.cash)
    budgets = {
        rule: {limit.label: limit for limit in limits}
        for rule, limits in _budgets(run).items()
        if {limit.label for limit in limits} & set(labels)
    }

    def row(title: str, periods: Sequence[str], *, strong: bool = False) -> doc.DataRow:
        by_payee = {payee: sum((cash.get((label, payee), _ZERO) for label in periods), _ZERO) for payee in names}
        others = (
            [sum((by_payee[payee] for payee in names if payee not in shown), _ZERO)] if len(shown) < len(names) else []
        )
        leftovers = (
            doc.Amount((limit.at_most or _ZERO) - limit.value)
            if not strong and (limit := rows.get(title))
            else doc.NOTHING
            for rows in budgets.values()
        )
        amounts = (*(by_payee[payee] for payee in shown), *others, sum(by_payee.values(), _ZERO))
        return doc.DataRow((title, *map(_amount, amounts), *leftovers), strong)

    rows = [row(label, [label]) for label in labels]
    rows.append(row("cash", labels, strong=True))
    columns = [doc.Column("Period", whole=True), *map(doc.figures, shown)]
    columns += [doc.figures(count(len(names) - len(shown), "other"))] if len(shown) < len(names) else []
    columns += [doc.figures("All", run.currency), *(doc.figures(f"left of {rule}") for rule in budgets)]
    return doc.table(columns, rows)


def _payees(run: Run) -> list[str]:
    sites = totals((entry.place, abs(entry.amount)) for entry in run.cash if entry.purpose == "use")
    ordered = sorted(sites, key=lambda site: (-sites[site], site))
    others = dict.fromkeys(
        entry.purpose for entry in run.cash if entry.purpose != "use" and _is_shown(run, entry.purpose)
    )
    return [*ordered, *(_WITHOUT_SITE[on] for on in others)]


def _is_shown(run: Run, on: str) -> bool:
    return any(abs(row.amount) >= _SMALLEST_SHOWN for row in run.cash if row.purpose == on)


def _payee(on: str, place: str) -> str:
    return place if on == "use" else _WITHOUT_SITE[on]
