"""Cases: reading a case file as a `Case`, with all errors at once."""

from .formats import CaseFormat
from .load import load_case
from .stated import parse_changes, parsed_changes

__all__ = ["CaseFormat", "parsed_changes", "load_case", "parse_changes"]
