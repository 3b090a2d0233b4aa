"""Case file -> Case, with every mistake at once."""

from .load import load_case
from .stated import changes_stated, stated_changes

__all__ = ["changes_stated", "load_case", "stated_changes"]
