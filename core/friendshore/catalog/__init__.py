"""Catalog folders -> Catalog records: tables, conversion to kilograms, checks, digest."""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from .folder import digest as digest, read_catalog as read_catalog
from .overlaps import (
    ambiguous as ambiguous,
    as_required as as_required,
    misfits as misfits,
    overridden as overridden,
    twins as twins,
    united as united,
)
from .review import nothings as nothings, review as review
from .several import (
    clashes as clashes,
    Once as Once,
    read_catalogs as read_catalogs,
)
from .sound import sound as sound, unfit as unfit
