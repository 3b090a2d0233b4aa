"""A run, a check or a list, told: as text for a terminal and as JSON. Pure functions; nothing is printed or written here.

What is named here is loaded when it is first used: a list of plugins needs none of the rest.
"""

from ..lazy_exports import stated_names

__getattr__, __dir__, __all__ = stated_names(__name__, __file__)
