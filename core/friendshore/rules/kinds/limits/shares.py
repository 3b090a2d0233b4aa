"""Shares: no more than so much from anyone, at least so much from some, how much may move away from today's suppliers; and how much comes from whoever most comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from ....domain.base import grouped
from ....domain.facts import ChainEntry, Feed, Material, Place
from ....domain.stages import Stage
from ....domain.use import Chained
from ...base import Facts, IncumbentLine
from ...rows import Row, Rows, Term, lacking, one_by_one
from ..shared import Share, for_use, lands, listed
from .counting import NOUN, NOUNS, STRETCH, Belongs, ByCountries, Grouped, only, row_of


class _Shared(ByCountries):
    """A share of the demand, or of all that is bought."""

    share: Share
    """From 0 to 1, or like `65 %`."""
    of: Literal["demand", "purchases"] = "demand"
    """What it is a share of."""
    include_stock: bool = False
    """Whether stock in hand and orders already placed count as bought."""
    counts: Literal["bought", "used"] = "bought"
    """What is counted: `bought`: what is delivered in the time. `used`: what may be used in it. A cap then counts what is delivered and all stock
    that is carried into the time and may come from whom it caps, a floor what is delivered less all stock that is carried out, and both count stock
    in hand and orders already placed. Stock of several origins lies together, so that this is the most, or the least, that may be used of one
    origin: the limit is never met by buying early, and may be missed where another choice of what to use first would keep it."""

    may_count_orders: ClassVar[bool] = True

    @model_validator(mode="after")
    def _orders_are_bought(self) -> Self:
        if self.dated_by == "order" and (self.of == "demand" or self.include_stock):
            raise ValueError(
                'with `dated_by = "order"`, say `of = "purchases"` and leave out `include_stock`: demand and stock have no day of order'
            )
        return self

    @model_validator(mode="after")
    def _used_of_demand(self) -> Self:
        if self.counts == "used" and self.of != "demand":
            raise ValueError('with `counts = "used"`, say `of = "demand"`: what is used is a share of what is wanted')
        return self

    @property
    def _counts_stock(self) -> bool:
        """True if stock in hand and orders already placed count."""
        return self.include_stock or self.counts == "used"

    def share_rows(
        self, facts: Facts, sets: Callable[[Facts, str], Iterable[tuple[str, Belongs]]], cap: bool
    ) -> Iterator[Row | Rows]:
        """One row for every group, place if each is counted on its own, stretch, and set of purchases.

        `sets` gives for a group the purchases that are added up, by name. They may come to no more than the share, if it is a `cap`; else to no less.
        """
        for group, part in self.groups(facts):
            found = list(sets(part, group))
            for at in self.at_each(part):
                rows = self._rows(part, group, at, found, cap)
                if rows is not None and self.counts == "used":
                    yield from self._with_stock(part, group, at, rows, found, cap)
                elif rows is not None:
                    yield rows

    def _with_stock(
        self, facts: Facts, group: str, at: str, rows: Rows, sets: Sequence[tuple[str, Belongs]], cap: bool
    ) -> Iterator[Row]:
        """Yield the same rows with what is carried in, for a cap, or less what is carried out, for a floor.

        Nothing is wanted, and so nothing used, in a stretch without demand.
        """
        spans = dict(facts.spans(self.per))
        for number, row in enumerate(one_by_one(rows)):
            periods = spans[row.label.rpartition(" ")[2]]
            if self.demanded(facts, group, periods, at):
                turn = periods[0] if cap else periods[-1] + 1
                carried = self._carried(facts, group, at, sets[number % len(sets)][1], turn)
                signed = (replace(term, times=1.0 if cap else -1.0) for term in carried if not term.is_empty)
                yield replace(row, terms=(*row.terms, *signed))

    def _carried(self, facts: Facts, group: str, at: str, belongs: Belongs, period: int) -> Sequence[Term]:
        """Return what a period begins with that may come from some: all stock, and all that is made of what came before.

        Nothing can come from those from whom nothing can have been bought.
        """
        bought = facts.purchases(stock=True)
        counted = self.counted(facts, group, surely=False, at=at)
        if not any(belongs(offer) and counted(offer, place) for offer, place in bought):
            return ()
        ending = {(o.material.id, place.id) for o, place in bought if self.ends_here(facts, o, place, surely=False)}

        def held(material: Material, place: Place) -> Decimal:
            here = (material.id, place.id) in ending and at in ("", place.id) and self.is_at(place)
            return self.contained(material) if here and self.group(material) == group else Decimal(0)

        def making(offer: Chained, place: Place) -> Decimal:
            return Decimal(0) if self.takes_part(offer) else held(offer.material, place)

        return facts.carried_in(held, making, period, only(self.end_uses, surely=False))

    def _rows(self, facts: Facts, group: str, at: str, sets: Sequence[tuple[str, Belongs]], cap: bool) -> Rows | None:
        """Return the rows of a group at a place, if there are any.

        A share of no demand is nothing: a cap then admits nothing, and a floor asks for nothing.
        """
        stretches = [(label, periods, Decimal(0)) for label, periods in facts.spans(self.per)]
        counts = self._counts(facts, group, at, [belongs for _, belongs in sets], cap)
        if self.of == "demand":
            wanted = [(label, periods, self.demanded(facts, group, periods, at)) for label, periods, _ in stretches]
            capped = cap and any(map(any, counts))
            stretches = [(label, periods, self.share * base) for label, periods, base in wanted if base or capped]
        if not stretches:
            return None
        bounds = [bound for _, _, bound in stretches for _ in sets]
        names = [" ".join(word for word in (group, who, at) if word) for who, _ in sets]
        return Rows(
            labels=[f"{name} {label}" for label, _, _ in stretches for name in names],
            bought=facts.bought_in_each(
                counts,
                [periods for _, periods, _ in stretches],
                self._counts_stock,
                only(self.end_uses, surely=not cap),
            ),
            at_least=None if cap else bounds,
            at_most=bounds if cap else None,
            sentence=self.sentence(),
            penalty=self.penalty,
            reads=self.reads(facts),
        )

    def _counts(self, facts: Facts, group: str, at: str, sets: Sequence[Belongs], cap: bool) -> list[list[float]]:
        """What a kilogram of every purchase counts in each row: less the share, where that is of all purchases."""
        everything = self.counted(facts, group, surely=not cap, at=at)
        purchases = facts.purchases(self._counts_stock)
        known: dict[tuple[Decimal, bool], tuple[float, float]] = {}
        each = []
        for offer, place in purchases:
            key = everything(offer, place), self.selected(offer)
            if key not in known:
                known[key] = self._inside_and_outside(*key)
            each.append((offer, *known[key]))
        return [[inside if belongs(offer) else outside for offer, inside, outside in each] for belongs in sets]

    def _inside_and_outside(self, whole: Decimal, selected: bool) -> tuple[float, float]:
        """What a kilogram of a purchase counts in a row that it belongs to, and in one that it does not."""
        less = self.share * whole if self.of == "purchases" else Decimal(0)
        return float(whole - less if selected else -less), float(-less)

    def base(self) -> str:
        """What it is a share of, in words."""
        here = f" in {lands(self.places, 'or')}" if self.places else ""
        what = f"the demand{here} for" if self.of == "demand" else f"all purchases{here} of"
        each = f"{self.by_group()}{self.where_and_when()}"
        return f"{(self.share * 100).normalize():f} % of {what} {self.subject()}{for_use(self.end_uses)}, {each}"


class MaxShare(_Shared):
    """No more than a share from anyone. A kilogram counts for everyone it may come from; for all, where that is not known."""

    model_config = {"json_schema_extra": {"examples": [{"stage": "mined", "share": "65 %"}]}}

    kind: Literal["max-share"] = "max-share"
    each: bool = True
    """Whether everyone has the cap to themselves; false: all named together."""

    @model_validator(mode="after")
    def _together_names(self) -> MaxShare:
        if not self.each and not (self.countries or self.except_countries or self.narrowed):
            raise ValueError(
                "with `each = false`, say whose purchases are counted together: countries, except_countries, suppliers, "
                "parents, facilities, offers or inputs"
            )
        return self

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        return self.share_rows(facts, self._capped, cap=True)

    def _capped(self, facts: Facts, group: str) -> list[tuple[str, Belongs]]:
        """Who is capped, under which name."""
        if self.each:
            return self.each_of(facts, group)
        names = self.about(sorted(self.named() | frozenset(self.everyone(facts, group))))
        return [("together", self.may_be_of(frozenset(names), {}))]

    def sentence(self) -> str:
        whom, base = f"{self.whom()}{self.from_whom()}", self.base()
        done = f"have {self.stage.value}" if self.stage is not None else "supply"
        if self.each:
            return f"No {NOUN[self.by]}{whom} may {done} more than {base}{self._counting()}."
        return f"Not even all {NOUNS[self.by]}{whom} together may {done} more than {base}{self._counting()}."

    def _counting(self) -> str:
        """What is counted, in words, where it is not what is bought."""
        return ", counting what is bought and all stock carried in" if self.counts == "used" else ""


class MinShare(_Shared):
    """At least a share from some. A kilogram counts only if all it may come from qualify."""

    model_config = {"json_schema_extra": {"examples": [{"countries": ["AU"], "share": "20 %"}]}}

    kind: Literal["min-share"] = "min-share"
    feed: Feed | None = None
    """Feed that qualifies: all that is recorded of the stage, or of the first stage where the rule names none. Of recycled feed at the
    stage `mined` the countries are those in which the scrap was collected."""
    each: bool = False
    """Whether each of the countries (blocs, suppliers, parents, sites) named must have the share; false: all together."""

    @model_validator(mode="after")
    def _names_something(self) -> MinShare:
        if not (self.countries or self.except_countries or self.narrowed or self.feed):
            raise ValueError(
                "say what qualifies: countries, except_countries, suppliers, parents, facilities, offers, inputs or feed"
            )
        if self.each and not self._each_named():
            raise ValueError(f"with `each = true`, name the {NOUNS[self.by]} that must each have the share")
        return self

    def _each_named(self) -> list[str]:
        """Those who must each have the share."""
        lists = {"supplier": self.suppliers, "parent": self.parents, "facility": self.facilities}
        return self.about(sorted(lists.get(self.by, self.named())))

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        return self.share_rows(facts, self._qualifying, cap=False)

    def _qualifying(self, _facts: Facts, _group: str) -> list[tuple[str, Belongs]]:
        if not self.each:
            return [("", self._qualifies)]
        return [(name, self._surely_of(name)) for name in self._each_named()]

    def _surely_of(self, name: str) -> Belongs:
        return lambda offer: self.may_be(offer) == (frozenset({name}), True) and self._qualifies(offer)

    def _qualifies(self, offer: Chained) -> bool:
        names, complete = self.may_be(offer)
        named = self.countries or self.except_countries
        at_home = not named or (complete and self.about(sorted(names)) == sorted(names))
        return at_home and (self.feed is None or self._fed_by(offer, self.feed))

    def done(self, offer: Chained, stage: Stage) -> Sequence[ChainEntry]:
        """Return what an offer does of a stage. For recycled feed, collecting scrap counts as mining."""
        entries = [entry for entry in offer.performed if entry.main_stage is stage]
        return entries if self.feed is Feed.RECYCLED else offer.entries(stage)

    def _fed_by(self, offer: Chained, feed: Feed) -> bool:
        """Return True if all the feed of the stage (without one, of the first stage recorded) is of this sort."""
        first = min((entry.main_stage for entry in offer.performed), key=lambda stage: stage.rank, default=None)
        stage = self.stage if self.stage is not None else first
        entries = offer.entries(stage) if stage is not None else ()
        return bool(entries) and all(entry.feed is feed for entry in entries)

    def sentence(self) -> str:
        parts = [
            f"{lands(self.countries, 'or')}" if self.countries else "",
            f"countries other than {lands(self.except_countries, 'or')}" if self.except_countries else "",
            *(listed(names, "or") for names in (self.suppliers, self.parents, self.facilities, self.offers)),
            f"makers of it from {listed(self.inputs, 'or')}" if self.inputs else "",
            f"{self.feed.value} feed" if self.feed else "",
        ]
        who = " and ".join(part for part in parts if part)
        done = f"be {self.stage.value} in" if self.stage is not None and not self.feed else "come from"
        counting = ", counting what is bought less all stock carried out" if self.counts == "used" else ""
        return f"At least {self.base()}, must {done} {'each of ' if self.each else ''}{who}{counting}."


class Concentration(ByCountries):
    """Kilograms from the largest, counted as a cap on a share counts them.

    A kilogram counts for everyone it may come from, and for all where that is not known.
    """

    kind: Literal["concentration"] = "concentration"

    def largest(self, facts: Facts) -> Iterator[Row]:
        """For every group and stretch a row without bounds: the kilograms from whoever most is bought from."""
        for group, part in self.groups(facts):
            everything = self.counted(part, group, surely=False)
            everyone = [belongs for _, belongs in self.each_of(part, group)]
            stretches = part.spans(self.per)
            whole = [(offer, float(everything(offer, place))) for offer, place in part.purchases()]
            counts = [[kg if belongs(offer) else 0.0 for offer, kg in whole] for belongs in everyone]
            bought = part.bought_in_each(counts, [periods for _, periods in stretches])
            for number, (label, _) in enumerate(stretches):
                found = [bought[number * len(counts) + i] for i in range(len(counts))]
                shares = [(Decimal(0), replace(term, times=-1.0)) for term in found if not term.is_empty]
                if shares:
                    yield Row(f"{group} {label}", (lacking(*shares),), reads=self.reads(part))

    def sentence(self) -> str:
        what = f" of {self.subject()}" if self.selects else ""
        who = f"the {NOUN[self.by]} that most comes from"
        where = f", where it is {self.stage.value}" if self.stage is not None else ""
        return f"kilograms bought{what} from {who}{where}, {self.by_group()}, {STRETCH[self.per]}"


class MaxChurn(Grouped):
    """No more than a share of what is bought today may move away from those it is bought from.

    What an incumbent loses is what today's rate comes to, less what orders already placed bring and what is bought from it,
    and never less than nothing: what one incumbent gains makes up for no other's loss. An incumbent that is not offered any
    more loses all.
    """

    model_config = {"json_schema_extra": {"examples": [{"share": "50 %"}]}}

    kind: Literal["max-churn"] = "max-churn"
    share: Share
    """Of all that is bought today, from 0 to 1, or like `20 %`."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        known = {material.id for material in facts.materials}
        members = grouped((self.group(line.material), line) for line in facts.incumbents if line.material.id in known)
        for group, lines in sorted((group, lines) for group, lines in members.items() if group):
            part = facts.about({line.material.id for line in lines})
            for label, periods in facts.spans(self.per):
                today = sum((self._kilograms(line, line.quantity, periods) for line in lines), Decimal(0))
                lost = tuple(self._lost(part, line, periods) for line in lines)
                yield row_of(self, f"{group} {label}", lost, at_most=self.share * today)

    def _kilograms(self, line: IncumbentLine, by_period: Sequence[Decimal], periods: Sequence[int]) -> Decimal:
        return self.contained(line.material) * sum((by_period[t] for t in periods), Decimal(0))

    def _lost(self, facts: Facts, line: IncumbentLine, periods: Sequence[int]) -> Term:
        """What an incumbent loses over some periods."""
        placed = self._kilograms(line, line.placed, periods)
        base = self._kilograms(line, line.quantity, periods) - placed
        return lacking((base, facts.bought(self._of(line), periods)))

    def _of(self, line: IncumbentLine) -> Callable[[Chained, Place], Decimal]:
        def count(offer: Chained, _place: Place) -> Decimal:
            same = (offer.offer.id, offer.material.id) == (line.offer, line.material.id)
            return self.contained(line.material) if same else Decimal(0)

        return count

    def sentence(self) -> str:
        share = f"{(self.share * 100).normalize():f} %"
        what = f"what is bought today of {self.subject()}, {self.by_group()}"
        return f"No more than {share} of {what}, {STRETCH[self.per]}, may move away from those it is bought from."
