"""Catalog folders -> Catalog records: tables, conversion to kilograms, checks, digest."""

from .folder import digest, read_catalog
from .overlaps import misfits, overridden, twins, united
from .review import nothings, review
from .several import CatalogFolder, clashes, ids_in, read_catalogs
from .sound import sound, unfit

__all__ = [
    "CatalogFolder",
    "clashes",
    "digest",
    "ids_in",
    "misfits",
    "nothings",
    "overridden",
    "read_catalog",
    "read_catalogs",
    "review",
    "sound",
    "twins",
    "unfit",
    "united",
]
