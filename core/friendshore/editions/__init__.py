"""Two editions of the law or of data, and what changing from one to the other does to cases: `friendshore watch`."""

from .given import Edition, Editions, editions_of
from .records import CaseWatched, Flip, OfferChange, Watched
from .search import watch

__all__ = ["CaseWatched", "Edition", "Editions", "Flip", "OfferChange", "Watched", "editions_of", "watch"]
