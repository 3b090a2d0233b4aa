"""Limit kinds as the oracle reads them: rows and choices over the purchases, makes and stocks that trees come to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from friendshore.domain.facts import Material, Offer
from friendshore.domain.stages import stage_of

from .kinds import selects, unread
from .law import Law
from .patterns import Amount, Bound, Choice, Column, Count

Counts = Callable[[frozenset[str], bool, Offer], bool]
"""Whether a purchase counts: the countries it may come from, whether these are all, and its offer."""
SHARES = ("max-share", "min-share")
NUMBERS = ("max-suppliers", "min-suppliers", "single-source", "max-places")


@dataclass
class Limits:
    """What the limit rules of a case add to its linear programs."""

    bounds: list[Bound] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    """Priced misses of soft rows."""


def may_force(law: Law) -> bool:
    """Whether some limit may make a plan buy what it does not need: a floor, or a share of all that is bought."""
    rules: list[Any] = law.of_kind(*SHARES, "min-suppliers", "pin")
    return any(r.kind in ("min-share", "min-suppliers", "pin") or r.of == "purchases" for r in rules)


class Reader:
    """Reads the limit rules of one world, given every amount that its trees come to."""

    def __init__(self, law: Law, amounts: Iterable[Amount]) -> None:
        self.law = law
        self.world = law.world
        self.amounts = sorted(set(amounts), key=repr)
        self.limits = Limits()

    def read(self) -> Limits:
        """All limit rules."""
        readers = {**dict.fromkeys(SHARES, self._share), **dict.fromkeys(NUMBERS, self._number)}
        readers |= {"pin": self._pin, "budget": self._budget, "min-delivered": self._min_delivered}
        for kind, reader in readers.items():
            for rule in self.law.of_kind(kind):
                reader(rule)
        return self.limits

    def _bound(self, rule: Any, weights: dict[Amount, float], least: float | None, most: float | None) -> None:
        """A row, and where the rule is soft what it costs to miss it."""
        for bound, sign in ((least, 1.0), (most, -1.0)):
            if bound is None:
                continue
            row = dict(weights)
            if rule.penalty is not None:
                miss = ("miss", rule.id, len(self.limits.columns))
                self.limits.columns.append(Column(float(rule.penalty), {miss: 1.0}))
                row[miss] = sign
            self.limits.bounds.append(Bound(row, at_least=bound) if sign > 0 else Bound(row, at_most=bound))

    # ---------------------------------------------------------------------------------------------------- who and what

    def spans(self, rule: Any) -> list[list[int]]:
        """Periods of each stretch over which a rule holds."""
        return self.world.stretches(rule.per, (t for t in range(self.world.count) if self.law.shares[rule.id, t] > 0))

    def group(self, rule: Any, material: Material) -> tuple[str, float]:
        """Name of the group that a material belongs to, and what a kilogram of it counts; nothing: not counted."""
        unread(rule, "places")
        if not selects(rule, material):
            return "", 0.0
        together = rule.group_by or ("element" if rule.stage else "material")
        name = {"material": material.id, "element": material.element, "all": "everything"}[together]
        if together == "material" or (together == "all" and not rule.stage):
            return name, 1.0
        assert material.content is not None
        return name, float(material.content)

    def groups(self, rule: Any) -> list[str]:
        """Groups with a demand; if the rule selects materials, of all that it selects."""
        wanted = [d for d in self.world.demands.values() if _is_for(rule, d.end_use) and self._is_at(rule, d.place)]
        names = {self.group(rule, self.world.materials[d.material])[0] for d in wanted}
        if rule.materials or rule.elements or rule.forms or rule.tags or rule.hs or rule.also:
            names |= {self.group(rule, material)[0] for material in self.world.materials.values()}
        return sorted(names - {""})

    def demanded(self, rule: Any, group: str, periods: list[int], at: str) -> float:
        """Kilograms demanded of a group, at one place or anywhere."""
        total = 0.0
        for demand in self.world.demands.values():
            name, counts = self.group(rule, self.world.materials[demand.material])
            here = at in ("", demand.place or self.world.case.place) and self._is_at(rule, demand.place)
            if name == group and here and _is_for(rule, demand.end_use):
                total += counts * sum(self.world.wanted(demand, period) for period in periods)
        return total

    def origins(self, rule: Any, offer: Offer, material: Material) -> tuple[frozenset[str], bool] | None:
        """Whom a purchase may count for, and whether that is all; None if it does not count at all."""
        facility = self.world.facilities[offer.facility]
        chain = self.law.accepted(offer.chain)
        entries = [e for e in chain if rule.stage and stage_of(e.stage) is rule.stage]
        if rule.stage and not entries and not self._is_missing(rule, offer, material):
            return None
        if rule.by not in ("country", "bloc"):
            operator = self.world.operator(facility)
            names = {"supplier": operator, "parent": facility.parent or operator, "facility": facility.id}
            return frozenset({names[rule.by]}), True
        if not rule.stage:
            return frozenset({_bloc(rule, facility.country)}), True
        known = bool(entries) and all(e.complete and e.countries for e in entries)
        return frozenset(_bloc(rule, country) for e in entries for country in e.countries), known

    def selected(self, rule: Any, offer: Offer) -> bool:
        """Whether a rule counts purchases from an offer."""
        facility = self.world.facilities[offer.facility]
        operator = self.world.operator(facility)
        named = ((rule.suppliers, operator), (rule.parents, facility.parent or operator))
        named += ((rule.facilities, facility.id), (rule.offers, offer.id))
        inputs = {line.material for line in offer.inputs}
        taken = not rule.inputs or bool(inputs & set(rule.inputs))
        return taken and all(not some or name in some for some, name in named)

    def apart(self, rule: Any) -> list[str]:
        """Places that a rule counts on their own; none: all together."""
        if not rule.each_place:
            return [""]
        wanted = {demand.place or self.world.case.place for demand in self.world.demands.values()}
        found = wanted | {amount[3] for amount in self.amounts if amount[0] == "moved"}
        return sorted(place for place in found if self._is_at(rule, place))

    def _is_at(self, rule: Any, place: str) -> bool:
        return not rule.at or (place or self.world.case.place) in rule.at

    def _is_missing(self, rule: Any, offer: Offer, material: Material) -> bool:
        inputs = {s for line in offer.inputs for s in self.world.materials[line.material].stages}
        return rule.stage in material.stages and rule.stage not in inputs

    def bought(
        self, rule: Any, group: str, periods: list[int], at: str, counts: Counts, everyone: bool = False
    ) -> dict[Amount, float]:
        """Kilograms of a group delivered in some periods, to one place or anywhere, from those that count."""
        found: dict[Amount, float] = {}
        for amount in self.amounts:
            if amount[0] != "moved" or amount[_day(rule)] not in periods or at not in ("", amount[3]):
                continue
            offer, material = self.world.offers[amount[1]], self.world.materials[amount[2]]
            about = self._is_at(rule, amount[3]) and _is_for(rule, amount[6])
            if about and (everyone or self.selected(rule, offer)):
                name, kilograms = self.group(rule, material)
                origins = self.origins(rule, offer, material)
                if name == group and origins is not None and counts(*origins, offer):
                    found[amount] = kilograms
        return found

    def capped(self, rule: Any, group: str) -> list[str]:
        """All that a cap is about: those named, or everyone, and where a list is not complete anyone else too."""
        if rule.by not in ("country", "bloc"):
            return self.everyone(rule, group)
        if rule.countries:
            return sorted({_bloc(rule, c) for c in rule.countries if self._about(rule, _bloc(rule, c))})
        return [*self.everyone(rule, group), "elsewhere"]

    def everyone(self, rule: Any, group: str) -> list[str]:
        """All that a purchase of a group may count for."""
        found: set[str] = set()
        for offer in self.world.offers.values():
            for line in offer.outputs if self.selected(rule, offer) else ():
                material = self.world.materials[line.material]
                origins = self.origins(rule, offer, material)
                if origins is not None and self.group(rule, material)[0] == group:
                    found |= origins[0]
        return sorted(name for name in found if self._about(rule, name))

    @staticmethod
    def _about(rule: Any, name: str) -> bool:
        members = dict(rule.blocs).get(name, frozenset({name}))
        listed = not rule.countries or rule.by not in ("country", "bloc") or bool(rule.countries & members)
        return listed and not members <= rule.except_countries

    # -------------------------------------------------------------------------------------------------------- kinds

    def _share(self, rule: Any) -> None:
        unread(rule, "include_stock")
        for group in self.groups(rule):
            for at in self.apart(rule):
                for periods in self.spans(rule):
                    for counts in self._floors(rule) if rule.kind == "min-share" else self._caps(rule, group):
                        weights = self.bought(rule, group, periods, at, counts)
                        self._share_row(rule, group, periods, at, weights)

    def _caps(self, rule: Any, group: str) -> list[Counts]:
        names = self.capped(rule, group)
        return [may_be({name}) for name in names] if rule.each else [may_be(set(names))]

    def _floors(self, rule: Any) -> list[Counts]:
        unread(rule, "feed")

        def qualifies(countries: frozenset[str], known: bool, _: Offer) -> bool:
            named = bool(rule.countries or rule.except_countries)
            return not named or (known and all(self._about(rule, c) for c in countries))

        if not rule.each:
            return [qualifies]
        named = {"supplier": rule.suppliers, "parent": rule.parents, "facility": rule.facilities}.get(rule.by)
        if named is None:
            named = {_bloc(rule, country) for country in rule.countries if self._about(rule, _bloc(rule, country))}
        return [_surely(name) for name in sorted(named)]

    def _share_row(self, rule: Any, group: str, periods: list[int], at: str, weights: dict[Amount, float]) -> None:
        share, bound = float(rule.share), 0.0
        if rule.of == "purchases":
            for amount, kilograms in self.bought(rule, group, periods, at, lambda *_: True, everyone=True).items():
                weights[amount] = weights.get(amount, 0.0) - share * kilograms
        else:
            bound = share * self.demanded(rule, group, periods, at)
        floor = rule.kind == "min-share"
        self._bound(rule, weights, bound if floor else None, None if floor else bound)

    def _number(self, rule: Any) -> None:
        for group in self.groups(rule):
            for at in self.apart(rule):
                for periods in self.spans(rule):
                    if rule.kind == "min-suppliers":
                        self._at_least(rule, group, periods, at)
                    elif rule.kind == "max-places":
                        for purchases in self._sellers(rule, group, periods, at).values():
                            self._at_most(rule, _by_place(purchases), rule.count)
                    else:
                        most = 1 if rule.kind == "single-source" else rule.count
                        self._at_most(rule, self._sellers(rule, group, periods, at), most)

    def _at_least(self, rule: Any, group: str, periods: list[int], at: str) -> None:
        """Each counts from a share of the demand on, of purchases that are surely from there."""
        base = self.demanded(rule, group, periods, at)
        if not base:
            return
        made = []
        for name in self.everyone(rule, group):
            sure = self.bought(rule, group, periods, at, _surely(name))
            bound = Bound(sure, float(rule.least_share) * base)
            made.append(Choice(f"{rule.id} {group} {at} {periods} {name}", (), (bound,)))
        self.limits.choices += made
        self.limits.counts.append(Count(frozenset(c.name for c in made), at_least=rule.count, penalty=_price(rule)))

    def _sellers(self, rule: Any, group: str, periods: list[int], at: str) -> dict[str, dict[Amount, float]]:
        """What may be bought from each; an offer with an open list counts once more."""
        names = self.everyone(rule, group)
        purchases = {name: self.bought(rule, group, periods, at, _listing(name)) for name in names}
        for offer in self.world.offers.values():
            open_list = self.bought(rule, group, periods, at, _open_list_of(offer.id))
            if open_list:
                purchases[f"elsewhere of {offer.id}"] = open_list
        return purchases

    def _at_most(self, rule: Any, purchases: dict[str, dict[Amount, float]], most: int) -> None:
        """Each counts from the first kilogram on that may be from there."""
        made = [
            Choice(f"{rule.id} {len(self.limits.choices) + number} {name}", (Bound(found, at_most=0.0),), ())
            for number, (name, found) in enumerate(purchases.items())
        ]
        self.limits.choices += made
        self.limits.counts.append(Count(frozenset(c.name for c in made), at_most=most, penalty=_price(rule)))

    def _pin(self, rule: Any) -> None:
        named = dict(rule.offers) or {rule.offer: 1}
        places = rule.places or ((rule.place,) if rule.place else ())
        least = rule.exactly if rule.exactly is not None else rule.at_least
        most = rule.exactly if rule.exactly is not None else rule.at_most
        for periods in self.spans(rule):
            about = [period for period in periods if self._delivered_within(rule, period)]
            if not about and rule.per != "horizon":
                continue
            weights = {
                amount: float(named[amount[1]])
                for amount in self.amounts
                if amount[0] == "moved"
                and amount[1] in named
                and rule.material in ("", amount[2])
                and (not places or amount[3] in places)
                and amount[_day(rule)] in about
                and _is_for(rule, amount[6])
            }
            self._bound(rule, weights, None if least is None else float(least), None if most is None else float(most))

    def _delivered_within(self, rule: Any, period: int) -> bool:
        first, last = self.world.spans[period]
        return (rule.start is None or rule.start <= last) and (rule.end is None or first <= rule.end)

    def _min_delivered(self, rule: Any) -> None:
        """Of each demand, or of all of them, no more than the rest of the share is short."""
        about = {
            name: demand
            for name, demand in self.world.demands.items()
            if selects(rule, self.world.materials[demand.material])
            and name in (rule.demands or (name,))
            and _is_for(rule, demand.end_use)
            and (demand.place or self.world.case.place) in (rule.places or (demand.place or self.world.case.place,))
        }
        for names in [list(about)] if rule.together else [[name] for name in about]:
            for periods in self.spans(rule):
                wanted = {(name, t): self.world.wanted(about[name], t) for name in names for t in periods}
                weights: dict[Amount, float] = {("short", *cell): 1.0 for cell, q in wanted.items() if q > 0}
                if weights:
                    self._bound(rule, weights, None, (1 - float(rule.share)) * sum(wanted.values()))

    def _budget(self, rule: Any) -> None:
        """Money not discounted: price, charges and freight by the period of the order, holding, one-off costs at the start."""
        unread(rule, "materials", "elements", "forms")
        world = self.world
        for periods in self.spans(rule):
            weights: dict[Amount, float] = {}
            for amount in self.amounts:
                match amount:
                    case ("moved", offer, material, place, ordered, arrives, end_use) if rule.end_uses:
                        if ordered in periods and end_use in rule.end_uses:
                            weights[amount] = self._spent(offer, material, place, ordered, arrives)
                    case _ if rule.end_uses:
                        continue
                    case ("units", offer, ordered) if ordered in periods:
                        weights[amount] = world.price(world.offers[offer], ordered)
                    case ("moved", offer, material, place, ordered, arrives, _) if ordered in periods:
                        route = world.routes(world.offers[offer], place)
                        weights[amount] = route[1][arrives] + self.law.duty(offer, material, place, ordered, arrives)
                    case ("held", material, place, period) if period in periods:
                        weights[amount] = world.holding(material, place, period) * world.years[period]
                    case ("onboarding", _) if 0 in periods:
                        weights[amount] = 1.0
                    case ("fixed", _, first) if first in periods:
                        weights[amount] = 1.0
                    case ("untaken", offer, last) if last in periods:
                        share = float(world.offers[offer].take_or_pay_share)
                        weights[amount] = share * world.price(world.offers[offer], last)
            self._bound(rule, weights, None, float(rule.amount))

    def _spent(self, name: str, material: str, place: str, ordered: int, arrives: int) -> float:
        """Price, freight and charges of a kilogram; the price of the unit that it is."""
        offer = self.world.offers[name]
        assert len(offer.outputs) == 1, "runs of several goods are not read here"
        route = self.world.routes(offer, place)
        price = self.world.price(offer, ordered) / float(offer.outputs[0].per_unit)
        return price + route[1][arrives] + self.law.duty(name, material, place, ordered, arrives)


def _is_for(rule: Any, end_use: str) -> bool:
    """Whether what ends in an end use counts."""
    return not rule.end_uses or end_use in rule.end_uses


def _price(rule: Any) -> float:
    """What it costs to miss a number by one."""
    return math.inf if rule.penalty is None else float(rule.penalty)


def _day(rule: Any) -> int:
    """Which period of a purchase counts: that of its order, or of its arrival."""
    return 4 if rule.dated_by == "order" else 5


def _bloc(rule: Any, country: str) -> str:
    """The bloc that a country belongs to, or itself."""
    return next((name for name, members in rule.blocs if country in members), country)


def _by_place(purchases: dict[Amount, float]) -> dict[str, dict[Amount, float]]:
    found: dict[str, dict[Amount, float]] = defaultdict(dict)
    for amount, kilograms in purchases.items():
        found[amount[3]][amount] = kilograms
    return dict(found)


def may_be(names: set[str]) -> Counts:
    """A purchase counts that may be of some of these."""
    return lambda countries, known, _: bool(countries & names) or not known


def _surely(name: str) -> Counts:
    return lambda countries, known, _: known and countries == {name}


def _listing(name: str) -> Counts:
    return lambda countries, _, __: name in countries


def _open_list_of(name: str) -> Counts:
    return lambda _, known, offer: not known and offer.id == name
