"""Prices that are older than the case allows are refused under `--strict`, before anything is solved; rule packs that are, told."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from ..document.figures import count
from ..domain.base import grouped
from ..domain.time import today
from ..domain.used import PriceDate, aged
from ..errors import Diagnostic, InputError
from ..problem.inputs import Applied, Inputs
from ..problem.merged import Merged
from ..problem.prices import PriceDates
from ..rules.pack import RulePack

_NAMED = 3
"""Offers of one price that are told; all are in what `check --json` prints."""
_NEWER = "bring a newer price to the catalog, state one in [[assume.offer]], allow older ones, or plan without --strict"


def refuse_old_prices(inputs: Inputs, applied: Applied, day: datetime.date | None = None) -> None:
    """Says no to facts, after what is applied to them, some of whose prices are older on a day (None: today) than the case allows; nothing without `strict` or a limit.

    Raises:
        InputError: with every such price at which something that is wanted may be bought.
        PluginError: if a plugin's rule raises.
    """
    limit = inputs.case.accept.oldest_price_days
    if limit is None or not applied.strict:
        return
    now = today() if day is None else day
    problem = inputs.problem()
    old = [one for one in PriceDates(problem).all() if one.is_older(limit, now)]
    if old:
        raise InputError(inputs.where(list(_told(old, limit, now, problem.merged))))


def _told(old: list[PriceDate], limit: int, now: datetime.date, merged: Merged) -> Iterator[Diagnostic]:
    """One mistake for every benchmark, price or freight, with the offers that go by it."""
    for one, offers in grouped((one.but(offer="", material=""), one.offer) for one in old).items():
        names = [f"`{name}`" for name in dict.fromkeys(offers)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        followed = one.of == "price" and merged.prices.get(one.given_by)
        source = followed[0].source if followed else one.given_by
        ahead = one.to_come(now) is not None
        yield Diagnostic(
            f"the {one.of} of {', '.join(names[:_NAMED])}{more} is {'of a day to come' if ahead else 'older than the case allows'}: {one.dated(now)}",
            file=f"catalog {source.partition(':')[0]}" if source in merged.sources else "",
            column="lanes.freight" if one.of == "freight" else "prices.date" if followed else "sources.date",
            found=f"`{offers[0] if one.of == 'freight' else one.given_by.rpartition(':')[2]}`",
            expected=f"{'a day that has been, ' if ahead else ''}at most {count(limit, 'day')} old on {now}, by `oldest_price` of [accept]",
            fix="write down on which day it was looked at" if ahead else _NEWER,
        )


def doubts(packs: Iterable[RulePack]) -> Iterator[Diagnostic]:
    """Rule packs that are older today than the case allows."""
    day = today()
    for pack in packs:
        if pack.good_until is not None and pack.good_until < day:
            expected = f"one that is good on {day}: this was until {pack.good_until}"
            fix = "fetch it once more, and say of which day it is"
            message = f"`{pack.id}` is older than the case allows"
            yield Diagnostic(message, found=aged(pack.as_of, day), expected=expected, fix=fix)
