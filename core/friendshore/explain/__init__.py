"""Why the plan is as it is: what is short, what a ranked objective costs, what an unknown rule would forbid, what is kept out,
what each rule adds, when what is available.

What is named here is loaded when it is first used: records of answers need none of the rest.
"""

from ..lazy_exports import stated_names

__getattr__, __dir__, __all__ = stated_names(__name__, __file__)
