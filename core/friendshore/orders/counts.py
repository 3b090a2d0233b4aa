"""Stock counts: what was found of each lot on the day of the new plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
from ..problem.network import Node
from ..reading import kinds as k
from ..reading.csvfile import read_table
from ..reading.fields import Field, Layout
from .used import RolledLot

_LAYOUT = Layout(
    "count.csv",
    "What was counted.",
    (
        Field("lot", k.TEXT, "Id of a stock, or number of an order that arrived.", "4711-10", required=True),
        Field("quantity_kg", k.NON_NEGATIVE, "Kilograms of the material's basis that are there.", "850", required=True),
    ),
)


def apply_count(
    path: Path, lots: Sequence[RolledLot], uncovered: Mapping[Node, Decimal], found: list[Diagnostic]
) -> dict[Node, Decimal]:
    """Set what is left of lots that were counted, and return the use that is not covered: none where all lots of a place were counted."""
    known = {lot.name: lot for lot in lots}
    table = read_table(path, _LAYOUT, found)
    for row in table.unique("lot"):
        if row.bad:
            continue
        name, quantity = str(row.values["lot"]), row.values["quantity_kg"]
        lot = known.get(name)
        if lot is None:
            table.problem(
                row, "lot", "there is no such lot", "one of " + ", ".join(sorted(known)), did_you_mean(name, known)
            )
        elif quantity > lot.quantity:
            fix = "correct the count, or what arrived of the order"
            expected = f"at most {lot.quantity.normalize():f}, which were there or arrived"
            table.problem(row, "quantity_kg", "more was counted than there can be", expected, fix)
        else:
            lot.counted, lot.used = quantity, lot.quantity - quantity
    uncounted = {lot.node for lot in lots if lot.counted is None}
    return {node: rest for node, rest in uncovered.items() if node in uncounted}
