"""Cases: reading a case file as a `Case`, with all errors at once."""

from .formats import CaseFormat
from .load import load_case
from .stated import changes_stated, stated_changes

__all__ = ["CaseFormat", "changes_stated", "load_case", "stated_changes"]
