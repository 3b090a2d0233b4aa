"""Kinds that limit a plan as a whole: shares, numbers of suppliers, budgets, pins."""

from .shares import MaxShare, MinShare
from .spending import Budget, Pin
from .suppliers import MaxSuppliers, MinSuppliers

__all__ = ["Budget", "MaxShare", "MaxSuppliers", "MinShare", "MinSuppliers", "Pin"]
