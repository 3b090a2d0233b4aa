"""Catalogs: tables, conversion to kilograms, checks, and digest."""
# ruff: noqa: I001 - one import per module, and each name as itself, which makes it public

from .folder import digest as digest, load_catalog as load_catalog
from .known import sound as sound, unfit as unfit
from .review import nothings as nothings, review as review
from .several import (
    ambiguous as ambiguous,
    required_part as required_part,
    Clash as Clash,
    clash_error as clash_error,
    clashes as clashes,
    clashing as clashing,
    misfits as misfits,
    Once as Once,
    overridden as overridden,
    read_catalogs as read_catalogs,
    twins as twins,
    united as united,
)
