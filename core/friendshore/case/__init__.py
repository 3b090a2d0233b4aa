"""Case file -> Case, with every mistake at once."""

from .load import load_case

__all__ = ["load_case"]
