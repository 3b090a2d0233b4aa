"""From plan to purchase order and back: order sheets, open orders, and a case rolled forward to a later day."""

from .next_case import add_orders, write_next
from .roll import RolledCase, open_run, placed_lines, roll
from .sheet import order_sheet
from .summary import rolled_data, rolled_document

__all__ = [
    "RolledCase",
    "add_orders",
    "open_run",
    "order_sheet",
    "placed_lines",
    "roll",
    "rolled_data",
    "rolled_document",
    "write_next",
]
