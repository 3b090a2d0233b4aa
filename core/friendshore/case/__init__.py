"""Case file -> Case, with every mistake at once."""

from .load import load_case
from .stated import stated_changes

__all__ = ["load_case", "stated_changes"]
