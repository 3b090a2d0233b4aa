"""Kinds that limit a plan as a whole: shares, numbers of suppliers and places, churn, stock, budgets, pins."""

from .churn import MaxChurn
from .concentration import Concentration
from .pins import Pin
from .shares import MaxShare, MinShare
from .spending import Budget
from .stocks import Cover, StockLevel
from .suppliers import MaxPlaces, MaxSuppliers, MinSuppliers, SingleSource

__all__ = [
    "Budget",
    "Concentration",
    "Cover",
    "MaxChurn",
    "MaxPlaces",
    "MaxShare",
    "MaxSuppliers",
    "MinShare",
    "MinSuppliers",
    "Pin",
    "SingleSource",
    "StockLevel",
]
