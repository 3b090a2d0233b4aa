"""`friendshore orders` and `friendshore case roll`: from a plan to purchase orders, and from these to the next plan."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Diagnostic, InputError
from .options import AsJson, Blocked, CasePath, RunPath, installed
from .output import answering, bare, show, show_json, wrote

if TYPE_CHECKING:
    from ..orders.sheet import PlacedLine


class Length(StrEnum):
    """Lengths of periods. Importing those of the domain would make `--help` slow."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


Into = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Order sheet to write: .xlsx or .csv. Overwrites nothing.", show_default=False
    ),
]
Filled = Annotated[
    Path | None,
    typer.Option(
        "--filled",
        metavar="FILE",
        help="Completed order sheet. Prints its orders as [[order]] tables.",
        show_default=False,
    ),
]
Written = Annotated[
    Path | None,
    typer.Option(
        "--write", metavar="CASE", help="With --filled: also write the orders into the case file.", show_default=False
    ),
]


@answering
def orders(
    run: RunPath,
    out: Into = None,
    filled: Filled = None,
    write: Written = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write the orders of a plan as an order sheet with one line per order, or read back a completed sheet.

    Fill in order number, date placed, confirmed arrival, and confirmed kilograms. No other cell may change. The run is verified first.
    """
    from ..orders import add_orders, open_run, order_sheet, placed_lines
    from ..reading.workbook import is_workbook
    from ..writing import reject_existing, replace_file

    if (out is None) == (filled is None) or (write is not None and filled is None):
        raise InputError(
            "`orders` needs either a sheet to write or a completed one",
            expected="--out FILE, or --filled FILE with or without --write CASE",
            code="FS501",
        )
    if out is not None:
        reject_existing(out)
        if not is_workbook(out) and out.suffix.lower() != ".csv":
            raise InputError("order sheets can't have this extension", str(out), expected=".xlsx or .csv", code="FS503")
    _, verified = open_run(run, installed(block))
    problems: list[Diagnostic] = []
    lines, placed = placed_lines(filled, verified, problems)
    if problems:
        raise InputError(problems)
    if out is not None:
        replace_file(out, order_sheet(lines, verified.problem.case.name, out))
        wrote(as_json, [out], lines=len(lines))
        return 0
    changed = add_orders(write, lines, placed) if write is not None else []
    _print_orders(placed, [write] if write is not None and changed else [], as_json)
    return 0


def _print_orders(placed: tuple[PlacedLine, ...], written: list[Path], as_json: bool) -> None:
    from ..orders.next_case import order_table
    from ..orders.sheet import order_spec
    from ..reading.tomlfile import toml_text

    tables = [order_table(order_spec(order, order.line.placed)) for order in placed]
    toml = toml_text({"order": tables}).rstrip() if tables else ""
    if as_json:
        shown_tables = [{key: str(value) for key, value in table.items()} for table in tables]
        wrote(as_json, written, orders=shown_tables, toml=toml)
    else:
        bare(toml or "the sheet has no placed orders")
        wrote(as_json, written)


Day = Annotated[
    datetime,
    typer.Option("--to", metavar="DATE", formats=["%Y-%m-%d"], help="First day of the new plan.", show_default=False),
]


@answering
def roll(
    case: CasePath,
    to: Day,
    run: Annotated[
        Path,
        typer.Option(
            "--run",
            metavar="RUN",
            help="Run of the case. The quantities that it uses before DATE are deducted from stock.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the new case. Overwrites nothing.")],
    sheet: Annotated[
        Path | None,
        typer.Option("--orders", metavar="SHEET", help="Completed order sheet of the plan.", show_default=False),
    ] = None,
    count: Annotated[
        Path | None,
        typer.Option(
            "--count",
            metavar="FILE",
            help="Stock count, a CSV file with the columns lot and quantity_kg. Default: stock minus the plan's use.",
            show_default=False,
        ),
    ] = None,
    period: Annotated[
        Length | None,
        typer.Option("--period", help="Length of the new periods. Default: as before.", show_default=False),
    ] = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a case as of a later day. Orders that arrived before it become stock, the others stay open, and used quantities are deducted.

    Bought stock keeps its offer, so that every rule judges it like the order. Prints opening stock, received and used
    quantities, and the new stock, by material and place.
    """
    from ..domain.time import PeriodLength
    from ..orders import roll as roll_case
    from ..orders import rolled_data, rolled_document, write_next
    from ..writing import reject_existing

    reject_existing(out)
    rolled = roll_case(
        case, to.date(), run, installed(block), sheet, count, None if period is None else PeriodLength(period.value)
    )
    written = write_next(rolled, out)
    if as_json:
        show_json({"wrote": [str(path) for path in written], **rolled_data(rolled)})
    else:
        show(rolled_document(rolled))
        wrote(as_json, written)
    return 0
