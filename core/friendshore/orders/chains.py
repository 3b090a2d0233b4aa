"""Offers whose chain is not the one that goods were bought by.

Received stock and open orders are judged by the chain of their offer in the catalog of today. A supplier that now mines elsewhere would
give goods that were bought before another origin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..domain.facts import Catalog, ChainEntry, Offer
from ..errors import Diagnostic


def other_chains(names: Collection[str], then: Iterable[Catalog], now: Iterable[Catalog]) -> Iterator[Diagnostic]:
    """Yield a problem for each offer whose chain contradicts the one of the run; more proof of the same chain is none.

    Args:
        names: Offers that goods were bought from.
        then: Catalogs that the run was planned with.
        now: Catalogs of today.
    """
    before, after = dict(_offers(then)), _offers(now)
    aliases = {
        alias.old: alias.new for catalog in now for alias in catalog.aliases if alias.of == "offer" and alias.new
    }
    renamed = {name: _name_of_today(name, aliases) for name in {*names, *before}}
    for old, new in renamed.items():
        if old in before and new != old:
            before[new] = before.pop(old)
    for name in sorted({renamed[name] for name in names}):
        if name not in after or name not in before:
            continue  # the case refuses an offer that is gone; one that the run didn't know was added since
        for stage in _contradicted(before[name].chain, after[name].chain):
            fix = "give the new chain an offer of its own, and leave the old offer to what was bought from it"
            message = f"offer `{name}` says where it is {stage} otherwise than when goods were bought from it, so they would change their origin"
            found, expected = _countries(after[name].chain, stage), _countries(before[name].chain, stage)
            yield Diagnostic(message, f"catalog {after[name].catalog}", None, "chain", found, expected, fix)


def _name_of_today(name: str, aliases: Mapping[str, str]) -> str:
    """Return the id that an offer has now, if it was renamed."""
    seen = {name}
    while name in aliases and aliases[name] not in seen:
        name = aliases[name]
        seen.add(name)
    return name


def _offers(catalogs: Iterable[Catalog]) -> Mapping[str, Offer]:
    return {offer.id: offer for catalog in catalogs for offer in catalog.offers}


def _contradicted(before: Sequence[ChainEntry], after: Sequence[ChainEntry]) -> Iterator[str]:
    """Yield the stages for which the new chain contradicts the old one."""
    for stage in dict.fromkeys(entry.stage for entry in before):
        old, new = ([entry for entry in chain if entry.stage == stage] for chain in (before, after))
        old_countries, new_countries = (frozenset().union(*(entry.countries for entry in some)) for some in (old, new))
        old_complete, new_complete = (bool(some) and all(entry.complete for entry in some) for some in (old, new))
        feeds = {entry.feed for entry in old} == {entry.feed for entry in new}
        if (
            not new
            or not feeds
            or old_complete
            and (new_countries != old_countries or not new_complete)
            or new_complete
            and not old_countries <= new_countries
        ):
            yield stage


def _countries(chain: Sequence[ChainEntry], stage: str) -> str:
    entries = [entry for entry in chain if entry.stage == stage]
    countries = sorted(frozenset().union(*(entry.countries for entry in entries)))
    return (
        f"{';'.join(countries) or 'no country'}{'' if all(entry.complete for entry in entries) else ', perhaps others'}"
        if entries
        else "nothing"
    )
