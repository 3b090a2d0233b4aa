"""Shares: no more than so much from anyone, at least so much from some."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import model_validator

from ....domain.facts import Feed, Place
from ....domain.use import Chained
from ...base import Facts
from ...rows import Row
from ..shared import lands, listed
from .amounts import Share
from .counting import ByCountries, Count, read_by


class _Shared(ByCountries):
    """A share of the demand, or of all that is bought."""

    share: Share
    """From 0 to 1, or like `65 %`."""
    of: Literal["demand", "purchases"] = "demand"
    """What it is a share of."""
    include_stock: bool = False
    """Whether stock in hand and orders already placed count as bought."""

    def row(
        self, facts: Facts, group: str, label: str, periods: tuple[int, ...], counts: Count, cap: bool
    ) -> Row | None:
        """The row for those purchases that `counts` counts; None if there is nothing to take a share of."""
        everything = self.counted(facts, group, surely=not cap)
        base = self.demanded(facts, group, periods)
        if self.of == "demand" and not base:
            return None

        def count(offer: Chained, place: Place) -> Decimal:
            own = counts(offer, place)
            return own - self.share * everything(offer, place) if self.of == "purchases" else own

        bound = self.share * base if self.of == "demand" else Decimal(0)
        return Row(
            label=label,
            terms=(facts.bought(count, periods, self.include_stock),),
            at_least=None if cap else bound,
            at_most=bound if cap else None,
            sentence=self.sentence(),
            penalty=self.penalty,
            reads=read_by(facts),
        )

    def base(self) -> str:
        """What it is a share of, in words."""
        here = f" in {lands(self.places, 'or')}" if self.places else ""
        what = f"the demand{here} for" if self.of == "demand" else f"all purchases{here} of"
        each = "in contained element, element by element" if self.grouping == "element" else "material by material"
        stretch = {"period": "in every period", "year": "in every year", "horizon": "over the plan"}[self.per]
        return f"{(self.share * 100).normalize():f} % of {what} {self.subject()}, {each}, {stretch}"


class MaxShare(_Shared):
    """No more than a share from anyone. A kilogram counts for everyone it may come from; for all, where that is not known."""

    kind: Literal["max-share"] = "max-share"
    each: bool = True
    """Whether everyone has the cap to themselves; false: all named together."""

    @model_validator(mode="after")
    def _together_names(self) -> MaxShare:
        if not self.each and self.by == "country" and not self.countries and not self.except_countries:
            raise ValueError("with `each = false`, say which `countries` (or `except_countries`) are counted together")
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group, stretch, and everyone who may be bought from."""
        for group, part in self.groups(facts):
            sets = self._capped(part, group)
            for label, periods in facts.spans(self.per):
                for who, capped in sets:
                    row = self.row(
                        part, group, f"{group} {who} {label}", periods, self._from(part, group, capped), cap=True
                    )
                    if row is not None:
                        yield row

    def _capped(self, facts: Facts, group: str) -> list[tuple[str, frozenset[str]]]:
        """Who is capped, under which name: everyone named or listed, and whoever an incomplete list may hide."""
        named = self.countries if self.by == "country" else frozenset()
        names = self.about(sorted(named | frozenset(self.everyone(facts, group))))
        if not self.each:
            return [("together", frozenset(names))]
        hidden = not named and any(
            self.group(offer.material) == group and self.takes_part(offer) and not self.may_be(offer)[1]
            for offer in facts.offers
        )
        unknown = [("unknown", frozenset[str]())] if hidden else []
        return [(name, frozenset({name})) for name in names] + unknown

    def _from(self, facts: Facts, group: str, capped: frozenset[str]) -> Count:
        everything = self.counted(facts, group, surely=False)

        def count(offer: Chained, place: Place) -> Decimal:
            names, complete = self.may_be(offer)
            return everything(offer, place) if names & capped or not complete else Decimal(0)

        return count

    def sentence(self) -> str:
        """The cap in one sentence."""
        noun = {"country": "country", "supplier": "supplier", "parent": "parent company", "facility": "site"}[self.by]
        named = f" of {lands(self.countries, 'or')}" if self.countries else ""
        other = f" other than {lands(self.except_countries, 'or')}" if self.except_countries else ""
        who = f"No {noun}{named}{other}" if self.each else f"Not even all {noun}s{named}{other} together"
        done = f"have {self.stage.value}" if self.stage is not None else "supply"
        return f"{who} may {done} more than {self.base()}."


class MinShare(_Shared):
    """At least a share from some. A kilogram counts only if all it may come from qualify."""

    kind: Literal["min-share"] = "min-share"
    suppliers: tuple[str, ...] = ()
    """Companies that qualify."""
    facilities: tuple[str, ...] = ()
    """Sites that qualify, by id."""
    feed: Feed | None = None
    """Feed that qualifies: all that is recorded of the stage, or of the first stage where the rule names none."""

    @model_validator(mode="after")
    def _names_something(self) -> MinShare:
        if not (self.countries or self.except_countries or self.suppliers or self.facilities or self.feed):
            raise ValueError("say what qualifies: countries, except_countries, suppliers, facilities or feed")
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group and stretch."""
        for group, part in self.groups(facts):
            for label, periods in facts.spans(self.per):
                row = self.row(part, group, f"{group} {label}", periods, self._qualifying(part, group), cap=False)
                if row is not None:
                    yield row

    def _qualifying(self, facts: Facts, group: str) -> Count:
        everything = self.counted(facts, group, surely=True)

        def count(offer: Chained, place: Place) -> Decimal:
            return everything(offer, place) if self._qualifies(offer) else Decimal(0)

        return count

    def _qualifies(self, offer: Chained) -> bool:
        names, complete = self.may_be(offer)
        tests = [
            not (self.countries or self.except_countries) or (complete and self.about(sorted(names)) == sorted(names)),
            not self.suppliers or offer.facility.supplier in self.suppliers,
            not self.facilities or offer.facility.id in self.facilities,
            self.feed is None or self._fed_by(offer, self.feed),
        ]
        return all(tests)

    def _fed_by(self, offer: Chained, feed: Feed) -> bool:
        """Whether all the feed of the stage (without one, of the first stage recorded) is of this sort."""
        first = min((entry.main_stage for entry in offer.performed), key=lambda stage: stage.rank, default=None)
        stage = self.stage if self.stage is not None else first
        entries = offer.entries(stage) if stage is not None else ()
        return bool(entries) and all(entry.feed is feed for entry in entries)

    def sentence(self) -> str:
        """The floor in one sentence."""
        parts = [
            f"{lands(self.countries, 'or')}" if self.countries else "",
            f"countries other than {lands(self.except_countries, 'or')}" if self.except_countries else "",
            listed(self.suppliers, "or"),
            listed(self.facilities, "or"),
            f"{self.feed.value} feed" if self.feed else "",
        ]
        who = " and ".join(part for part in parts if part)
        done = f"be {self.stage.value} in" if self.stage is not None and not self.feed else "come from"
        return f"At least {self.base()}, must {done} {who}."
