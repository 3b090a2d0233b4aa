"""What may happen to a case: events, how likely each is, and what it changes."""

from .records import Event as Event
from .records import RiskSettings as RiskSettings
