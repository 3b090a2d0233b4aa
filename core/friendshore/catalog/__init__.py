"""Catalogs: tables, conversion to kilograms, checks, and digest."""
# ruff: noqa: I001 - one import per module, and each name as itself, which makes it public

from .folder import digest as digest, load_catalog as load_catalog
from .known import validated_catalog as validated_catalog, catalog_contradictions as catalog_contradictions
from .review import suspicious_zeros as suspicious_zeros, review as review
from .several import (
    ambiguous as ambiguous,
    required_part as required_part,
    Clash as Clash,
    clash_error as clash_error,
    clashes as clashes,
    find_clashes as find_clashes,
    overlap_problems as overlap_problems,
    CatalogCache as CatalogCache,
    ignored_figures as ignored_figures,
    read_catalogs as read_catalogs,
    likely_duplicates as likely_duplicates,
    merge_facilities as merge_facilities,
)
