"""A spreadsheet of anybody's own columns -> the tables of a catalog, by a map that says what each column is."""

from .read import BLOCKS, MAP, TEXT_OF, required_by
from .rows import Mapped, mapped

__all__ = ["BLOCKS", "MAP", "TEXT_OF", "Mapped", "mapped", "required_by"]
