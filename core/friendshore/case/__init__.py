"""Cases: reading a case file as a `Case`, with all errors at once."""

from .change_text import parse_changes, parsed_changes
from .formats import CaseFormat
from .load import load_case

__all__ = ["CaseFormat", "load_case", "parse_changes", "parsed_changes"]
