"""Files of a case that was rolled forward: the edited case file, and all files that it names."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

from ..case import load_case
from ..case.formats import is_toml
from ..domain.case import Case, OrderSpec
from ..errors import Diagnostic, FriendshoreError, InputError, all_of
from ..problem.changes import apply_changes, scenario_changes
from ..reading.textfile import read_bytes
from ..reading.tomlfile import Key, key_lines, toml_data, toml_line, toml_text
from ..recommend import gather
from ..writing import atomic_write_path, reject_existing, replace_file, write_file
from .carryover import PIN_PREFIX, RolledLot
from .lines import OrderLine
from .roll import RolledCase
from .sheet import CONFIRM, CurrentOrder, PlacedLine, current_orders

_EARLIER_LABEL = re.compile(r"^(?:assumed, not counted|counted)\b[^;]*(?:; )?")
"""Text of an earlier roll about a stock, before the planner's text."""


def write_next(rolled: RolledCase, target: Path) -> list[Path]:
    """Check the new case, write its folder, and return its files. Nothing is written if it is invalid or the target exists."""
    reject_existing(target)
    file = rolled.gathered.case.file
    assert file is not None
    text = CaseText(read_bytes(file).decode(), str(file))
    contents = _named_files(text.data, file.parent, target)
    _edit(text, rolled, contents, file.parent)
    edited, keeps_lines = text.text()
    if not keeps_lines:
        rolled.notes.append(
            "the new case file has no comments, because the layout of the old one can't be edited by line"
        )
    contents[PurePosixPath(file.name)] = edited.encode()
    with atomic_write_path(target) as new:
        new.mkdir()
        for path, content in contents.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            write_file(new / path, content)
        _check(new / file.name, rolled, target)
    rolled.notes += _notes(rolled)
    return [target / path for path in sorted(contents)]


def add_orders(case: Path, lines: Sequence[OrderLine], placed: Sequence[PlacedLine]) -> list[CurrentOrder]:
    """Write placed orders into a TOML case file, replacing those that it already has, and return them."""
    loaded = load_case(case)
    problems: list[Diagnostic] = []
    if loaded.file is None or not is_toml(loaded.file):
        fix = "leave out `--write`, and copy the printed orders into the sheet `order`"
        raise InputError("orders can be written only into a case file in TOML", str(case), fix=fix, code="FS226")
    orders = [current for current in current_orders(loaded, lines, placed, problems) if current.is_changed]
    for row in placed:
        if row.arrives < loaded.horizon.start:
            fix = "roll the case to a later day with `friendshore case roll`, which turns arrived orders into stock"
            message = f"order {row.number} arrives before the plan starts ({loaded.horizon.start})"
            problems.append(
                Diagnostic(message, row.file, row.row, "confirmed_arrival", str(row.arrives), fix=fix, code="FS218")
            )
    if problems:
        raise all_of(problems)
    text = CaseText(read_bytes(loaded.file).decode(), str(loaded.file))
    for current in orders:
        _edit_order(text, current, loaded)
    edited, keeps_lines = text.text()
    if not keeps_lines:
        fix = "leave out `--write`, and copy the printed orders into the case file"
        raise InputError("the layout of the file can't be edited by line", str(loaded.file), fix=fix, code="FS226")
    if orders:
        replace_file(loaded.file, edited.encode())
    return orders


def _check(file: Path, rolled: RolledCase, target: Path) -> None:
    """Read the new case like every command. Errors name the files of the target."""
    try:
        gathered = gather(load_case(file), rolled.gathered.registry)
        gathered.inputs.problem()
    except FriendshoreError as error:
        folder, new_folder = str(file.parent), str(target)
        raise InputError(
            replace(problem, file=problem.file.replace(folder, new_folder)) for problem in error.problems
        ) from error
    for scenario in gathered.case.scenarios:
        try:
            changes = scenario_changes(gathered.case, [scenario.name])
            apply_changes(changes, gathered.case, gathered.catalogs, gathered.rules, gathered.bills)
        except InputError as error:
            rolled.notes += [
                f"scenario {scenario.name} no longer applies: {problem.message}" for problem in error.problems
            ]


def _edit(text: CaseText, rolled: RolledCase, contents: dict[PurePosixPath, bytes], folder: Path) -> None:
    case = rolled.gathered.case
    text.set(("case", "start"), rolled.day)
    text.set(("case", "periods"), rolled.horizon.count)
    if rolled.horizon.length is not case.horizon.length:
        text.set(("case", "period"), rolled.horizon.length.value)
    for position, lot in rolled.stocks:
        _edit_stock(text, rolled, position, lot)
    for current, lots in rolled.received:
        if current.position is not None:
            text.remove("order", current.position)
        for lot in lots:
            if lot.left:
                text.add("stock", _received_table(rolled, current.order, lot))
    for current in rolled.open:
        _edit_order(text, current, case)
    allowances = [("license", at, license.id, license.quantity) for at, license in enumerate(case.licenses)]
    allowances += [("waiver", at, waiver.id, waiver.quantity) for at, waiver in enumerate(case.waivers)]
    for name, position, allowance_id, quantity in allowances:
        used = rolled.allowances.get((name, allowance_id), Decimal(0))
        if quantity is not None and used:
            _reduce(text, name, position, quantity - used)
    _edit_carryovers(text, rolled)
    _edit_pins(text, rolled)
    past_periods = sum(1 for period in case.horizon.periods if period.end < rolled.day)
    if past_periods:
        _drop_periods(text, past_periods, contents, folder)


def _edit_carryovers(text: CaseText, rolled: RolledCase) -> None:
    for number in range(len(rolled.gathered.case.carryovers)):
        text.remove("carryover", number)
    for row in rolled.carried.rows:
        table: dict[str, Any] = {"rule": row.rule, "row": row.row, "used": row.used}
        text.add("carryover", table | ({"allowed": row.allowed} if row.allowed else {}) | {"why": row.why})


def _edit_pins(text: CaseText, rolled: RolledCase) -> None:
    for number, rule in enumerate(text.data.get("rule", ())):
        until = rule.get("until")
        if str(rule.get("id", "")).startswith(PIN_PREFIX) and until is not None and str(until) < str(rolled.day):
            text.remove("rule", number)
    for pin in rolled.carried.pins:
        text.add("rule", pin)


def _edit_stock(text: CaseText, rolled: RolledCase, position: int, lot: RolledLot) -> None:
    if not lot.left:
        text.remove("stock", position)
    elif lot.used or lot.counted is not None:
        reason = _EARLIER_LABEL.sub("", rolled.gathered.case.stocks[position].why)
        text.set(("stock", position, "quantity"), _kilograms(lot.left))
        text.set(("stock", position, "why"), _label(rolled, lot, reason))


def _received_table(rolled: RolledCase, order: OrderSpec, lot: RolledLot) -> dict[str, Any]:
    """Return an arrived order as a stock of its offer, so that rules treat it like the order."""
    reason = f"order {order.id}, confirmed arrival {order.arrives}" + (f"; {order.why}" if order.why else "")
    table: dict[str, Any] = {
        "id": lot.name,
        "material": lot.node[0],
        "place": lot.node[1],
        "quantity": _kilograms(lot.left),
    }
    table |= {"acquired": order.ordered} if order.ordered is not None else {}
    return table | {"offer": order.offer, **_confirmation(order), "why": _label(rolled, lot, reason)}


def _label(rolled: RolledCase, lot: RolledLot, earlier_reason: str) -> str:
    # `_EARLIER_LABEL` recognizes these texts in the next roll.
    if lot.counted is not None:
        label = f"counted on {rolled.day}"
    elif lot.used:
        quantity, used = _kilograms(lot.quantity), _kilograms(lot.used)
        label = f"assumed, not counted: {quantity} less {used} of planned use before {rolled.day}"
    else:
        label = f"assumed, not counted: {_kilograms(lot.quantity)}, and no planned use before {rolled.day}"
    return "; ".join(filter(None, (label, earlier_reason)))


def _edit_order(text: CaseText, current: CurrentOrder, case: Case) -> None:
    order = current.order
    if current.position is None:
        text.add("order", order_table(order))
    elif current.is_changed:
        before, table = case.orders[current.position], order_table(order)
        for key in ("id", "quantity", "arrives", "ordered", "inputs", "confirmed_by", "confirmed_on"):
            if getattr(before, key) != getattr(order, key):
                text.set(("order", current.position, key), table.get(key))


def order_table(order: OrderSpec) -> dict[str, Any]:
    table: dict[str, Any] = {"id": order.id, "offer": order.offer, "place": order.place}
    table["quantity"] = _kilograms(order.quantity) + (f" {order.substance}" if order.substance else "")
    table |= {"ordered": order.ordered, "arrives": order.arrives, **_confirmation(order), "why": order.why}
    return {key: value for key, value in table.items() if value not in (None, "")}


def _confirmation(order: OrderSpec) -> dict[str, Any]:
    table = {"inputs": list(order.inputs), "confirmed_by": order.confirmed_by, "confirmed_on": order.confirmed_on}
    return {key: value for key, value in table.items() if value}


def _reduce(text: CaseText, name: str, position: int, left: Decimal) -> None:
    if left > 0:
        text.set((name, position, "quantity"), _kilograms(left))
    else:
        text.remove(name, position)


def _kilograms(quantity: Decimal) -> str:
    return f"{quantity.normalize():f} kg"


def _drop_periods(text: CaseText, count: int, contents: dict[PurePosixPath, bytes], folder: Path) -> None:
    """Remove past periods from demands with one quantity per period, in the case file, its scenarios, and its demand table."""
    data = text.data
    for position, demand in enumerate(data.get("demand", ())):
        if "quantities" in demand:
            text.set(("demand", position, "quantities"), demand["quantities"][count:])
    for number, scenario in enumerate(data.get("scenario", ())):
        for position, change in enumerate(scenario.get("change", ())):
            if "quantities" in change:
                remaining = {**change, "quantities": change["quantities"][count:]}
                text.set(("scenario", number, "change", position), remaining)
    name = PurePosixPath(str(data.get("use", {}).get("demand", "")))
    if name in contents and (folder / name).suffix.lower() == ".csv":
        contents[name] = _without_periods(contents[name], count)


def _without_periods(table: bytes, count: int) -> bytes:
    """Return a demand table without the first periods in the column `quantities`. Without that column, it doesn't change."""
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    head = [cell.strip() for cell in rows[0]] if rows else []
    if "quantities" not in head:
        return table
    at = head.index("quantities")
    for row in rows[1:]:
        if len(row) > at and row[at].strip():
            row[at] = ";".join(row[at].split(";")[count:])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _named_files(data: Mapping[str, Any], folder: Path, target: Path) -> dict[PurePosixPath, bytes]:
    """Return the files in the folder of a case that its case file names, and its lock. Files outside are errors."""
    contents: dict[PurePosixPath, bytes] = {}
    problems: list[Diagnostic] = []
    home, new = os.path.realpath(folder), os.path.realpath(target)
    names = {name for text in _texts(data) for name in (text, text.partition(":")[2])} | {"friendshore.lock"}
    for name in sorted(names):
        path = os.path.realpath(folder / name) if "\0" not in name else ""
        if Path(name).is_absolute() or not os.path.exists(path) or path == home:  # noqa: PTH110 - `Path` raises for a name that is too long
            continue
        if not _is_below(path, home):
            fix = "copy it into the folder of the case, and change its path in the case file"
            message = "this file is outside the folder of the case, so it wouldn't be copied"
            problems.append(Diagnostic(message, str(folder / name), fix=fix, code="FS227"))
            continue
        files = [Path(path)] if Path(path).is_file() else filter(Path.is_file, sorted(Path(path).rglob("*")))
        for file in files:
            relative = file.relative_to(home)
            if not (any(part.startswith(".") for part in relative.parts) or _is_below(str(file), new)):
                contents[PurePosixPath(relative.as_posix())] = read_bytes(file)
    if problems:
        raise all_of(problems)
    return contents


def _is_below(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _notes(rolled: RolledCase) -> Iterator[str]:
    gathered = rolled.gathered
    received = [current for current, _ in rolled.received]
    orders = [current.order for current in (*received, *rolled.open)]
    offers = {offer.id: offer for catalog in gathered.catalogs for offer in catalog.offers}
    incumbents = {incumbent.offer for incumbent in gathered.case.incumbents}
    for name in sorted({order.offer for order in orders}):
        offer = offers[name]
        if offer.take_or_pay is not None:
            yield f"{name}: take_or_pay counts from {rolled.day} again; subtract earlier orders if they count"
        if name not in incumbents and (offer.onboarding or offer.qualification):
            yield f"{name} has been ordered: add it as [[incumbent]], or the plan pays its onboarding and waits for its qualification again"
    old_end, new_end = gathered.case.horizon.span.end, rolled.horizon.span.end
    if old_end != new_end:
        yield f"the new plan ends on {new_end}, later than the old one ({old_end}), and so does a demand without `until`"
    yield from _limit_notes(rolled)
    undated = [stock.id or stock.material for stock in gathered.case.stocks if stock.acquired is None]
    undated += [current.order.id for current in received if current.order.ordered is None]
    if undated:
        end = rolled.horizon.periods[0].end
        yield f"stock without `acquired` may have been bought on any day up to {end}: {', '.join(undated)}"
    if rolled.unplaced:
        yield f"{len(rolled.unplaced)} orders that the plan places before {rolled.day} are not on the sheet; the new plan decides on them again"
    unproven = sorted(order.id for order in orders if offers[order.offer].inputs and not order.confirmed_by)
    if unproven:
        yield (
            f"no document confirms the inputs of these orders, so their origin is unproven: {', '.join(unproven)}; "
            f"fill in {', '.join(CONFIRM)} of the sheet"
        )


def _limit_notes(rolled: RolledCase) -> Iterator[str]:
    case = rolled.gathered.case
    quantities = defaultdict[str, Decimal](Decimal)
    for current in (*(current for current, _ in rolled.received), *rolled.open):
        if current.line is not None and current.line.placed is not None:
            quantities[current.line.placed.id] += current.order.quantity
    before = dict(zip(case.order_names, (order.quantity for order in case.orders), strict=True))
    changed = sorted(
        f"{name} ({quantity - before[name]:+f} kg)"
        for name, quantity in quantities.items()
        if quantity != before.get(name)
    )
    if case.carryovers and changed:
        yield (
            f"[[carryover]] still counts old quantities of orders that have changed since an earlier roll: {', '.join(changed)}; "
            "correct `used` by hand, also for canceled orders"
        )
    limits = sorted({row.rule for row in rolled.carried.rows} | set(rolled.carried.restarted))
    across = [
        period
        for period in rolled.horizon.periods
        if period.start.year != period.end.year and (period.start.day, period.start.month) != (1, 1)
    ]
    if limits and across:
        yield (
            f"limits per year count a {rolled.horizon.length.value} by its first day, but {across[0].start} to {across[0].end} is in two years; "
            "roll to the first day of a quarter, or use `--period month`"
        )
    if rolled.carried.rows:
        names = ", ".join(sorted({row.rule for row in rolled.carried.rows}))
        yield f"orders and demand before {rolled.day} count in these limits ([[carryover]]): {names}"
    for row_name, excess in rolled.carried.exceeded:
        yield f"{row_name} is already exceeded by {excess.normalize():,f}, so that nothing more is allowed"
    if rolled.carried.pins:
        yield f"new rules limit capacities to what the orders left: {', '.join(pin['id'] for pin in rolled.carried.pins)}"
    if rolled.carried.unpinned:
        names = ", ".join(rolled.carried.unpinned)
        yield f"orders used a part of these capacities, which count from {rolled.day} again because a run delivers several goods: {names}"
    if rolled.carried.restarted:
        names = ", ".join(sorted(rolled.carried.restarted))
        yield f"limits per year or over the whole plan that count from {rolled.day} again: {names}"


class CaseText:
    """Editor of a case file that keeps its other lines."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.end = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.splitlines()
        self._numbers = key_lines(text)
        self.data: dict[str, Any] = toml_data(text.removeprefix("\ufeff"), file)
        self._new = deepcopy(self.data)
        self._removed: set[Key] = set()
        self._added: list[tuple[str, dict[str, Any]]] = []
        self._values: dict[Key, Any] = {}

    def set(self, key: Key, value: Any) -> None:
        """Replace the value of a key of a table. None deletes it."""
        table: Any = self._new
        for part in key[:-1]:
            table = table[part]
        if value is None:
            table.pop(key[-1], None)
        else:
            table[key[-1]] = value
        self._values[key] = value

    def remove(self, name: str, number: int) -> None:
        """Remove a table of a list, such as the third `[[stock]]`."""
        self._removed.add((name, number))

    def add(self, name: str, table: Mapping[str, Any]) -> None:
        self._added.append((name, dict(table)))

    @property
    def result(self) -> dict[str, Any]:
        data = deepcopy(self._new)
        for name, number in sorted(self._removed, key=str, reverse=True):
            data[str(name)][number] = None
        for name in {str(key[0]) for key in self._removed}:
            data[name] = [table for table in data[name] if table is not None]
            if not data[name]:
                del data[name]
        for name, table in self._added:
            data.setdefault(name, []).append(deepcopy(table))
        return data

    def text(self) -> tuple[str, bool]:
        """Return the text after all edits, and True if it keeps every other line. Other layouts are rewritten without comments."""
        edited = self._edited()
        result = self.result
        try:
            if toml_data(edited.removeprefix("\ufeff"), self.file) == result:
                return edited, True
        except InputError:  # the edited lines aren't valid TOML
            pass
        return toml_text(result), False

    def _edited(self) -> str:
        lines: list[str | None] = list(self._lines)
        inserted: dict[int, list[str]] = {}
        for key, value in self._values.items():
            number = self._numbers.get(key)
            if number is not None:
                lines[number - 1] = None if value is None else self._replaced(number, key, value)
            elif value is not None:
                header = self._numbers.get(key[:-1], 0)
                inserted.setdefault(header, []).append(f"{key[-1]} = {toml_line(value)}")
        for key in self._removed:
            for number in self._block(key):
                lines[number - 1] = None
        edited = []
        for number, line in enumerate(lines, 1):
            if line is not None:
                edited.append(line)
            edited += inserted.get(number, [])
        while edited and not edited[-1].strip():
            edited.pop()
        for name, table in self._added:
            edited += ["", f"[[{name}]]", *(f"{key} = {toml_line(value)}" for key, value in table.items())]
        return self.end.join(edited) + self.end

    def _replaced(self, number: int, key: Key, value: Any) -> str:
        line = self._lines[number - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if isinstance(key[-1], int):
            return f"{indent}{toml_line(value)},"
        name, _, rest = line.strip().partition("=")
        comment = rest.partition(" #")[2]  # if the `#` is part of a text, `text` detects the wrong result
        return f"{indent}{name.rstrip()} = {toml_line(value)}" + (f"  #{comment}" if comment else "")

    def _block(self, key: Key) -> range:
        """Return the lines of a table and the blank lines after it, without the comments before the next table."""
        first = self._numbers.get(key, 0)
        headers = [
            number
            for path, number in self._numbers.items()
            if self._lines[number - 1].lstrip().startswith("[") and path[: len(key)] != key and number > first
        ]
        end = min(headers, default=len(self._lines) + 1)
        while end - 1 > first and (not self._lines[end - 2].strip() or self._lines[end - 2].lstrip().startswith("#")):
            end -= 1
        while end <= len(self._lines) and not self._lines[end - 1].strip():
            end += 1
        return range(first, end)
