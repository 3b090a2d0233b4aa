"""Roll of a case to a later day: arrived orders become stock, and used quantities are subtracted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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

_ZERO = Decimal(0)


@dataclass(slots=True)
class RolledCase:
    """A rolled case. Quantities are kilograms of the material's basis."""

    gathered: Gathered
    day: date
    horizon: Horizon
    stocks: list[tuple[int, RolledLot]]
    """Stock of the case, with its position among all stock."""
    received: list[tuple[CurrentOrder, list[RolledLot]]]
    """Orders that arrived before the day, each with a lot for every good."""
    open: list[CurrentOrder]
    totals: tuple[NodeTotal, ...]
    allowances: dict[tuple[str, str], Decimal]
    """`license` or `waiver`, and its id -> kilograms that used it before the day."""
    carried: EarlierUse
    unplaced: tuple[OrderLine, ...]
    """Orders that were due before the day, but aren't on the sheet."""
    notes: list[str] = field(default_factory=list)


def open_run(run: Path, registry: Registry) -> tuple[RunFacts, VerifiedPlan]:
    """Read and verify a run. If it was edited or its plan is invalid, raise a `VerificationError`."""
    sums = read_sums(run)
    edited = [name for name in changed(run, sums) if name in sums] if sums is not None else []
    if edited:
        fix = "plan the case again, because orders need an unedited run"
        message = "this file was edited after the run was written"
        raise VerificationError([Diagnostic(message, str(run / name), fix=fix, code="FS210") for name in edited])
    stored = read_run(run)
    facts = read_facts(stored.facts, as_run(registry, stored.run))
    verified, findings = examine(facts.problem, facts.plan, all_rules=facts.complete)
    if not facts.complete:
        raise InputError(facts.unchecked)
    if verified is None or findings:
        raise VerificationError(replace(finding, file=finding.file or FACTS_FILE) for finding in findings)
    return facts, verified


def placed_lines(
    sheet: Path | None, verified: VerifiedPlan, problems: list[Diagnostic]
) -> tuple[tuple[OrderLine, ...], tuple[PlacedLine, ...]]:
    case = verified.problem.case
    lines = order_lines(verified)
    if sheet is None:
        return lines, ()
    end = case.horizon.span.end
    assert end is not None
    return lines, FilledSheet(sheet, case.name, lines, verified.problem.merged, end, problems).read()


def roll(
    case: Path,
    day: date,
    run: Path,
    registry: Registry,
    sheet: Path | None = None,
    count: Path | None = None,
    length: PeriodLength | None = None,
) -> RolledCase:
    """Roll a case to a later day, by its run, the filled-in order sheet, and a stock count. `length` of None keeps that of the periods."""
    loaded = load_case(case)
    if loaded.file is None or not is_toml(loaded.file):
        fix = "roll the case file that the workbook was written from"
        message = "only case files in TOML can be rolled"
        raise InputError(message, str(case), expected="a TOML file", fix=fix, code="FS226")
    gathered = gather(loaded, registry)
    facts, verified = open_run(run, registry)
    problems = list(_same_case(gathered, facts, run))
    if problems:
        raise all_of(problems)
    problems += _day_in_plan(gathered.case, day, length)
    if problems:
        raise all_of(problems)
    lines, placed = placed_lines(sheet, verified, problems)
    problems += _later_days(placed, day)
    orders, stocks = gathered.case.orders, gathered.case.stocks
    bought = {order.offer for order in orders} | {stock.offer for stock in stocks}
    bought |= {each.line.offer for each in placed}
    inputs = [order.inputs for order in orders] + [stock.inputs for stock in stocks] + [each.inputs for each in placed]
    bought.update(*inputs)
    # Rules judge goods by the current chain of their offer, so a changed chain would change the origin of earlier purchases.
    problems += _changed_chains(bought, facts.file.catalogs, gathered.read)
    if problems:
        raise all_of(problems)
    return _rolled(gathered, verified, day, lines, placed, count, length or gathered.case.horizon.length)


def _same_case(gathered: Gathered, facts: RunFacts, run: Path) -> Iterator[Diagnostic]:
    """Yield errors for a run of another state of the case, or with changed stock or orders. Orders may have been added since."""
    case, planned_case = gathered.declared, facts.file.case
    for name in type(case).model_fields:
        if name in ("rules", "orders", "folder", "file", "followed", "settings_from"):
            continue
        if getattr(case, name) != getattr(planned_case, name):
            fix = "plan the case again with `--out`, or roll the case that was planned"
            message = f"`{name}` of the case has changed since the run was planned"
            yield Diagnostic(message, str(run), fix=fix, code="FS211")
    applied = facts.file.applied
    for change in (*scenario_changes(gathered.case, applied.scenario), *applied.changes):
        if change.subject in ("stock", "order"):
            fix = "write the change into the case file, plan the case again, and roll that"
            message = f"the run was planned with a changed {change.subject}, which the new case would count twice"
            yield Diagnostic(message, str(run), found=change.text, fix=fix, code="FS211")


def _day_in_plan(case: Case, day: date, length: PeriodLength | None) -> Iterator[Diagnostic]:
    horizon = case.horizon
    end = horizon.span.end
    assert end is not None
    if not horizon.start < day <= end:
        yield Diagnostic(
            "the new plan must start after the first day of the old plan, and before its end",
            column="--to",
            found=str(day),
            expected=f"a day after {horizon.start}, up to {end}",
            fix=f"write a day of the plan, such as `--to {end}`",
            code="FS212",
        )
        return
    listed = [demand for demand in case.demands if demand.quantities]
    if listed and length not in (None, horizon.length):
        fix = "leave out `--period`, or state the demand by `per_year` with `from` and `until`"
        names = ", ".join(demand.id or demand.material for demand in listed)
        message = (
            f"the period length can't change, because demands list a quantity for each {horizon.length.value}: {names}"
        )
        yield Diagnostic(
            message, column="--period", found=str(length), expected=horizon.length.value, fix=fix, code="FS213"
        )
    if all(day != period.start for period in horizon.periods):
        starts = [period.start for period in horizon.periods if period.start > horizon.start]
        for demand in listed:
            name = demand.id or demand.material
            expected = "the first day of a period: " + ", ".join(map(str, starts[:3]))
            fix = "roll to the first day of a period, or state the demand by `per_year` with `from` and `until`"
            message = f"the day is inside a period, but demand `{name}` lists a quantity for each period"
            yield Diagnostic(message, column="--to", found=str(day), expected=expected, fix=fix, code="FS213")


def _later_days(placed: Sequence[PlacedLine], day: date) -> Iterator[Diagnostic]:
    for order in placed:
        if order.confirmed_on is not None and order.confirmed_on > day:
            fix, found = "roll to a later day, or leave the confirmation blank", str(order.confirmed_on)
            message, expected = "the inputs were confirmed after the new plan starts", f"a day up to {day}"
            yield Diagnostic(message, order.file, order.row, SIGNED, found, expected, fix, "FS218")
        if order.placed is not None and order.placed >= day:
            fix, found = "roll to a later day, or leave the row blank", str(order.placed)
            message, expected = "the order wasn't placed before the new plan starts", f"a day before {day}"
            yield Diagnostic(message, order.file, order.row, "date_placed", found, expected, fix, "FS218")


def _rolled_horizon(horizon: Horizon, day: date, length: PeriodLength) -> Horizon:
    """Return periods from a day up to the end of the old horizon, or slightly beyond."""
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
    case, problems = gathered.case, list[Diagnostic]()
    reserved = _reserved_lots(verified)
    stocks = list(_stocks(case, verified, reserved))
    orders = current_orders(case, lines, placed, problems)
    fix = "name its order sheet with `--orders`, or plan the case again"
    problems += [
        Diagnostic(
            f"order `{each.order.id}` is neither in the run nor on the sheet, so its use is unknown",
            str(case.file or ""),
            column="order",
            fix=fix,
            code="FS223",
        )
        for each in orders
        if each.line is None
    ]
    pools = {
        ("line", f"{line.line}:{material}"): dict(classes)
        for line in lines
        for material, classes in line.by_class.items()
    } | {("lot", name): by_class for name, by_class in reserved.items()}
    received = [(each, list(_lots(each, gathered, pools))) for each in orders if each.order.arrives < day]
    arrived = [lot for _, own_lots in received for lot in own_lots]
    lots = [lot for _, lot in stocks] + arrived
    from_classes = grouped(
        ((each.material, each.to_compliance_class), each.from_compliance_class) for each in verified.plan.transfers
    )
    uncovered = use_lots(lots, planned_use(verified, day, placed), from_classes)
    if count is not None:
        uncovered = _apply_count(count, lots, uncovered, problems)
    problems += _uncounted_losses(case, lots, verified)
    if problems:
        raise all_of(problems)
    on_sheet = {order.line.line for order in placed}
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
        open=[each for each in orders if each.order.arrives >= day],
        totals=tuple(node_totals(lots, uncovered)),
        allowances=_allowances(verified, day, received),
        carried=carried_over(verified, horizon, placed, arrived, [lot for _, lot in stocks]),
        unplaced=unplaced,
    )


def _reserved_lots(verified: VerifiedPlan) -> dict[str, dict[str, Decimal]]:
    reserved: dict[str, dict[str, Decimal]] = {}
    for lot_use in verified.plan.lots:
        by_class = reserved.setdefault(lot_use.lot, {})
        by_class[lot_use.compliance_class] = by_class.get(lot_use.compliance_class, _ZERO) + lot_use.quantity
    return reserved


def _stocks(
    case: Case, verified: VerifiedPlan, reserved: Mapping[str, Mapping[str, Decimal]]
) -> Iterator[tuple[int, RolledLot]]:
    lots = {lot.id: lot for lot in verified.problem.lots}
    for position, name in enumerate(case.stock_names):
        lot = lots[name]
        node = (lot.material, lot.place.id)
        yield position, RolledLot(name, node, lot.quantity, case.horizon.start, False, dict(reserved.get(name, {})))


def _lots(
    current: CurrentOrder, gathered: Gathered, pools: Mapping[tuple[str, str], dict[str, Decimal]]
) -> Iterator[RolledLot]:
    """Yield a lot for every good of an order, with its part of the reserved quantities in `pools`, which decrease."""
    case, order, order_line = gathered.case, current.order, current.line
    materials = {material.id: material for catalog in gathered.catalogs for material in catalog.materials}
    offer = next(offer for catalog in gathered.catalogs for offer in catalog.offers if offer.id == order.offer)
    factors = Factors(factor for catalog in gathered.catalogs for factor in catalog.factors)
    factor = basis_factor(materials[offer.outputs[0].material], order.substance, factors)
    assert factor is not None  # the case was planned with it
    for line in offer.outputs:
        has_several_outputs = len(offer.outputs) > 1
        name = f"{order.id}/{line.material}" if has_several_outputs else order.id
        quantity = exact(order.quantity * factor * line.per_unit)
        key = ("line", f"{order_line.line}:{line.material}") if order_line is not None else ("lot", order.id)
        if order_line is not None and order_line.placed is not None:
            key = ("lot", order_line.placed.id + (f":{line.material}" if has_several_outputs else ""))
        pool = pools.get(key, {})
        by_class, rest = {}, quantity
        for compliance_class in sorted(pool):
            part = min(rest, pool[compliance_class])
            pool[compliance_class] -= part
            rest -= part
            by_class[compliance_class] = part
        yield RolledLot(name, (line.material, order.place or case.place), quantity, order.arrives, True, by_class)


def _uncounted_losses(case: Case, lots: Sequence[RolledLot], verified: VerifiedPlan) -> Iterator[Diagnostic]:
    nodes_with_losses: set[Node] = {
        (store.material, store.place or case.place)
        for store in case.stores
        if store.loss and store.material in verified.problem.merged.materials
    }
    for lot in lots:
        if lot.node in nodes_with_losses and lot.counted is None and lot.quantity:
            material, place = lot.node
            fix = "count it, and write `--count FILE` with a CSV file with the columns lot and quantity_kg"
            message = f"lot `{lot.name}` must be counted, because a part of {material} is lost in storage at {place}"
            yield Diagnostic(message, column="--count", fix=fix, code="FS224")


def _allowances(
    verified: VerifiedPlan, day: date, received: Sequence[tuple[CurrentOrder, list[RolledLot]]]
) -> dict[tuple[str, str], Decimal]:
    """Return the quantity moved under each license, and delivered under each waiver, before a day. In doubt, it is an overestimate."""
    plan, horizon = verified.plan, verified.problem.case.horizon
    licenses: defaultdict[str, set[str]] = defaultdict(set)
    for purchase in plan.purchases:
        licenses[f"{purchase.offer} {purchase.place} {purchase.ordered}"].update(purchase.licenses)
    for lot_use in plan.lots:
        licenses[lot_use.lot].update(lot_use.licenses)
    used: list[tuple[tuple[str, str], Decimal]] = []
    for current, lots in received:
        line, names = current.line, [current.order.id]
        if line is not None and line.placed is not None:
            names.append(line.placed.id)
        # A plan names the goods of one run by the order and the material.
        keys = names + [f"{name}:{lot.node[0]}" for name in names for lot in lots]
        keys += [f"{line.offer} {line.place} {line.ordered}"] if line is not None and line.placed is None else []
        amount = sum((lot.quantity for lot in lots), _ZERO)
        own_licenses = sorted({name for key in keys for name in licenses.get(key, ())})
        used += [(("license", name), amount) for name in own_licenses]
    for delivery in plan.deliveries:
        if horizon.periods[delivery.period].start < day:
            used += [(("waiver", name), delivery.quantity) for name in delivery.waivers]
    return dict(totals(used))


def material_names(gathered: Gathered) -> Mapping[str, str]:
    return {
        material.id: material.name or material.id for catalog in gathered.catalogs for material in catalog.materials
    }


def _changed_chains(
    names: Collection[str], run_catalogs: Iterable[Catalog], current_catalogs: Iterable[Catalog]
) -> Iterator[Diagnostic]:
    """Yield an error for each offer of purchased goods whose chain contradicts the run's. Additional proof is no contradiction."""
    before, after = dict(_offers(run_catalogs)), _offers(current_catalogs)
    all_aliases = (alias for catalog in current_catalogs for alias in catalog.aliases)
    aliases = {alias.old: alias.new for alias in all_aliases if alias.of == "offer" and alias.new}
    renamed = {name: _current_id(name, aliases) for name in {*names, *before}}
    for old, new in renamed.items():
        if old in before and new != old:
            before[new] = before.pop(old)
    for name in sorted({renamed[name] for name in names}):
        if name not in after or name not in before:
            continue  # the case rejects a deleted offer, and a new offer has no earlier goods
        for stage in _contradicted_stages(before[name].chain, after[name].chain):
            fix = "add an offer with the new chain, and keep the old offer for the goods that were bought from it"
            message = (
                f"stage `{stage}` of offer `{name}` has changed, which would change the origin of earlier purchases"
            )
            found, expected = _countries(after[name].chain, stage), _countries(before[name].chain, stage)
            yield Diagnostic(message, f"catalog {after[name].catalog}", None, "chain", found, expected, fix, "FS225")


def _current_id(name: str, aliases: Mapping[str, str]) -> str:
    seen = {name}
    while name in aliases and aliases[name] not in seen:
        name = aliases[name]
        seen.add(name)
    return name


def _offers(catalogs: Iterable[Catalog]) -> Mapping[str, Offer]:
    return {offer.id: offer for catalog in catalogs for offer in catalog.offers}


def _contradicted_stages(before: Sequence[ChainEntry], after: Sequence[ChainEntry]) -> Iterator[str]:
    for stage in dict.fromkeys(entry.stage for entry in before):
        old, new = ([entry for entry in chain if entry.stage == stage] for chain in (before, after))
        old_countries, new_countries = (
            frozenset().union(*(entry.countries for entry in entries)) for entries in (old, new)
        )
        old_complete, new_complete = (
            bool(entries) and all(entry.complete for entry in entries) for entries in (old, new)
        )
        same_feeds = {entry.feed for entry in old} == {entry.feed for entry in new}
        if (
            not new
            or not same_feeds
            or old_complete
            and (new_countries != old_countries or not new_complete)
            or new_complete
            and not old_countries <= new_countries
        ):
            yield stage


def _countries(chain: Sequence[ChainEntry], stage: str) -> str:
    entries = [entry for entry in chain if entry.stage == stage]
    countries = sorted(frozenset().union(*(entry.countries for entry in entries)))
    if not entries:
        return "no such stage"
    others = "" if all(entry.complete for entry in entries) else ", perhaps others"
    return (";".join(countries) or "no country") + others


_LAYOUT = Layout(
    "count.csv",
    "Stock count.",
    (
        Field("lot", k.TEXT, "Id of a stock, or number of an order that arrived.", "4711-10", required=True),
        Field("quantity_kg", k.NON_NEGATIVE, "Counted kilograms of the material's basis.", "850", required=True),
    ),
    key=("lot",),
)


def _apply_count(
    path: Path, lots: Sequence[RolledLot], uncovered: Mapping[Node, Decimal], problems: list[Diagnostic]
) -> dict[Node, Decimal]:
    """Set the use of counted lots, and return the uncovered use, without places whose lots were all counted."""
    lot_by_name = {lot.name: lot for lot in lots}
    table = read_table(path, _LAYOUT, problems)
    for row in table.unique():
        if row.bad:
            continue
        name, quantity = str(row.values["lot"]), row.values["quantity_kg"]
        lot = lot_by_name.get(name)
        if lot is None:
            expected, fix = "one of " + ", ".join(sorted(lot_by_name)), did_you_mean(name, lot_by_name)
            row.problem("lot", "no such lot", expected, fix, "FS224")
        elif quantity > lot.quantity:
            fix = "correct the count, or the confirmed quantity of the order"
            expected = f"at most {lot.quantity.normalize():f}, which were in stock or arrived"
            row.problem("quantity_kg", "the count is more than the lot had", expected, fix, "FS219")
        else:
            lot.counted, lot.used = quantity, lot.quantity - quantity
    uncounted = {lot.node for lot in lots if lot.counted is None}
    return {node: rest for node, rest in uncovered.items() if node in uncounted}
