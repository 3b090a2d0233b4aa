"""Customs origins that goods may have, as far as rules tell them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..domain.countries import country_names
from ..domain.use import Chained
from .base import Rule


def told_apart(rules: Iterable[Rule]) -> Sequence[str]:
    """Return one country for every group of countries that no rule charges differently."""
    kept: dict[tuple[bool, ...], str] = {}
    sets: list[frozenset[str]] = []
    for rule in rules:
        named = rule.charged_origins
        if named is None:
            return sorted(country_names())
        sets += named
    distinct = sorted(set(sets), key=sorted)
    for country in sorted(country_names()):
        kept.setdefault(tuple(country in some for some in distinct), country)
    return sorted(kept.values())


def possible_origins(offer: Chained, others: Sequence[str]) -> list[str]:
    """Return the customs origins for which an offer may be charged, in order.

    Where the list of countries of its last stage is not complete, any country may be the origin. An offer that records no stage at all
    is taken to originate where its facility is.

    Args:
        offer: the offer.
        others: countries that stand for all, by `told_apart`.
    """
    countries, _ = offer.origins
    return sorted({*countries, *others} if is_origin_unknown(offer) else countries)


def is_origin_unknown(offer: Chained) -> bool:
    """Return True if the recorded stages leave open in which country an offer was last worked."""
    return bool(offer.performed) and not offer.origins[1]
