"""Limits on the whole plan: shares, numbers of suppliers and places, churn, stock, budgets, pins, and deliveries."""

from __future__ import annotations

from ...base import Rule
from .amounts import Budget, Cover, MinDelivered, Pin, StockLevel
from .shares import Concentration, MaxChurn, MaxShare, MinShare
from .suppliers import MaxPlaces, MaxSuppliers, MinSuppliers, SingleSource

LIMITING: tuple[type[Rule], ...] = (
    MaxShare,
    MinShare,
    MinSuppliers,
    MaxSuppliers,
    SingleSource,
    MaxPlaces,
    MaxChurn,
    Cover,
    StockLevel,
    Budget,
    Pin,
    MinDelivered,
)

__all__ = [
    "LIMITING",
    "Budget",
    "Concentration",
    "Cover",
    "MaxChurn",
    "MaxPlaces",
    "MaxShare",
    "MaxSuppliers",
    "MinDelivered",
    "MinShare",
    "MinSuppliers",
    "Pin",
    "SingleSource",
    "StockLevel",
]
