"""A spreadsheet of anybody's own columns -> the tables of a catalog, by a map that says what each column is."""

from .read import BLOCKS, MAP, TEXT_OF, Map, read_map, required_by
from .rows import LeftOut, Mapped, mapped

__all__ = ["BLOCKS", "MAP", "TEXT_OF", "LeftOut", "Map", "Mapped", "mapped", "read_map", "required_by"]
