"""The countries of a run: where it buys, and for how much; where what it buys was made; which of them rules keep out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import large_money
from friendshore.domain.base import grouped, totals
from friendshore.domain.countries import is_country
from friendshore.domain.run import Run, RunPurchase
from friendshore.report.ground import more
from friendshore.report.mix import cost_of

from .parts import country, largest, masses

COUNTRIES = 40
"""Countries of the table."""
ROUTES = 60
"""Routes of the map."""
RULES = 4
"""Rules that are named of those that keep a country out."""


def world_section(run: Run) -> doc.Section | None:
    """A map of money and bans, with the table of both."""
    bought = grouped((one.country, one) for one in run.purchases)
    made = _made_in(run.purchases)
    barred = grouped((code, row.rule) for row in run.blocked for code in row.countries)
    spent = {code: cost_of(group) for code, group in bought.items()}
    codes = [*largest(spent, len(spent)), *sorted({*made, *barred} - {*spent})]
    if not codes:
        return None
    told = {code: _told(run, code, bought.get(code, ()), made.get(code, {}), barred.get(code, ())) for code in codes}
    shown = [
        charts.Country(code, spent.get(code), "; ".join(told[code]), _tone(code in bought, code in barred))
        for code in codes
        if is_country(code)
    ]
    chart = charts.WorldMap(tuple(shown), tuple(_routes(run)), run.currency)
    rows = [
        _row(code, bought.get(code, ()), made.get(code, {}), barred.get(code, ()), run) for code in codes[:COUNTRIES]
    ]
    columns = [
        doc.Column("Country"),
        doc.figures("Bought there", run.currency),
        doc.figures("Share"),
        doc.Column("What"),
    ]
    columns += [doc.Column("Stages that lie there, or may"), doc.Column("Kept out by")]
    text = f"Countries by the landed cost of what is bought there, in {run.currency} and not discounted; where goods go; and what rules keep out."
    drawn = doc.Drawing("Where it is bought, and where not", text, chart, doc.table(columns, rows))
    left = more(len(codes) - COUNTRIES, "country", "purchases.csv", "countries")
    where = "A stage that may lie in several countries counts for each of them. A country may be kept out of some uses and serve others."
    return doc.section("Where it comes from", drawn, doc.notes([where, *left]))


def _tone(bought: bool, barred: bool) -> doc.Tone:
    if barred:
        return doc.Tone.DOUBTFUL if bought else doc.Tone.BAD
    return doc.Tone.PLAIN if bought else doc.Tone.ASIDE


def _made_in(purchases: Iterable[RunPurchase]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Country -> stage -> material -> kilograms of which it may have performed that stage."""
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for one in purchases:
        for stage, codes in one.countries.items():
            for code in codes:
                by_material = found.setdefault(code, {}).setdefault(stage, {})
                by_material[one.material] = by_material.get(one.material, Decimal(0)) + one.quantity_kg
    return found


def _weighed(purchases: Iterable[RunPurchase]) -> str:
    """Materials with what is bought of them, those first that cost most."""
    found = list(purchases)
    cost = totals((one.material, one.cost) for one in found)
    weights = totals((one.material, one.quantity_kg) for one in found)
    return masses({name: weights[name] for name in sorted(cost, key=lambda name: (-cost[name], name))})


def _stages(made: Mapping[str, Mapping[str, Decimal]]) -> str:
    return "; ".join(f"{stage} {masses(by_material)}" for stage, by_material in made.items())


def _rules(barred: Iterable[str]) -> str:
    rules = sorted(set(barred))
    return ", ".join(rules[:RULES]) + (f" and {len(rules) - RULES} more" if len(rules) > RULES else "")


def _told(
    run: Run,
    code: str,
    bought: Iterable[RunPurchase],
    made: Mapping[str, Mapping[str, Decimal]],
    barred: Iterable[str],
) -> list[str]:
    found = list(bought)
    parts = (
        [f"{country(code)}: {large_money(cost_of(found), run.currency)} for {_weighed(found)}"]
        if found
        else [country(code)]
    )
    parts += [_stages(made)] if made else []
    rules = _rules(barred)
    return parts + ([f"kept out of some use by {rules}"] if rules else [])


def _row(
    code: str,
    bought: Iterable[RunPurchase],
    made: Mapping[str, Mapping[str, Decimal]],
    barred: Iterable[str],
    run: Run,
) -> list[doc.Cell]:
    found, whole = list(bought), cost_of(run.purchases)
    money: list[doc.Cell] = [doc.NOTHING, doc.NOTHING]
    if found:
        spent = cost_of(found)
        money = [doc.Amount(spent), doc.Share(spent / whole) if whole else doc.NOTHING]
    return [country(code), *money, _weighed(found), _stages(made), _rules(barred)]


def _routes(run: Run) -> list[charts.Route]:
    """What goes from where it is bought to where it is wanted, and before that between stages that lie each in one country."""
    site = {one.facility_id: one.country for one in run.purchases if one.facility_id}
    found: dict[tuple[str, str], list[RunPurchase]] = {}
    for one in run.purchases:
        stages = [codes[0] if len(codes) == 1 else "" for codes in one.countries.values()]
        way = [*stages, one.country, one.place if is_country(one.place) else site.get(one.place, "")]
        for pair in dict.fromkeys(pairwise(way)):
            if all(map(is_country, pair)) and pair[0] != pair[1]:
                found.setdefault(pair, []).append(one)
    worth = {pair: cost_of(group) for pair, group in found.items()}
    return [
        charts.Route(*pair, worth[pair], f"{country(pair[0])} to {country(pair[1])}: {_weighed(found[pair])}")
        for pair in largest(worth, ROUTES)
    ]
