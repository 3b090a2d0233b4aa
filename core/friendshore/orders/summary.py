"""Document and data of a rolled case. New stock equals opening stock plus receipts minus use."""

from __future__ import annotations

from decimal import Decimal

from ..document import elements as doc
from .carryover import NodeTotal, RolledLot
from .roll import RolledCase, material_names
from .sheet import CurrentOrder

_ASSUMED = "what was used is assumed from the plan, not counted: state a stock count with `--count FILE` (columns lot, quantity_kg)"


def rolled_data(rolled: RolledCase) -> dict[str, object]:
    """Return the roll of a case as JSON-ready data, all masses in kilograms of the material's basis."""
    names = material_names(rolled.gathered)
    return {
        "from": str(rolled.gathered.case.horizon.start),
        "to": str(rolled.day),
        "until": str(rolled.horizon.span.end),
        "periods": rolled.horizon.count,
        "materials": [_total(one, names[one.material]) for one in rolled.totals],
        "lots": [_lot(lot) for lot in _lots(rolled)],
        "received": [_order(one) for one, _ in rolled.received],
        "open": [_order(one) for one in rolled.open],
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
    """Return a document of the roll of a case: the reconciliation by material and place, its lots, open orders, and notes."""
    return doc.document(
        "A case rolled forward",
        doc.sentence(
            f"{rolled.gathered.case.name} from {rolled.day} to {rolled.horizon.span.end}, {rolled.horizon.count} periods",
            strong=True,
        ),
        doc.section_if_any("Stock: opening + received - used = new", _totals(rolled)),
        doc.section_if_any("Lots", _lot_table(rolled)),
        doc.section_if_any("Open orders", _open_table(rolled)),
        doc.section_if_any("Limits: amounts of the time before", _carried_table(rolled)),
        doc.section_if_any("Notes", doc.notes(_notes(rolled))),
    )


def _lots(rolled: RolledCase) -> list[RolledLot]:
    return [lot for _, lot in rolled.stocks] + [lot for _, some in rolled.received for lot in some]


def _notes(rolled: RolledCase) -> list[str]:
    found = [_ASSUMED] if any(one.basis != "counted" for one in rolled.totals) else []
    found += [
        f"{one.material} at {one.place}: the plan uses {_kg(one.uncovered)} kg before {rolled.day} that neither stock nor received orders cover"
        for one in rolled.totals
        if one.uncovered
    ]
    if rolled.received:
        named = ", ".join(one.order.id for one, _ in rolled.received)
        found.append(
            f"taken as arrived on the confirmed day: {named}; if one hasn't come, correct its day in the sheet"
        )
    for (kind, name), used in sorted(rolled.allowances.items()):
        found.append(f"{kind} {name}: {_kg(used)} kg used before {rolled.day} are taken off")
    return [*found, *rolled.notes]


def _total(one: NodeTotal, name: str) -> dict[str, object]:
    return {
        "material": one.material,
        "name": name,
        "place": one.place,
        "opening_kg": float(one.opening),
        "received_kg": float(one.received),
        "used_kg": float(one.used),
        "new_kg": float(one.left),
        "uncovered_kg": float(one.uncovered),
        "basis": one.basis,
    }


def _lot(lot: RolledLot) -> dict[str, object]:
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


def _order(one: CurrentOrder) -> dict[str, object]:
    order = one.order
    placed = None if order.ordered is None else str(order.ordered)
    named = {
        "order": order.id,
        "offer": order.offer,
        "place": order.place,
        "quantity": float(order.quantity),
        "substance": order.substance,
    }
    return {**named, "ordered": placed, "arrives": str(order.arrives)}


def _totals(rolled: RolledCase) -> doc.DataTable | None:
    called = material_names(rolled.gathered)
    columns = [
        doc.Column("Material"),
        doc.Column("At"),
        *map(doc.figures, ("Opening kg", "Received kg", "Used kg", "New kg")),
        doc.Column("Use"),
    ]
    rows = [
        (called[one.material], one.place, *map(_kg, (one.opening, one.received, one.used, one.left)), one.basis)
        for one in rolled.totals
        if one.opening or one.received or one.used
    ]
    return doc.table(columns, rows) if rows else None


def _lot_table(rolled: RolledCase) -> doc.DataTable | None:
    columns = [
        doc.Column("Lot"),
        doc.Column("Material"),
        *map(doc.figures, ("There or arrived kg", "Used kg", "Left kg")),
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
        (one.order.id, one.order.offer, _kg(one.order.quantity), one.order.ordered or "not stated", one.order.arrives)
        for one in sorted(rolled.open, key=lambda one: (one.order.arrives, one.order.id))
    ]
    return doc.table(columns, rows) if rows else None


def _carried_table(rolled: RolledCase) -> doc.DataTable | None:
    columns = [doc.Column("Limit"), doc.Column("Row"), *map(doc.figures, ("Used before", "Allowed before"))]
    rows = [(row.rule, row.row, _kg(row.used), _kg(row.allowed)) for row in rolled.carried.rows]
    return doc.table(columns, rows) if rows else None


def _kg(quantity: Decimal) -> str:
    """Return kilograms to the gram, so that the printed figures of a row sum correctly."""
    return f"{quantity.normalize():,f}"
