"""Files of a case that was rolled forward: the edited case file, and all files that it names."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
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
from .carryover import PINNED, RolledLot
from .lines import OrderLine
from .roll import RolledCase
from .sheet import CONFIRM, CurrentOrder, PlacedLine, current_orders

_LABEL = re.compile(r"^(?:assumed, not counted|counted)\b[^;]*(?:; )?")
"""Text of an earlier roll about a stock, which precedes the planner's own text."""


def write_next(rolled: RolledCase, target: Path) -> list[Path]:
    """Read and resolve the new case, write its folder, and return its files.

    Raises:
        InputError: If the target exists, the case names files outside its folder, or the new case is invalid. Nothing is written.
        OSError: If it can't be written.
    """
    reject_existing(target)
    file = rolled.gathered.case.file
    assert file is not None
    text = CaseText(read_bytes(file).decode(), str(file))
    contents = _named_files(text.data, file.parent, target)
    _edit(text, rolled, contents, file.parent)
    edited, kept = text.text()
    if not kept:
        rolled.notes.append(
            "the case file is laid out in a way that couldn't be edited line by line; it was written again, without its comments"
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
    """Write placed orders into a case file, replacing those that it already has, and return them.

    Raises:
        InputError: With every invalid order, or if the case is a workbook.
        OSError: If the file can't be written.
    """
    read = load_case(case)
    found: list[Diagnostic] = []
    if read.file is None or not is_toml(read.file):
        fix = "leave `--write` out, and put what is printed into the sheet `order`"
        raise InputError("is no case file in TOML, and orders are written only into those", str(case), fix=fix)
    orders = [one for one in current_orders(read, lines, placed, found) if one.changed]
    for row in placed:
        if row.arrives < read.horizon.start:
            fix = "roll the case to a later day: `friendshore case roll` makes stock of what has arrived"
            message = f"order {row.number} arrives before the plan starts ({read.horizon.start})"
            found.append(Diagnostic(message, "", row.row, "confirmed_arrival", str(row.arrives), fix=fix))
    if found:
        raise all_of(found)
    text = CaseText(read_bytes(read.file).decode(), str(read.file))
    for one in orders:
        _edit_order(text, one, read)
    edited, kept = text.text()
    if not kept:
        raise InputError(
            "is laid out in a way that cannot be edited line by line",
            str(read.file),
            fix="add what is printed without `--write`",
        )
    if orders:
        replace_file(read.file, edited.encode())
    return orders


def _check(file: Path, rolled: RolledCase, target: Path) -> None:
    """Read the new case in the same way as every command.

    Raises:
        InputError: With all its errors, under the names that its files will have.
    """
    try:
        gathered = gather(load_case(file), rolled.gathered.registry)
        gathered.inputs.problem()
    except FriendshoreError as error:
        aside = str(file.parent)
        raise InputError(
            Diagnostic(
                one.message, one.file.replace(aside, str(target)), one.row, one.column, one.found, one.expected, one.fix
            )
            for one in error.problems
        ) from error
    for scenario in gathered.case.scenarios:
        try:
            changes = scenario_changes(gathered.case, [scenario.name])
            apply_changes(changes, gathered.case, gathered.catalogs, gathered.rules, gathered.bills)
        except InputError as error:
            rolled.notes += [f"scenario {scenario.name} no longer applies: {one.message}" for one in error.problems]


def _edit(text: CaseText, rolled: RolledCase, contents: dict[PurePosixPath, bytes], folder: Path) -> None:
    case = rolled.gathered.case
    text.set(("case", "start"), rolled.day)
    text.set(("case", "periods"), rolled.horizon.count)
    if rolled.horizon.length is not case.horizon.length:
        text.set(("case", "period"), rolled.horizon.length.value)
    for position, lot in rolled.stocks:
        _edit_stock(text, rolled, position, lot)
    for one, lots in rolled.received:
        if one.position is not None:
            text.remove("order", one.position)
        for lot in lots:
            if lot.left:
                text.add("stock", _received_table(rolled, one.order, lot))
    for one in rolled.open:
        _edit_order(text, one, case)
    bounded = [("licence", at, one.id, one.quantity) for at, one in enumerate(case.licences)]
    bounded += [("waiver", at, one.id, one.quantity) for at, one in enumerate(case.waivers)]
    for name, position, called, quantity in bounded:
        used = rolled.allowances.get((name, called), Decimal(0))
        if quantity is not None and used:
            _reduce(text, name, position, quantity - used)
    _edit_carryovers(text, rolled)
    _edit_pins(text, rolled)
    gone = sum(1 for period in case.horizon.periods if period.end < rolled.day)
    if gone:
        _drop_periods(text, gone, contents, folder)


def _edit_carryovers(text: CaseText, rolled: RolledCase) -> None:
    for number in range(len(rolled.gathered.case.carryovers)):
        text.remove("carryover", number)
    for row in rolled.carried.rows:
        stated: dict[str, Any] = {"rule": row.rule, "row": row.row, "used": row.used}
        text.add("carryover", stated | ({"allowed": row.allowed} if row.allowed else {}) | {"why": row.why})


def _edit_pins(text: CaseText, rolled: RolledCase) -> None:
    """Add rules for the remainders of capacities, and remove those of an earlier roll whose days are over."""
    for number, rule in enumerate(text.data.get("rule", ())):
        until = rule.get("until")
        if str(rule.get("id", "")).startswith(PINNED) and until is not None and str(until) < str(rolled.day):
            text.remove("rule", number)
    for pin in rolled.carried.pins:
        text.add("rule", pin)


def _edit_stock(text: CaseText, rolled: RolledCase, position: int, lot: RolledLot) -> None:
    if not lot.left:
        text.remove("stock", position)
    elif lot.used or lot.counted is not None:
        before = rolled.gathered.case.stocks[position].why
        text.set(("stock", position, "quantity"), _kilograms(lot.left))
        text.set(("stock", position, "why"), _label(rolled, lot, _LABEL.sub("", before)))


def _received_table(rolled: RolledCase, order: OrderSpec, lot: RolledLot) -> dict[str, Any]:
    """Return an order that arrived as a stock of its offer, so that rules treat it like the order."""
    reason = f"order {order.id}, confirmed arrival {order.arrives}" + (f"; {order.why}" if order.why else "")
    table: dict[str, Any] = {
        "id": lot.name,
        "material": lot.node[0],
        "place": lot.node[1],
        "quantity": _kilograms(lot.left),
    }
    table |= {"acquired": order.ordered} if order.ordered is not None else {}
    return table | {"offer": order.offer, **_confirmation(order), "why": _label(rolled, lot, reason)}


def _label(rolled: RolledCase, lot: RolledLot, before: str) -> str:
    """Return the reason for a quantity: counted or assumed from the plan, and the earlier reason of the stock."""
    if lot.counted is not None:
        said = f"counted on {rolled.day}"
    elif lot.used:
        quantity, used = _kilograms(lot.quantity), _kilograms(lot.used)
        said = f"assumed, not counted: {quantity} less {used} of planned use before {rolled.day}"
    else:
        said = f"assumed, not counted: {_kilograms(lot.quantity)}, and no planned use before {rolled.day}"
    return "; ".join(filter(None, (said, before)))


def _edit_order(text: CaseText, one: CurrentOrder, case: Case) -> None:
    order = one.order
    if one.position is None:
        text.add("order", order_table(order))
    elif one.changed:
        before, stated = case.orders[one.position], order_table(order)
        for key in ("id", "quantity", "arrives", "ordered", "inputs", "confirmed_by", "confirmed_on"):
            if getattr(before, key) != getattr(order, key):
                text.set(("order", one.position, key), stated.get(key))


def order_table(order: OrderSpec) -> dict[str, Any]:
    """Return an open order as a case file states it."""
    table: dict[str, Any] = {"id": order.id, "offer": order.offer, "place": order.place}
    table["quantity"] = _kilograms(order.quantity) + (f" {order.substance}" if order.substance else "")
    table |= {"ordered": order.ordered, "arrives": order.arrives, **_confirmation(order), "why": order.why}
    return {key: value for key, value in table.items() if value not in (None, "")}


def _confirmation(order: OrderSpec) -> dict[str, Any]:
    """Return the inputs of an order, and the document that confirms them, as a case file states them. Empty if unknown."""
    stated = {"inputs": list(order.inputs), "confirmed_by": order.confirmed_by, "confirmed_on": order.confirmed_on}
    return {key: value for key, value in stated.items() if value}


def _reduce(text: CaseText, name: str, position: int, left: Decimal) -> None:
    if left > 0:
        text.set((name, position, "quantity"), _kilograms(left))
    else:
        text.remove(name, position)


def _kilograms(quantity: Decimal) -> str:
    return f"{quantity.normalize():f} kg"


def _drop_periods(text: CaseText, gone: int, contents: dict[PurePosixPath, bytes], folder: Path) -> None:
    """Remove past periods of demands with one quantity per period, in the case file, its scenarios, and its table of demands."""
    data = text.data
    for position, demand in enumerate(data.get("demand", ())):
        if "quantities" in demand:
            text.set(("demand", position, "quantities"), demand["quantities"][gone:])
    for number, scenario in enumerate(data.get("scenario", ())):
        for position, change in enumerate(scenario.get("change", ())):
            if "quantities" in change:
                text.set(
                    ("scenario", number, "change", position), {**change, "quantities": change["quantities"][gone:]}
                )
    name = PurePosixPath(str(data.get("use", {}).get("demand", "")))
    if name in contents and (folder / name).suffix.lower() == ".csv":
        contents[name] = _without_periods(contents[name], gone)


def _without_periods(table: bytes, gone: int) -> bytes:
    """Return a table of demands without the first periods in the column `quantities`. Without that column, the table doesn't change."""
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
    head = [cell.strip() for cell in rows[0]] if rows else []
    if "quantities" not in head:
        return table
    at = head.index("quantities")
    for row in rows[1:]:
        if len(row) > at and row[at].strip():
            row[at] = ";".join(row[at].split(";")[gone:])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _named_files(data: Mapping[str, Any], folder: Path, target: Path) -> dict[PurePosixPath, bytes]:
    """Return all files below the folder of a case that its case file names, and its lock.

    Raises:
        InputError: With every path that leads out of the folder, because it would lead elsewhere from the new one.
    """
    found: dict[PurePosixPath, bytes] = {}
    wrong: list[Diagnostic] = []
    home, new = os.path.realpath(folder), os.path.realpath(target)
    names = {name for text in _texts(data) for name in (text, text.partition(":")[2])} | {"friendshore.lock"}
    for name in sorted(names):
        path = os.path.realpath(folder / name) if "\0" not in name else ""
        if Path(name).is_absolute() or not os.path.exists(path) or path == home:  # noqa: PTH110 - `Path` raises for a name that is too long
            continue
        if not _is_below(path, home):
            fix = "copy it beside the case file, and name it there"
            wrong.append(
                Diagnostic("lies outside the folder of the case, which is copied", str(folder / name), fix=fix)
            )
            continue
        files = (
            [Path(path)] if Path(path).is_file() else [one for one in sorted(Path(path).rglob("*")) if one.is_file()]
        )
        for file in files:
            below = file.relative_to(home)
            if not (any(part.startswith(".") for part in below.parts) or _is_below(str(file), new)):
                found[PurePosixPath(below.as_posix())] = read_bytes(file)
    if wrong:
        raise all_of(wrong)
    return found


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
    """Yield notes on limits that count from the start of a plan, and so begin again."""
    gathered = rolled.gathered
    ordered = sorted({one.order.offer for one in (*rolled.open, *(one for one, _ in rolled.received))})
    offers = {offer.id: offer for catalog in gathered.catalogs for offer in catalog.offers}
    known = {one.offer for one in gathered.case.incumbents}
    for name in ordered:
        offer = offers[name]
        if offer.take_or_pay is not None:
            yield f"{name}: take_or_pay counts from {rolled.day} again; take off what was ordered before, if it counts"
        if name not in known and (offer.onboarding or offer.qualification):
            yield f"{name} has been ordered: add it as [[incumbent]], or the plan pays its onboarding and waits for its qualification again"
    old_end, new_end = gathered.case.horizon.span.end, rolled.horizon.span.end
    if old_end != new_end:
        yield f"periods of a {rolled.horizon.length.value} from {rolled.day} end on {new_end}, after the old plan ({old_end}): a demand without `until` goes on until then"
    yield from _limit_notes(rolled)
    undated = [stock.id or stock.material for stock in gathered.case.stocks if stock.acquired is None]
    undated += [one.order.id for one, _ in rolled.received if one.order.ordered is None]
    if undated:
        end = rolled.horizon.periods[0].end
        yield f"without `acquired`, and so counted as bought on any day up to {end}: {', '.join(undated)}"
    if rolled.unplaced:
        yield f"not on the sheet though the plan places them before {rolled.day}: {len(rolled.unplaced)} orders; the new plan decides on them again"
    bought = [one.order for one in (*(one for one, _ in rolled.received), *rolled.open)]
    unproven = sorted(order.id for order in bought if offers[order.offer].inputs and not order.confirmed_by)
    if unproven:
        yield (
            f"made from inputs that no document confirms, so that rules on origins find them unproven: {', '.join(unproven)}; "
            f"fill in {', '.join(CONFIRM)} of the sheet"
        )


def _limit_notes(rolled: RolledCase) -> Iterator[str]:
    """Yield notes on the amounts before the day that limits count, and on those that they don't."""
    case = rolled.gathered.case
    now = defaultdict[str, Decimal](Decimal)
    for one in (*(one for one, _ in rolled.received), *rolled.open):
        if one.line is not None and one.line.placed is not None:
            now[one.line.placed.id] += one.order.quantity
    before = dict(zip(case.order_names, (order.quantity for order in case.orders), strict=True))
    recounted = sorted(
        f"{name} ({quantity - before[name]:+f} kg)" for name, quantity in now.items() if quantity != before.get(name)
    )
    if case.carryovers and recounted:
        yield (
            f"their quantity has changed since an earlier roll, and [[carryover]] still counts the old one: {', '.join(recounted)}; correct `used` by hand, "
            "also for an order that was cancelled since"
        )
    limits = sorted({row.rule for row in rolled.carried.rows} | set(rolled.carried.left_out))
    across = [
        period
        for period in rolled.horizon.periods
        if period.start.year != period.end.year and (period.start.day, period.start.month) != (1, 1)
    ]
    if limits and across:
        yield (
            f"limits of a year count a {rolled.horizon.length.value} by its first day, and {across[0].start} to {across[0].end} lies in two years: "
            "roll to a day on which a quarter begins, or with `--period month`"
        )
    if rolled.carried.rows:
        named = ", ".join(sorted({row.rule for row in rolled.carried.rows}))
        yield f"what was ordered and wanted before {rolled.day} counts in the limits of its year ([[carryover]]): {named}"
    for called, beyond in rolled.carried.overdrawn:
        yield f"{called}: exceeded by {beyond.normalize():,f} already, so that nothing more is allowed"
    if rolled.carried.pins:
        yield f"rules for what orders leave of capacities: {', '.join(pin['id'] for pin in rolled.carried.pins)}"
    if rolled.carried.not_pinned:
        named = ", ".join(rolled.carried.not_pinned)
        yield f"orders took a part of capacities that count from {rolled.day} again, since a run delivers several goods: {named}"
    if rolled.carried.left_out:
        yield f"limits of a year or of the whole plan that count from {rolled.day} again: {', '.join(sorted(rolled.carried.left_out))}"


class CaseText:
    """A case file during editing, as data and as text with the same meaning."""

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
        at: Any = self._new
        for part in key[:-1]:
            at = at[part]
        if value is None:
            at.pop(key[-1], None)
        else:
            at[key[-1]] = value
        self._values[key] = value

    def remove(self, name: str, number: int) -> None:
        """Remove a table of a list, such as the third `[[stock]]`."""
        self._removed.add((name, number))

    def add(self, name: str, table: Mapping[str, Any]) -> None:
        """Add a table to a list, at the end of the file."""
        self._added.append((name, dict(table)))

    @property
    def result(self) -> dict[str, Any]:
        found = deepcopy(self._new)
        for name, number in sorted(self._removed, key=str, reverse=True):
            found[str(name)][number] = None
        for name in {str(key[0]) for key in self._removed}:
            found[name] = [table for table in found[name] if table is not None]
            if not found[name]:
                del found[name]
        for name, table in self._added:
            found.setdefault(name, []).append(deepcopy(table))
        return found

    def text(self) -> tuple[str, bool]:
        """Return the text after all edits, and True if it keeps every other line.

        A file whose layout doesn't permit a plain edit, such as `stock = [{ … }]`, is rewritten completely, without its comments.
        """
        edited = self._edited()
        wanted = self.result
        try:
            if toml_data(edited.removeprefix("\ufeff"), self.file) == wanted:
                return edited, True
        except InputError:  # a plain edit made no TOML of it
            pass
        return toml_text(wanted), False

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
        found = []
        for number, line in enumerate(lines, 1):
            if line is not None:
                found.append(line)
            found += inserted.get(number, [])
        while found and not found[-1].strip():
            found.pop()
        for name, table in self._added:
            found += ["", f"[[{name}]]", *(f"{key} = {toml_line(value)}" for key, value in table.items())]
        return self.end.join(found) + self.end

    def _replaced(self, number: int, key: Key, value: Any) -> str:
        """Return a line with a new value of a key, or of a table in a list that has its own line."""
        line = self._lines[number - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if isinstance(key[-1], int):
            return f"{indent}{toml_line(value)},"
        name, _, rest = line.strip().partition("=")
        comment = rest.partition(" #")[
            2
        ]  # the result is compared with what it must say, so a `#` in a text does no harm
        return f"{indent}{name.rstrip()} = {toml_line(value)}" + (f"  #{comment}" if comment else "")

    def _block(self, key: Key) -> range:
        """Return the lines of a table, and the blank lines after it, but not the comments before the next table."""
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
