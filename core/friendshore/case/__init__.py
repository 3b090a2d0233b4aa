"""Case file -> Case, with every mistake at once; and its masses in the materials' bases."""

from .bases import in_basis
from .load import load_case

__all__ = ["in_basis", "load_case"]
