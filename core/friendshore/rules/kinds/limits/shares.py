"""Shares: at most a share per seller, at least a share from some, churn of today's suppliers, and concentration."""

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
from ...rows import Row, Rows, Term, lacking, single_rows
from ..shared import Share, country_list, for_use, listed
from .counting import NOUN, NOUNS, STRETCH, Belongs, ByCountries, Grouped, end_use_filter, row_of


class _Shared(ByCountries):
    """A share of the demand, or of all purchases."""

    share: Share
    """From 0 to 1, or like `65%`."""
    of: Literal["demand", "purchases"] = "demand"
    """Base of the share."""
    include_stock: bool = False
    """True if stock on hand and orders already placed count as purchases."""
    counts: Literal["bought", "used"] = "bought"
    """Counted quantity. `bought`: deliveries in the period. `used`: quantities that may be used in it. A cap then counts deliveries and all stock
    carried in that may come from the capped seller; a minimum counts deliveries less all stock carried out. Both count stock on hand and orders
    already placed. Stock of several origins lies together, so this is the largest, or smallest, use of one origin: buying early never
    satisfies the limit, and the plan may be stricter than a particular order of use would need."""

    may_count_orders: ClassVar[bool] = True

    @model_validator(mode="after")
    def _check_order_dates(self) -> Self:
        if self.dated_by == "order" and (self.of == "demand" or self.include_stock):
            raise ValueError(
                '`dated_by = "order"` requires `of = "purchases"` without `include_stock`, since demand and stock have no order date'
            )
        return self

    @model_validator(mode="after")
    def _check_used(self) -> Self:
        if self.counts == "used" and self.of != "demand":
            raise ValueError('`counts = "used"` requires `of = "demand"`, since use is a share of the demand')
        return self

    @property
    def _counts_stock(self) -> bool:
        return self.include_stock or self.counts == "used"

    def share_rows(
        self, facts: Facts, sets: Callable[[Facts, str], Iterable[tuple[str, Belongs]]], cap: bool
    ) -> Iterator[Row | Rows]:
        """Yield one row for every group, place (if each counts separately), stretch, and set of offers. `cap` is True for a maximum of each set."""
        for group, part in self.groups(facts):
            named_sets = list(sets(part, group))
            for at in self.separate_places(part):
                rows = self._rows(part, group, at, named_sets, cap)
                if rows is not None and self.counts == "used":
                    yield from self._with_stock(part, group, at, rows, named_sets, cap)
                elif rows is not None:
                    yield rows

    def _with_stock(
        self, facts: Facts, group: str, at: str, rows: Rows, sets: Sequence[tuple[str, Belongs]], cap: bool
    ) -> Iterator[Row]:
        """Yield the rows with the stock carried in, for a cap, or less the stock carried out, for a minimum. Without demand there is no use, and no row."""
        spans = dict(facts.spans(self.per))
        for number, row in enumerate(single_rows(rows)):
            periods = spans[row.label.rpartition(" ")[2]]
            if self.demanded(facts, group, periods, at):
                boundary = periods[0] if cap else periods[-1] + 1
                carried = self._carried(facts, group, at, sets[number % len(sets)][1], boundary)
                signed = (replace(term, times=1.0 if cap else -1.0) for term in carried if not term.is_empty)
                yield replace(row, terms=(*row.terms, *signed))

    def _carried(self, facts: Facts, group: str, at: str, belongs: Belongs, period: int) -> Sequence[Term]:
        """Return the terms of stock at a period's start that may come from some offers: all stock, and everything made from earlier purchases of theirs."""
        bought = facts.purchases(stock=True)
        counted = self.counted(facts, group, surely=False, at=at)
        if not any(belongs(offer) and counted(offer, place) for offer, place in bought):
            return ()
        ending = {(o.material.id, place.id) for o, place in bought if self.ends_here(facts, o, place, surely=False)}

        def stock_weight(material: Material, place: Place) -> Decimal:
            here = (material.id, place.id) in ending and at in ("", place.id) and self.is_at(place)
            return self.contained(material) if here and self.group(material) == group else Decimal(0)

        def purchase_weight(offer: Chained, place: Place) -> Decimal:
            return Decimal(0) if self.takes_part(offer) else stock_weight(offer.material, place)

        return facts.carried_in(stock_weight, purchase_weight, period, end_use_filter(self.end_uses, surely=False))

    def _rows(self, facts: Facts, group: str, at: str, sets: Sequence[tuple[str, Belongs]], cap: bool) -> Rows | None:
        """Return the rows of a group at a place, if any. A share of no demand is zero: a cap then allows nothing, and a minimum requires nothing."""
        stretches = [(label, periods, Decimal(0)) for label, periods in facts.spans(self.per)]
        counts = self._counts(facts, group, at, [belongs for _, belongs in sets], cap)
        if self.of == "demand":
            demanded = [(label, periods, self.demanded(facts, group, periods, at)) for label, periods, _ in stretches]
            capped = cap and any(map(any, counts))
            stretches = [(label, periods, self.share * base) for label, periods, base in demanded if base or capped]
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
                end_use_filter(self.end_uses, surely=not cap),
            ),
            at_least=None if cap else bounds,
            at_most=bounds if cap else None,
            sentence=self.sentence(),
            penalty=self.penalty,
            reads=self.reads(facts),
        )

    def _counts(self, facts: Facts, group: str, at: str, sets: Sequence[Belongs], cap: bool) -> list[list[float]]:
        """Return the weight of a kilogram of every purchase in each row, less the share if its base is all purchases."""
        weight = self.counted(facts, group, surely=not cap, at=at)
        purchases = facts.purchases(self._counts_stock)
        weights_by_key: dict[tuple[Decimal, bool], tuple[float, float]] = {}
        purchase_weights = []
        for offer, place in purchases:
            key = weight(offer, place), self.selected(offer)
            if key not in weights_by_key:
                weights_by_key[key] = self._inside_and_outside(*key)
            purchase_weights.append((offer, *weights_by_key[key]))
        return [
            [inside if inside != outside and belongs(offer) else outside for offer, inside, outside in purchase_weights]
            for belongs in sets
        ]

    def _inside_and_outside(self, whole: Decimal, selected: bool) -> tuple[float, float]:
        """Return the weight of a kilogram in a row that its purchase belongs to, and in any other row."""
        base_weight = self.share * whole if self.of == "purchases" else Decimal(0)
        return float(whole - base_weight if selected else -base_weight), float(-base_weight)

    def base_text(self) -> str:
        here = f" in {country_list(self.places, 'or')}" if self.places else ""
        what = f"the demand{here} for" if self.of == "demand" else f"all purchases{here} of"
        each = f"{self.grouping_text()}{self.place_and_time_text()}"
        return f"{(self.share * 100).normalize():f}% of {what} {self.subject()}{for_use(self.end_uses)}, {each}"


class MaxShare(_Shared):
    """At most a share per seller. A kilogram counts for every seller that it may come from, and for all if that is unknown."""

    model_config = {"json_schema_extra": {"examples": [{"stage": "mined", "share": "65%"}]}}

    kind: Literal["max-share"] = "max-share"
    each: bool = True
    """True if the cap applies to each separately, false if to all named together."""

    @model_validator(mode="after")
    def _check_together(self) -> MaxShare:
        if not self.each and not (self.countries or self.except_countries or self.selects_sellers):
            raise ValueError(
                "`each = false` requires a list of the sellers that count together: countries, except_countries, suppliers, "
                "parents, facilities, offers, or inputs"
            )
        return self

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        return self.share_rows(facts, self._capped_sets, cap=True)

    def _capped_sets(self, facts: Facts, group: str) -> list[tuple[str, Belongs]]:
        if self.each:
            return self.sets_by_entity(facts, group)
        names = self.about(sorted(self.named_entities() | frozenset(self.entities(facts, group))))
        return [("together", self.may_count_for(frozenset(names), {}))]

    def sentence(self) -> str:
        whom, base = f"{self.countries_text()}{self.sellers_text()}", self.base_text()
        done = f"have {self.stage.value}" if self.stage is not None else "supply"
        if self.each:
            return f"No {NOUN[self.by]}{whom} may {done} more than {base}{self._counting()}."
        return f"All {NOUNS[self.by]}{whom} together may {done} no more than {base}{self._counting()}."

    def _counting(self) -> str:
        return ", counting purchases and all stock carried in" if self.counts == "used" else ""


class MinShare(_Shared):
    """At least a share from some. A kilogram counts only if everyone that it may come from qualifies."""

    model_config = {"json_schema_extra": {"examples": [{"countries": ["AU"], "share": "20%"}]}}

    kind: Literal["min-share"] = "min-share"
    feed: Feed | None = None
    """Qualifying feed of the stage, or of the first recorded stage if the rule names none. With recycled feed at the stage `mined`, the countries are those where the scrap was collected."""
    each: bool = False
    """True if each of the named countries (blocs, suppliers, parents, sites) needs the share, false if all together do."""

    @model_validator(mode="after")
    def _check_selection(self) -> MinShare:
        if not (self.countries or self.except_countries or self.selects_sellers or self.feed):
            raise ValueError(
                "list what qualifies: countries, except_countries, suppliers, parents, facilities, offers, inputs, or feed"
            )
        if self.each and not self._each_named():
            raise ValueError(f"`each = true` requires a list of the {NOUNS[self.by]} that must each have the share")
        return self

    def _each_named(self) -> list[str]:
        lists = {"supplier": self.suppliers, "parent": self.parents, "facility": self.facilities}
        return self.about(sorted(lists.get(self.by, self.named_entities())))

    def rows(self, facts: Facts) -> Iterable[Row | Rows]:
        return self.share_rows(facts, self._qualifying_sets, cap=False)

    def _qualifying_sets(self, _facts: Facts, _group: str) -> list[tuple[str, Belongs]]:
        if not self.each:
            return [("", self._qualifies)]
        return [(name, self._surely_of(name)) for name in self._each_named()]

    def _surely_of(self, name: str) -> Belongs:
        return lambda offer: self.possible_entities(offer) == (frozenset({name}), True) and self._qualifies(offer)

    def _qualifies(self, offer: Chained) -> bool:
        names, complete = self.possible_entities(offer)
        is_restricted = self.countries or self.except_countries
        has_place = not is_restricted or (complete and self.about(sorted(names)) == sorted(names))
        return has_place and (self.feed is None or self._fed_by(offer, self.feed))

    def stage_entries(self, offer: Chained, stage: Stage) -> Sequence[ChainEntry]:
        """Return the entries of a stage in an offer's own chain. For recycled feed, collecting scrap counts as mining."""
        entries = [entry for entry in offer.stage_entries if entry.main_stage is stage]
        return entries if self.feed is Feed.RECYCLED else offer.entries(stage)

    def _fed_by(self, offer: Chained, feed: Feed) -> bool:
        first = min((entry.main_stage for entry in offer.stage_entries), key=lambda stage: stage.rank, default=None)
        stage = self.stage if self.stage is not None else first
        entries = offer.entries(stage) if stage is not None else ()
        return bool(entries) and all(entry.feed is feed for entry in entries)

    def sentence(self) -> str:
        parts = [
            f"{country_list(self.countries, 'or')}" if self.countries else "",
            f"countries other than {country_list(self.except_countries, 'or')}" if self.except_countries else "",
            *(listed(names, "or") for names in (self.suppliers, self.parents, self.facilities, self.offers)),
            f"makers of it from {listed(self.inputs, 'or')}" if self.inputs else "",
            f"{self.feed.value} feed" if self.feed else "",
        ]
        who = " and ".join(part for part in parts if part)
        done = f"be {self.stage.value} in" if self.stage is not None and not self.feed else "come from"
        counting = ", counting purchases less all stock carried out" if self.counts == "used" else ""
        return f"At least {self.base_text()}, must {done} {'each of ' if self.each else ''}{who}{counting}."


class Concentration(ByCountries):
    """Kilograms from the largest seller, counted as for a cap on a share. A kilogram counts for every seller that it may come from, and for all if that is unknown."""

    kind: Literal["concentration"] = "concentration"

    def largest(self, facts: Facts) -> Iterator[Row]:
        """Yield, for every group and time, a row without bounds: the kilograms from the largest seller."""
        for group, part in self.groups(facts):
            weight = self.counted(part, group, surely=False)
            sets = [belongs for _, belongs in self.sets_by_entity(part, group)]
            stretches = part.spans(self.per)
            kilograms_by_offer = [(offer, float(weight(offer, place))) for offer, place in part.purchases()]
            counts = [[kg if belongs(offer) else 0.0 for offer, kg in kilograms_by_offer] for belongs in sets]
            bought = part.bought_in_each(counts, [periods for _, periods in stretches])
            for number, (label, _) in enumerate(stretches):
                terms = [bought[number * len(counts) + i] for i in range(len(counts))]
                shares = [(Decimal(0), replace(term, times=-1.0)) for term in terms if not term.is_empty]
                if shares:
                    yield Row(f"{group} {label}", (lacking(*shares),), reads=self.reads(part))

    def sentence(self) -> str:
        what = f" of {self.subject()}" if self.selects else ""
        who = f"the largest {NOUN[self.by]}"
        where = f", where it is {self.stage.value}" if self.stage is not None else ""
        return f"kilograms bought{what} from {who}{where}, {self.grouping_text()}, {STRETCH[self.per]}"


class MaxChurn(Grouped):
    """Moves at most a share of today's purchases away from today's suppliers. The loss of an incumbent is today's rate, less placed orders and
    purchases from it, and never below 0: one incumbent's gain doesn't offset another's loss. An incumbent without an offer loses everything.
    """

    model_config = {"json_schema_extra": {"examples": [{"share": "50%"}]}}

    kind: Literal["max-churn"] = "max-churn"
    share: Share
    """Share of today's purchases, from 0 to 1, or like `20%`."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        material_ids = {material.id for material in facts.materials}
        members = grouped(
            (self.group(line.material), line) for line in facts.incumbents if line.material.id in material_ids
        )
        for group, lines in sorted((group, lines) for group, lines in members.items() if group):
            part = facts.about({line.material.id for line in lines})
            for label, periods in facts.spans(self.per):
                today = sum((self._kilograms(line, line.quantity, periods) for line in lines), Decimal(0))
                lost = tuple(self._loss(part, line, periods) for line in lines)
                yield row_of(self, f"{group} {label}", lost, at_most=self.share * today)

    def _kilograms(self, line: IncumbentLine, by_period: Sequence[Decimal], periods: Sequence[int]) -> Decimal:
        return self.contained(line.material) * sum((by_period[t] for t in periods), Decimal(0))

    def _loss(self, facts: Facts, line: IncumbentLine, periods: Sequence[int]) -> Term:
        placed = self._kilograms(line, line.placed, periods)
        base = self._kilograms(line, line.quantity, periods) - placed
        return lacking((base, facts.bought(self._incumbent_weight(line), periods)))

    def _incumbent_weight(self, line: IncumbentLine) -> Callable[[Chained, Place], Decimal]:
        def count(offer: Chained, _place: Place) -> Decimal:
            same = (offer.offer.id, offer.material.id) == (line.offer, line.material.id)
            return self.contained(line.material) if same else Decimal(0)

        return count

    def sentence(self) -> str:
        share = f"{(self.share * 100).normalize():f}%"
        base = f"today's purchases of {self.subject()}, {self.grouping_text()}, {STRETCH[self.per]}"
        return f"No more than {share} of {base}, may move away from today's suppliers."
