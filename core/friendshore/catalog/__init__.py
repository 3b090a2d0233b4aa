"""Catalog folders -> Catalog records: tables, conversion to kilograms, checks, digest."""

from .aliases import ambiguous, as_required
from .folder import digest, read_catalog
from .overlaps import misfits, overridden, twins, united
from .review import nothings, review
from .several import CatalogFolder, clashes, ids_in, read_catalogs
from .sound import sound, unfit

__all__ = [
    "CatalogFolder",
    "ambiguous",
    "as_required",
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
