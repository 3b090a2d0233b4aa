"""Why the plan is as it is: what is short, what an unknown rule would forbid, what is kept out and by which clause."""

from .exposed import Exposed, exposed
from .kept_out import KeptOut, kept_out
from .shortages import Reason, shortage_reasons

__all__ = ["Exposed", "KeptOut", "Reason", "exposed", "kept_out", "shortage_reasons"]
