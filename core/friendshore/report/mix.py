"""The mix: who delivers how much of what, through which countries, at what landed cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rich.console import RenderableType

from ..domain.run import Run, RunPurchase
from .figures import NOTHING, mass, money, unit_for
from .tables import Column, PeriodSpan, Text, figures, section, stretches, table, widest

WIDE = 110
"""Characters from which on a chain is told by stages, not by countries alone."""
_FIGURES = 12
"""Characters of the price, and of the gaps between the columns of text."""
_YEAR = 8

Group = tuple[str, str, str, str]
"""Offer, material, place and end use."""


def mix(run: Run, width: int) -> RenderableType:
    """All purchases by material and supplier, with their kilograms by year of delivery."""
    if not run.purchases:
        return section("Mix", Text("nothing is bought"))
    wide = width >= WIDE
    names = widest([p.material for p in run.purchases]) + (8 if wide else 2)
    chains = widest([chain(run, p, wide) for p in run.purchases])
    uses = widest([_for(run, p) for p in run.purchases])
    times = stretches(run, max(2, (width - names - chains - uses - _FIGURES) // _YEAR))
    columns = [Column("Material, supplier"), Column("Chain"), Column("For")]
    columns += [figures(time.title) for time in times]
    rows: list[Sequence[str | Text]] = []
    for material, purchases in by_material(run).items():
        rows += _material_rows(run, material, purchases, times, wide)
    made = table([*columns, figures(f"{run.currency}/kg")], rows, width)
    return section("Mix, by time of delivery", made, _inputs(run))


def by_material(run: Run) -> dict[str, list[RunPurchase]]:
    """Purchases by material, those first that are demanded."""
    found: defaultdict[str, list[RunPurchase]] = defaultdict(list)
    for purchase in run.purchases:
        found[purchase.material].append(purchase)
    wanted = list(dict.fromkeys(demand.material for demand in run.demands))
    order = [*(m for m in wanted if m in found), *(m for m in sorted(found) if m not in wanted)]
    return {material: found[material] for material in order}


def _material_rows(
    run: Run, material: str, purchases: list[RunPurchase], times: list[PeriodSpan], wide: bool
) -> Iterator[list[str | Text]]:
    groups: defaultdict[Group, list[RunPurchase]] = defaultdict(list)
    for purchase in purchases:
        groups[purchase.offer, material, purchase.place, purchase.end_use].append(purchase)
    totals = _by_time(purchases, times)
    unit = unit_for(totals)
    basis = next((m.basis for m in run.materials if m.id == material), "")
    title = f"{material} ({unit}" + (f"\u00a0{basis})" if basis not in ("", "gross") else ")")
    figures_ = [Text(mass(kg, unit), style="bold") for kg in totals]
    yield [Text(title, style="bold"), "", "", *figures_, Text(per_kg(purchases), style="bold")]
    names = names_of([group[0] for group in groups.values()])
    for key, group in sorted(groups.items(), key=lambda g: -sum(p.quantity_kg for p in g[1])):
        cells = [mass(kg, unit) for kg in _by_time(group, times)]
        yield [
            f"  {names[key[0]]}",
            chain(run, group[0], wide),
            _for(run, group[0]),
            *cells,
            per_kg(group),
        ]


def names_of(purchases: Sequence[RunPurchase]) -> dict[str, str]:
    """Offer -> the name it goes by: its facility, and its own where the facility makes several offers."""
    offers: defaultdict[str, set[str]] = defaultdict(set)
    for purchase in purchases:
        offers[purchase.facility].add(purchase.offer)
    return {p.offer: p.facility if len(offers[p.facility]) == 1 else f"{p.facility} ({p.offer})" for p in purchases}


def _for(run: Run, purchase: RunPurchase) -> str:
    return purchase.end_use if purchase.place == run.place else f"{purchase.end_use} at {purchase.place}"


def _by_time(purchases: Sequence[RunPurchase], times: Sequence[PeriodSpan]) -> list[Decimal]:
    return [sum((p.quantity_kg for p in purchases if p.delivered in time.periods), Decimal(0)) for time in times]


def per_kg(purchases: Sequence[RunPurchase]) -> str:
    """Landed cost of a kilogram, on average."""
    quantity = sum((p.quantity_kg for p in purchases), Decimal(0))
    return money(sum((p.cost for p in purchases), Decimal(0)) / quantity) if quantity else NOTHING


def chain(run: Run, purchase: RunPurchase, wide: bool) -> str:
    """The countries that a purchase comes through, stage by stage; of what has inputs, the inputs first."""
    inputs = sorted({draw.material for draw in run.draws if draw.offer == purchase.offer})
    steps = _steps(purchase.countries, wide) or ["?"]
    return " → ".join([" + ".join(inputs) if wide else "inputs", *steps] if inputs else steps)


def _steps(countries: Mapping[str, Sequence[str]], wide: bool) -> list[str]:
    """Stages that share their countries told together."""
    steps: list[tuple[list[str], str]] = []
    for stage, names in countries.items():
        where = "/".join(names) or "?"
        if steps and steps[-1][1] == where:
            steps[-1][0].append(stage)
        else:
            steps.append(([stage], where))
    return [f"{', '.join(stages)} {where}" if wide else where for stages, where in steps]


def _inputs(run: Run) -> RenderableType | None:
    if not run.draws:
        return None
    return Text("What is made from inputs shows its maker's own price; the inputs stand under their own material.")
