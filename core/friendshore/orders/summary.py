"""Document and data of a rolled case. New stock equals opening stock plus receipts minus use."""

from __future__ import annotations

from decimal import Decimal

from ..document import elements as doc
from .carryover import NodeTotal, RolledLot
from .roll import RolledCase, material_names
from .sheet import CurrentOrder

_ASSUMED = "the use is assumed from the plan; to use a stock count, add `--count FILE` (a CSV file with the columns lot and quantity_kg)"


def rolled_data(rolled: RolledCase) -> dict[str, object]:
    """Return a rolled case as JSON-ready data. Masses are kilograms of the material's basis."""
    names = material_names(rolled.gathered)
    return {
        "from": str(rolled.gathered.case.horizon.start),
        "to": str(rolled.day),
        "until": str(rolled.horizon.span.end),
        "periods": rolled.horizon.count,
        "materials": [_total_data(total, names[total.material]) for total in rolled.totals],
        "lots": [_lot_data(lot) for lot in _lots(rolled)],
        "received": [_order_data(current) for current, _ in rolled.received],
        "open": [_order_data(current) for current in rolled.open],
        "allowances": [
            {"kind": kind, "id": name, "used_kg": float(used)}
            for (kind, name), used in sorted(rolled.allowances.items())
        ],
        "carryovers": [
            {"rule": row.rule, "row": row.row, "used": float(row.used), "allowed": float(row.allowed)}
            for row in rolled.carried.rows
        ],
        "left": [
            {"rule": pin["id"], "at_most_kg": float(pin["at_most"].split()[0]), "until": str(pin.get("until", ""))}
            for pin in rolled.carried.pins
        ],
        "notes": _notes(rolled),
    }


def rolled_document(rolled: RolledCase) -> doc.Document:
    return doc.document(
        "A case rolled forward",
        doc.sentence(
            f"{rolled.gathered.case.name} from {rolled.day} to {rolled.horizon.span.end}, {rolled.horizon.count} periods",
            strong=True,
        ),
        doc.section_if_any("Stock: opening + received - used = new", _totals(rolled)),
        doc.section_if_any("Lots", _lot_table(rolled)),
        doc.section_if_any("Open orders", _open_table(rolled)),
        doc.section_if_any("Limits: amounts before the new plan", _carried_table(rolled)),
        doc.section_if_any("Notes", doc.notes(_notes(rolled))),
    )


def _lots(rolled: RolledCase) -> list[RolledLot]:
    return [lot for _, lot in rolled.stocks] + [lot for _, lots in rolled.received for lot in lots]


def _notes(rolled: RolledCase) -> list[str]:
    notes = [_ASSUMED] if any(total.basis != "counted" for total in rolled.totals) else []
    notes += [
        f"{total.material} at {total.place}: the plan uses {_kg(total.uncovered)} kg before {rolled.day} that neither stock nor received orders cover"
        for total in rolled.totals
        if total.uncovered
    ]
    if rolled.received:
        orders = ", ".join(current.order.id for current, _ in rolled.received)
        notes.append(f"assumed to have arrived on the confirmed day: {orders}; correct the sheet if one is late")
    for (kind, name), used in sorted(rolled.allowances.items()):
        notes.append(f"{kind} {name} is reduced by the {_kg(used)} kg used before {rolled.day}")
    return [*notes, *rolled.notes]


def _total_data(total: NodeTotal, name: str) -> dict[str, object]:
    return {
        "material": total.material,
        "name": name,
        "place": total.place,
        "opening_kg": float(total.opening),
        "received_kg": float(total.received),
        "used_kg": float(total.used),
        "new_kg": float(total.left),
        "uncovered_kg": float(total.uncovered),
        "basis": total.basis,
    }


def _lot_data(lot: RolledLot) -> dict[str, object]:
    return {
        "lot": lot.name,
        "material": lot.node[0],
        "place": lot.node[1],
        "received": lot.received,
        "quantity_kg": float(lot.quantity),
        "used_kg": float(lot.used),
        "left_kg": float(lot.left),
        "basis": "counted" if lot.counted is not None else "assumed",
    }


def _order_data(current: CurrentOrder) -> dict[str, object]:
    order = current.order
    return {
        "order": order.id,
        "offer": order.offer,
        "place": order.place,
        "quantity": float(order.quantity),
        "substance": order.substance,
        "ordered": None if order.ordered is None else str(order.ordered),
        "arrives": str(order.arrives),
    }


def _totals(rolled: RolledCase) -> doc.DataTable | None:
    names = material_names(rolled.gathered)
    columns = [
        doc.Column("Material"),
        doc.Column("At"),
        *map(doc.figures, ("Opening kg", "Received kg", "Used kg", "New kg")),
        doc.Column("Use"),
    ]
    rows = [
        (
            names[total.material],
            total.place,
            *map(_kg, (total.opening, total.received, total.used, total.left)),
            total.basis,
        )
        for total in rolled.totals
        if total.opening or total.received or total.used
    ]
    return doc.table(columns, rows) if rows else None


def _lot_table(rolled: RolledCase) -> doc.DataTable | None:
    columns = [
        doc.Column("Lot"),
        doc.Column("Material"),
        *map(doc.figures, ("In stock or arrived kg", "Used kg", "Left kg")),
    ]
    rows = [(lot.name, lot.node[0], *map(_kg, (lot.quantity, lot.used, lot.left))) for lot in _lots(rolled)]
    return doc.table(columns, rows) if rows else None


def _open_table(rolled: RolledCase) -> doc.DataTable | None:
    columns = [
        doc.Column("Order"),
        doc.Column("Offer"),
        doc.figures("Quantity kg"),
        doc.Column("Placed"),
        doc.Column("Arrives"),
    ]
    rows = [
        (order.id, order.offer, _kg(order.quantity), order.ordered or "unknown", order.arrives)
        for order in sorted((current.order for current in rolled.open), key=lambda order: (order.arrives, order.id))
    ]
    return doc.table(columns, rows) if rows else None


def _carried_table(rolled: RolledCase) -> doc.DataTable | None:
    columns = [doc.Column("Limit"), doc.Column("Row"), *map(doc.figures, ("Used before", "Allowed before"))]
    rows = [(row.rule, row.row, _kg(row.used), _kg(row.allowed)) for row in rolled.carried.rows]
    return doc.table(columns, rows) if rows else None


def _kg(quantity: Decimal) -> str:
    """Return kilograms to the gram, so that the printed figures of a row sum correctly."""
    return f"{quantity.normalize():,f}"
