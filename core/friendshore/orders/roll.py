"""Roll of a case to a later day: arrived orders become stock, used quantities are subtracted, and the rest doesn't change.

Received stock and open orders are judged by the chain of their offer in the current catalog. If a supplier's chain changed, goods bought earlier
would get a new origin, so an offer whose chain changed is rejected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from ..case import load_case
from ..case.formats import is_toml
from ..domain.base import exact, grouped, totals
from ..domain.basis import Factors, basis_factor
from ..domain.case import Case
from ..domain.facts import Catalog, ChainEntry, Offer
from ..domain.suggest import did_you_mean
from ..domain.time import MAX_MONTHS, Horizon, PeriodLength, add_months
from ..errors import Diagnostic, InputError, VerificationError, all_of
from ..plugins import Registry
from ..problem.changes import scenario_changes
from ..problem.network import Node
from ..reading import kinds as k
from ..reading.csvfile import read_table
from ..reading.fields import Field, Layout
from ..recommend.gather import Gathered, gather
from ..recommend.recheck import RunFacts, as_run, read_facts
from ..run import FACTS_FILE, read_run
from ..run.folder import changed, read_sums
from ..verify import VerifiedPlan, examine
from .carryover import EarlierUse, NodeTotal, RolledLot, carried_over, node_totals, planned_use, use_lots
from .lines import OrderLine, order_lines
from .sheet import SIGNED, CurrentOrder, FilledSheet, PlacedLine, current_orders

_NOTHING = Decimal(0)


@dataclass(slots=True)
class RolledCase:
    """Result of the roll of a case."""

    gathered: Gathered
    day: date
    horizon: Horizon
    """Periods of the new plan."""
    stocks: list[tuple[int, RolledLot]]
    """Stock of the case, with its position among all stock."""
    received: list[tuple[CurrentOrder, list[RolledLot]]]
    """Orders that arrived before the day, each with a lot for every good."""
    open: list[CurrentOrder]
    totals: tuple[NodeTotal, ...]
    allowances: dict[tuple[str, str], Decimal]
    """`licence` or `waiver`, and its id -> kilograms that used it before the day."""
    carried: EarlierUse
    """Amounts before the day that limits per year, or over the plan, count."""
    unplaced: tuple[OrderLine, ...]
    """Orders that were due before the day, and aren't on the sheet."""
    notes: list[str] = field(default_factory=list)


def open_run(run: Path, registry: Registry) -> tuple[RunFacts, VerifiedPlan]:
    """Read a run, and derive its plan again from its own facts.

    Raises:
        InputError, PluginError: If it can't be read.
        VerificationError: If its plan is invalid, so that it must not be used for orders.
    """
    sums = read_sums(run)
    edited = [name for name in changed(run, sums) if name in sums] if sums is not None else []
    if edited:
        fix = "plan the case again: nothing is ordered by a run that was edited"
        raise VerificationError(
            [Diagnostic("was changed since the run was written", str(run / name), fix=fix) for name in edited]
        )
    stored = read_run(run)
    facts = read_facts(stored.facts, as_run(registry, stored.run))
    verified, findings = examine(facts.problem, facts.plan, all_rules=facts.complete)
    if not facts.complete:
        raise InputError(facts.unchecked)
    if verified is None or findings:
        raise VerificationError(
            [
                Diagnostic(one.message, one.file or FACTS_FILE, found=one.found, expected=one.expected)
                for one in findings
            ]
        )
    return facts, verified


def placed_lines(
    sheet: Path | None, verified: VerifiedPlan, found: list[Diagnostic]
) -> tuple[tuple[OrderLine, ...], tuple[PlacedLine, ...]]:
    """Return the order lines of a plan, and those that were ordered according to a sheet."""
    case = verified.problem.case
    lines = order_lines(verified)
    if sheet is None:
        return lines, ()
    end = case.horizon.span.end
    assert end is not None
    return lines, FilledSheet(sheet, case.name, lines, verified.problem.merged, end, found).read()


def roll(
    case: Path,
    day: date,
    run: Path,
    registry: Registry,
    sheet: Path | None = None,
    count: Path | None = None,
    length: PeriodLength | None = None,
) -> RolledCase:
    """Roll a case to a later day, by a plan of it, an order sheet, and an optional stock count.

    `length` is that of the new periods. None means as before.

    Raises:
        InputError: With all errors in any of them.
        VerificationError: If the plan is invalid.
    """
    read = load_case(case)
    if read.file is None or not is_toml(read.file):
        fix = "roll the case file that the workbook was written from"
        raise InputError(
            "is no case file in TOML; only those can be rolled", str(case), expected="a case file", fix=fix
        )
    gathered = gather(read, registry)
    facts, verified = open_run(run, registry)
    found = list(_same_case(gathered, facts, run))
    if found:
        raise all_of(found)
    found += _day_in_plan(gathered.case, day, length)
    if found:
        raise all_of(found)
    lines, placed = placed_lines(sheet, verified, found)
    found += _placed_later(placed, sheet, day)
    bought = [order.offer for order in gathered.case.orders] + [stock.offer for stock in gathered.case.stocks]
    bought += [one.line.offer for one in placed]
    confirmed = [one.inputs for one in gathered.case.orders] + [one.inputs for one in gathered.case.stocks]
    bought += [name for inputs in (*confirmed, *(one.inputs for one in placed)) for name in inputs]
    found += _other_chains(set(bought), facts.file.catalogs, gathered.read)
    if found:
        raise all_of(found)
    return _rolled(gathered, verified, day, lines, placed, count, length or gathered.case.horizon.length)


def _same_case(gathered: Gathered, facts: RunFacts, run: Path) -> Iterator[Diagnostic]:
    """Yield errors for a run of another state of the case, or with changed stock or orders. Orders may have been added since."""
    case, then = gathered.declared, facts.file.case
    for name in type(case).model_fields:
        if name in ("rules", "orders", "folder", "file", "followed", "settings_from"):
            continue
        if getattr(case, name) != getattr(then, name):
            fix = "plan the case again with `--out`, or roll the case that was planned"
            yield Diagnostic(f"the run was planned from another state of the case: `{name}` differs", str(run), fix=fix)
    applied = facts.file.applied
    for change in (*scenario_changes(gathered.case, applied.scenario), *applied.changes):
        if change.subject in ("stock", "order"):
            fix = "write it into the case file, plan that, and roll it"
            yield Diagnostic(
                f"the run was planned with a changed {change.subject}, which a new case would have twice",
                str(run),
                found=change.told,
                fix=fix,
            )


def _day_in_plan(case: Case, day: date, length: PeriodLength | None) -> Iterator[Diagnostic]:
    horizon = case.horizon
    end = horizon.span.end
    assert end is not None
    if not horizon.start < day <= end:
        yield Diagnostic(
            "isn't a day of the plan after its first one",
            column="--to",
            found=str(day),
            expected=f"a day after {horizon.start}, up to {end}",
        )
        return
    listed = [demand for demand in case.demands if demand.quantities]
    if listed and length not in (None, horizon.length):
        fix = "leave `--period` out, or state the demand by `per_year` with `from` and `until`"
        named = ", ".join(demand.id or demand.material for demand in listed)
        message = f"a quantity for each {horizon.length.value} is listed by: {named}"
        yield Diagnostic(message, column="--period", found=str(length), expected=horizon.length.value, fix=fix)
    if all(day != period.start for period in horizon.periods):
        near = [period.start for period in horizon.periods if period.start > horizon.start]
        for demand in listed:
            expected = "the first day of a period: " + ", ".join(map(str, near[:3]))
            fix = "roll to such a day, or state the demand by `per_year` with `from` and `until`"
            message = (
                f"demand `{demand.id or demand.material}` lists a quantity for each period, and the day lies within one"
            )
            yield Diagnostic(message, column="--to", found=str(day), expected=expected, fix=fix)


def _placed_later(placed: Sequence[PlacedLine], sheet: Path | None, day: date) -> Iterator[Diagnostic]:
    for one in placed:
        if one.confirmed_on is not None and one.confirmed_on > day:
            fix = "roll to a later day, or leave the confirmation blank"
            message = "the inputs were confirmed after the day of the new plan"
            yield Diagnostic(message, str(sheet), one.row, SIGNED, str(one.confirmed_on), f"a day up to {day}", fix)
        if one.placed is not None and one.placed >= day:
            fix = "roll to a later day, or leave the row blank"
            yield Diagnostic(
                "was placed on the day of the new plan or later",
                str(sheet),
                one.row,
                "date_placed",
                str(one.placed),
                f"a day before {day}",
                fix,
            )


def _rolled_horizon(horizon: Horizon, day: date, length: PeriodLength) -> Horizon:
    """Return periods of a length from a day on, up to the end of the old ones or slightly beyond."""
    old_end = add_months(horizon.start, horizon.count * horizon.length.months)
    count = next(n for n in range(1, MAX_MONTHS + 1) if add_months(day, n * length.months) >= old_end)
    return Horizon(start=day, periods=count, period=length)


def _rolled(
    gathered: Gathered,
    verified: VerifiedPlan,
    day: date,
    lines: Sequence[OrderLine],
    placed: Sequence[PlacedLine],
    count: Path | None,
    length: PeriodLength,
) -> RolledCase:
    case, found = gathered.case, list[Diagnostic]()
    aside = _set_aside(verified)
    stocks = list(_stocks(case, verified, aside))
    orders = current_orders(case, lines, placed, found)
    fix = "name the order sheet that it is from with `--orders`, or plan the case again"
    found += [
        Diagnostic(
            f"order `{one.order.id}` of the case is neither in the run nor on the sheet, so nothing says what it was for",
            fix=fix,
        )
        for one in orders
        if one.line is None
    ]
    pools = {
        ("line", f"{line.line}:{material}"): dict(classes)
        for line in lines
        for material, classes in line.by_class.items()
    } | {("lot", name): by_class for name, by_class in aside.items()}
    received = [(one, list(_lots(one, gathered, pools))) for one in orders if one.order.arrives < day]
    arrived = [lot for _, some in received for lot in some]
    lots = [lot for _, lot in stocks] + arrived
    lenders = grouped(((one.material, one.to_requirement), one.from_requirement) for one in verified.plan.transfers)
    uncovered = use_lots(lots, planned_use(verified, day, placed), lenders)
    if count is not None:
        uncovered = _apply_count(count, lots, uncovered, found)
    found += _losing(case, lots, verified)
    if found:
        raise all_of(found)
    on_sheet = {one.line.line for one in placed}
    unplaced = tuple(
        line for line in lines if line.order_by is not None and line.order_by < day and line.line not in on_sheet
    )
    horizon = _rolled_horizon(case.horizon, day, length)
    return RolledCase(
        gathered=gathered,
        day=day,
        horizon=horizon,
        stocks=stocks,
        received=received,
        open=[one for one in orders if one.order.arrives >= day],
        totals=tuple(node_totals(lots, uncovered)),
        allowances=_allowances(verified, day, received),
        carried=carried_over(verified, horizon, placed, arrived, [lot for _, lot in stocks]),
        unplaced=unplaced,
    )


def _set_aside(verified: VerifiedPlan) -> dict[str, dict[str, Decimal]]:
    """Return the kilograms of each lot that the plan reserves, by compliance class."""
    aside: dict[str, dict[str, Decimal]] = {}
    for used in verified.plan.lots:
        by_class = aside.setdefault(used.lot, {})
        by_class[used.requirement] = by_class.get(used.requirement, _NOTHING) + used.quantity
    return aside


def _stocks(
    case: Case, verified: VerifiedPlan, aside: Mapping[str, Mapping[str, Decimal]]
) -> Iterator[tuple[int, RolledLot]]:
    """Yield the stock of the case, with its position among all stock."""
    lots = {lot.id: lot for lot in verified.problem.lots}
    for position, name in enumerate(case.stock_names):
        lot = lots[name]
        node = (lot.material, lot.place.id)
        yield position, RolledLot(name, node, lot.quantity, case.horizon.start, False, dict(aside.get(name, {})))


def _lots(
    one: CurrentOrder, gathered: Gathered, pools: Mapping[tuple[str, str], dict[str, Decimal]]
) -> Iterator[RolledLot]:
    """Yield a lot for every good of an order, with its part of the quantities that the plan reserves for each class."""
    case, order = gathered.case, one.order
    materials = {material.id: material for catalog in gathered.catalogs for material in catalog.materials}
    offer = next(offer for catalog in gathered.catalogs for offer in catalog.offers if offer.id == order.offer)
    factors = Factors(factor for catalog in gathered.catalogs for factor in catalog.factors)
    factor = basis_factor(materials[offer.outputs[0].material], order.substance, factors)
    assert factor is not None  # the case was planned with it
    for line in offer.outputs:
        several = len(offer.outputs) > 1
        name = f"{order.id}/{line.material}" if several else order.id
        quantity = exact(order.quantity * factor * line.per_unit)
        key = ("line", f"{one.line.line}:{line.material}") if one.line is not None else ("lot", order.id)
        if one.line is not None and one.line.placed is not None:
            key = ("lot", one.line.placed.id + (f":{line.material}" if several else ""))
        pool = pools.get(key, {})
        by_class, rest = {}, quantity
        for requirement in sorted(pool):
            part = min(rest, pool[requirement])
            pool[requirement] -= part
            rest -= part
            by_class[requirement] = part
        yield RolledLot(name, (line.material, order.place or case.place), quantity, order.arrives, True, by_class)


def _losing(case: Case, lots: Sequence[RolledLot], verified: VerifiedPlan) -> Iterator[Diagnostic]:
    """Yield errors for uncounted stock of materials with storage losses."""
    losing: set[Node] = {
        (store.material, store.place or case.place)
        for store in case.stores
        if store.loss and store.material in verified.problem.merged.materials
    }
    for lot in lots:
        if lot.node in losing and lot.counted is None and lot.quantity:
            fix = "count it: `--count FILE` with the columns lot and quantity_kg"
            yield Diagnostic(
                f"a part of {lot.node[0]} is lost in store at {lot.node[1]}, so what is left of `{lot.name}` must be counted",
                column="--count",
                fix=fix,
            )


def _allowances(
    verified: VerifiedPlan, day: date, received: Sequence[tuple[CurrentOrder, list[RolledLot]]]
) -> dict[tuple[str, str], Decimal]:
    """Return the quantity moved under each license, and delivered under each waiver, before a day. In doubt, the quantity is an overestimate."""
    plan, horizon = verified.plan, verified.problem.case.horizon
    under: defaultdict[str, set[str]] = defaultdict(set)
    for bought in plan.purchases:
        for licence in bought.licences:
            under[f"{bought.offer} {bought.place} {bought.ordered}"].add(licence)
    for lot in plan.lots:
        for licence in lot.licences:
            under[lot.lot].add(licence)
    used: list[tuple[tuple[str, str], Decimal]] = []
    for one, lots in received:
        line, named = one.line, [one.order.id]
        if line is not None and line.placed is not None:
            named.append(line.placed.id)
        # A plan calls the goods of one run by the order and the material.
        keys = named + [f"{name}:{lot.node[0]}" for name in named for lot in lots]
        keys += [f"{line.offer} {line.place} {line.ordered}"] if line is not None and line.placed is None else []
        amount = sum((lot.quantity for lot in lots), _NOTHING)
        used += [(("licence", name), amount) for name in sorted({name for key in keys for name in under.get(key, ())})]
    for delivery in plan.deliveries:
        if horizon.periods[delivery.period].start < day:
            used += [(("waiver", name), delivery.quantity) for name in delivery.waivers]
    return dict(totals(used))


def material_names(gathered: Gathered) -> Mapping[str, str]:
    """Return the name of each material by its id."""
    return {one.id: one.name or one.id for catalog in gathered.catalogs for one in catalog.materials}


def _other_chains(names: Collection[str], then: Iterable[Catalog], now: Iterable[Catalog]) -> Iterator[Diagnostic]:
    """Yield an error for each offer whose chain contradicts the run's. Further proof of the same chain is no contradiction.

    Args:
        names: Offers of purchased goods.
        then: Catalogs of the run.
        now: Current catalogs.
    """
    before, after = dict(_offers(then)), _offers(now)
    aliases = {
        alias.old: alias.new for catalog in now for alias in catalog.aliases if alias.of == "offer" and alias.new
    }
    renamed = {name: _name_of_today(name, aliases) for name in {*names, *before}}
    for old, new in renamed.items():
        if old in before and new != old:
            before[new] = before.pop(old)
    for name in sorted({renamed[name] for name in names}):
        if name not in after or name not in before:
            continue  # the case refuses an offer that is gone; one that the run didn't know was added since
        for stage in _contradicted(before[name].chain, after[name].chain):
            fix = "give the new chain an offer of its own, and leave the old offer to what was bought from it"
            message = f"offer `{name}` says where it is {stage} otherwise than when goods were bought from it, so they would change their origin"
            found, expected = _countries(after[name].chain, stage), _countries(before[name].chain, stage)
            yield Diagnostic(message, f"catalog {after[name].catalog}", None, "chain", found, expected, fix)


def _name_of_today(name: str, aliases: Mapping[str, str]) -> str:
    """Return the current id of an offer that may have been renamed."""
    seen = {name}
    while name in aliases and aliases[name] not in seen:
        name = aliases[name]
        seen.add(name)
    return name


def _offers(catalogs: Iterable[Catalog]) -> Mapping[str, Offer]:
    return {offer.id: offer for catalog in catalogs for offer in catalog.offers}


def _contradicted(before: Sequence[ChainEntry], after: Sequence[ChainEntry]) -> Iterator[str]:
    """Yield the stages in which the new chain contradicts the old one."""
    for stage in dict.fromkeys(entry.stage for entry in before):
        old, new = ([entry for entry in chain if entry.stage == stage] for chain in (before, after))
        old_countries, new_countries = (frozenset().union(*(entry.countries for entry in some)) for some in (old, new))
        old_complete, new_complete = (bool(some) and all(entry.complete for entry in some) for some in (old, new))
        feeds = {entry.feed for entry in old} == {entry.feed for entry in new}
        if (
            not new
            or not feeds
            or old_complete
            and (new_countries != old_countries or not new_complete)
            or new_complete
            and not old_countries <= new_countries
        ):
            yield stage


def _countries(chain: Sequence[ChainEntry], stage: str) -> str:
    entries = [entry for entry in chain if entry.stage == stage]
    countries = sorted(frozenset().union(*(entry.countries for entry in entries)))
    return (
        f"{';'.join(countries) or 'no country'}{'' if all(entry.complete for entry in entries) else ', perhaps others'}"
        if entries
        else "nothing"
    )


_LAYOUT = Layout(
    "count.csv",
    "What was counted.",
    (
        Field("lot", k.TEXT, "Id of a stock, or number of an order that arrived.", "4711-10", required=True),
        Field("quantity_kg", k.NON_NEGATIVE, "Kilograms of the material's basis that are there.", "850", required=True),
    ),
    key=("lot",),
)


def _apply_count(
    path: Path, lots: Sequence[RolledLot], uncovered: Mapping[Node, Decimal], found: list[Diagnostic]
) -> dict[Node, Decimal]:
    """Set the remainders of counted lots, and return the uncovered use, without places whose lots were all counted."""
    known = {lot.name: lot for lot in lots}
    table = read_table(path, _LAYOUT, found)
    for row in table.unique():
        if row.bad:
            continue
        name, quantity = str(row.values["lot"]), row.values["quantity_kg"]
        lot = known.get(name)
        if lot is None:
            row.problem("lot", "there is no such lot", "one of " + ", ".join(sorted(known)), did_you_mean(name, known))
        elif quantity > lot.quantity:
            fix = "correct the count, or what arrived of the order"
            expected = f"at most {lot.quantity.normalize():f}, which were there or arrived"
            row.problem("quantity_kg", "more was counted than there can be", expected, fix)
        else:
            lot.counted, lot.used = quantity, lot.quantity - quantity
    uncounted = {lot.node for lot in lots if lot.counted is None}
    return {node: rest for node, rest in uncovered.items() if node in uncounted}
