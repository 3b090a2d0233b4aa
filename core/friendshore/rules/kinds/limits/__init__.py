"""Kinds that limit a plan as a whole: shares, numbers of suppliers and places, budgets, pins."""

from .pins import Pin
from .shares import MaxShare, MinShare
from .spending import Budget
from .suppliers import MaxPlaces, MaxSuppliers, MinSuppliers, SingleSource

__all__ = ["Budget", "MaxPlaces", "MaxShare", "MaxSuppliers", "MinShare", "MinSuppliers", "Pin", "SingleSource"]
