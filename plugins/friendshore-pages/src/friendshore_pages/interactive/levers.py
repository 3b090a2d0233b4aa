"""Levers of a page: the changes that they make, their effects on the numbers of a program, and the selection for a page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from friendshore.document.figures import count
from friendshore.domain.change import Change
from friendshore.domain.countries import country_names
from friendshore.domain.time import add_months
from friendshore.errors import InputError
from friendshore.explain import names_of
from friendshore.session import ChangedPart

if TYPE_CHECKING:
    from friendshore.domain.facts import Offer
    from friendshore.domain.shown_names import ShownNames
    from friendshore.session import PartLayout, PartPlan, Session


FACTOR_KINDS = ("price", "capacity", "demand")
DELAYS_IN_MONTHS = (6, 12, 24)
RULE_DELAYS_IN_MONTHS = (12, 24)


@dataclass(frozen=True, slots=True)
class PageLever:
    """A possible change of the case."""

    kind: str
    """`price`, `capacity`, and `demand` multiply, `delay`, `later`, and `move` choose dates, `remove` loses offers, and `disable` and `enable` switch rules."""
    name: str
    """Name of an offer, facility, demand, or rule. For a loss, the subject as in a change."""
    group: str
    """Name of its material, or a heading such as `Countries`."""
    label: str
    change: Change
    """The change as in a case file, without the factor."""
    choice: str = ""
    offers: tuple[str, ...] = ()

    @property
    def has_factor(self) -> bool:
        """True if it multiplies a number, False if it is a switch."""
        return self.kind in FACTOR_KINDS

    def change_at(self, factor: Decimal = Decimal(1), start: date | None = None) -> Change:
        """Return the change of the case. A loss starts on the given date."""
        if self.has_factor:
            return self.change.but(factor=factor)
        return self.change if start is None or self.kind != "remove" else self.change.but(start=start)

    @property
    def option_text(self) -> str:
        return in_words(self.change, *(("factor",) if self.has_factor else ()))


def in_words(change: Change, *without: str) -> str:
    """Return a change as in `--change`, without some of its keys."""

    def value_text(value: object) -> str:
        parts = sorted(map(str, value)) if isinstance(value, frozenset | list) else [str(value)]
        return ";".join(parts)

    text_by_key = {key: value for key, value in change.as_written("").items() if key not in (*without, "why")}
    return ", ".join(f"{key}={value_text(value)}" for key, value in text_by_key.items())


COUNTRIES, SUPPLIERS, OWNERS, CATALOGS, RULES = "Countries", "Suppliers", "Owners", "Catalogs", "Rules"
_HEADINGS = {"country": COUNTRIES, "supplier": SUPPLIERS, "parent": OWNERS, "catalog": CATALOGS}


class CandidateLevers:
    """All levers to test. `offers` are those that a plan can buy."""

    def __init__(self, session: Session, offers: frozenset[str]) -> None:
        self.session, self.offers = session, offers
        self.facilities = session.problem.merged.facilities
        self.names: ShownNames = names_of(session.problem, sorted(offers))
        self.material_by_facility: dict[str, str] = {}
        for offer in self._buyable_offers():
            self.material_by_facility.setdefault(offer.facility, offer.outputs[0].material)

    def without_losses(self) -> list[PageLever]:
        return [*self._factor_levers(), *self._delay_levers(), *self._rule_levers()]

    def _buyable_offers(self) -> list[Offer]:
        return [
            offer for catalog in self.session.inputs.catalogs for offer in catalog.offers if offer.id in self.offers
        ]

    def _factor_levers(self) -> Iterator[PageLever]:
        problem = self.session.problem
        buyable = [facts.offer for facts in problem.offers if facts.offer.id in self.offers]
        for offer in buyable:
            change = _factor_change(price=f"offer:{offer.id}")
            yield PageLever("price", offer.id, self._material_of(offer), f"Price of {self._offer_text(offer)}", change)
        for name in sorted({offer.facility for offer in buyable}):
            change = _factor_change(capacity=name)
            yield PageLever("capacity", name, self._group(name), f"Capacity of {self._facility_text(name)}", change)
        for demand in problem.demands:
            group, change = self.names.material(demand.use.material.id), _factor_change(demand=f"demand:{demand.id}")
            yield PageLever("demand", demand.id, group, f"Demand {demand.id}", change)

    def _delay_levers(self) -> Iterator[PageLever]:
        first = self.session.problem.case.horizon.start
        for facility in sorted(self.facilities.values(), key=lambda facility: facility.id):
            if any(step.start is not None and add_months(step.start, 24) > first for step in facility.capacity):
                group, subject = self._group(facility.id), f"Start of {self._facility_text(facility.id)}"
                for months in DELAYS_IN_MONTHS:
                    change, choice = Change(capacity=facility.id, delay=Decimal(months)), _delay_text(months)
                    yield PageLever("delay", facility.id, group, f"{subject}: {choice}", change, choice)
        for demand in self.session.problem.demands:
            group = self.names.material(demand.use.material.id)
            for months in DELAYS_IN_MONTHS:
                change, choice = Change(demand=f"demand:{demand.id}", delay=Decimal(months)), _delay_text(months)
                yield PageLever("later", demand.id, group, f"Demand {demand.id}: {choice}", change, choice)

    def losses(self) -> Iterator[PageLever]:
        """Yield the losses of single offers, and of suppliers, owners, countries, and catalogs with all their offers."""
        offers_by_subject: dict[str, list[str]] = defaultdict(list)
        for offer in self._buyable_offers():
            facility = self.facilities[offer.facility]
            label, change = f"Loss of {self._offer_text(offer)}", Change(remove=f"offer:{offer.id}")
            yield PageLever("remove", offer.id, self._material_of(offer), label, change, offers=(offer.id,))
            subjects = {
                "country": facility.country,
                "supplier": facility.supplier,
                "parent": facility.owner,
                "catalog": offer.catalog,
            }
            for kind, name in subjects.items():
                if name:
                    offers_by_subject[f"{kind}:{name}"].append(offer.id)
        seen: set[tuple[str, ...]] = set()
        for subject, offers in sorted(offers_by_subject.items()):
            kind, _, name = subject.partition(":")
            if kind == "parent" and tuple(offers) in seen:
                continue  # same offers as its supplier
            seen.add(tuple(offers))
            shown_name = country_names().get(name, name) if kind == "country" else name
            label = f"Loss of {shown_name} ({count(len(offers), 'offer')})"
            yield PageLever("remove", subject, _HEADINGS[kind], label, Change(remove=subject), offers=tuple(offers))

    def _rule_levers(self) -> Iterator[PageLever]:
        horizon = self.session.problem.case.horizon
        counting_statuses = frozenset(self.session.problem.case.accept.rule_status)
        for rule in self.session.problem.rules:
            title = rule.title or rule.citation
            spans = [phase for phase in rule.phases if phase.span.meets(horizon.span)]
            if any(phase.status in counting_statuses for phase in spans):
                yield PageLever("disable", rule.id, RULES, f"Rule off: {title}", Change(disable=rule.id))
            if any(phase.status in ("pending", "unknown") and phase.status not in counting_statuses for phase in spans):
                yield PageLever("enable", rule.id, RULES, f"Rule on: {title}", Change(enable=rule.id))
            starts = [phase.start for phase in spans if phase.status in counting_statuses and phase.start is not None]
            if starts and min(starts) > horizon.start:
                for months in RULE_DELAYS_IN_MONTHS:
                    day = add_months(min(starts), months)
                    change, choice = Change(move=rule.id, start=day), f"from {day}"
                    yield PageLever("move", rule.id, RULES, f"Rule {choice}: {title}", change, choice)
        for bill in self.session.inputs.bills:
            yield PageLever("enable", bill.id, RULES, f"Bill on: {bill.title}", Change(enable=bill.id))

    def _material_of(self, offer: Offer) -> str:
        return self.names.material(offer.outputs[0].material)

    def _group(self, facility: str) -> str:
        material = self.material_by_facility.get(facility)
        return SUPPLIERS if material is None else self.names.material(material)

    def _offer_text(self, offer: Offer) -> str:
        return f"{self.names.offer(offer.id)}, {self.facilities[offer.facility].country}"

    def _facility_text(self, name: str) -> str:
        facility = self.facilities[name]
        return f"{facility.name or name}, {facility.country}"


def _factor_change(**subject: str) -> Change:
    return Change.model_validate({**subject, "factor": 1})


def _delay_text(months: int) -> str:
    return f"{months} months later"


Floats: TypeAlias = NDArray[np.float64]
TEST_FACTORS = (Decimal("0.5"), Decimal(2))
MIN_FACTOR = Decimal("0.01")
"""Minimum factor of demand and capacity, because a factor of 0 leads to a different program."""
ROUNDING_TEST_FACTOR = Decimal(1000)
TOLERANCE = 1e-9
"""Maximum relative difference between two layouts, because capacities and quantities are rounded to the resolution of the case."""
MAX_FACTOR = Decimal(1000)
"""Maximum factor of a price, and of a quantity in programs without integers."""
MAX_FACTOR_WITH_INTEGERS = Decimal(4)
"""Maximum factor of a quantity in programs with integers. Their bounds must allow for all of it, and larger bounds take longer to search."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """Effect of a lever on the numbers of one program."""

    positions: NDArray[np.intp]
    """Numbers that it changes, as positions in `numbers`."""
    slopes: Floats
    """Change of each number for an increase of 100%, or for a switch, its change when switched."""
    cash_slopes: Floats
    """The same without discounting, for the positions of costs, which come first."""
    has_factor: bool
    step: float = 0.0
    """Rounding step of a demand and of its change, in kilograms. 0 means no rounding."""

    def changes(self, factor: Decimal, count: int) -> Floats:
        """Return the change of each of all `count` numbers."""
        all_changes = np.zeros(count)
        own_changes = self.slopes * float(factor - 1) if self.has_factor else self.slopes
        if self.step:
            own_changes = (
                np.rint(self.slopes * float(factor) / self.step) - np.rint(self.slopes / self.step)
            ) * self.step
        all_changes[self.positions] = own_changes
        return all_changes


@dataclass(frozen=True, slots=True, eq=False)
class PageProgram:
    """A part of a case as it is, or after a lever that leads to a different program."""

    covers: tuple[int, ...]
    part: ChangedPart
    layout: PartLayout
    max_factor: Decimal
    """Maximum factor of demand and capacity within which its bounds are valid."""
    effects: Mapping[int, Effect]
    """Number of a lever -> its effect, for each tested and exact lever. Losses remove columns and aren't included."""
    conflicts: tuple[tuple[int, int], ...]
    is_exclusive: bool
    """True if levers can't be combined, because the cause of a deviation wasn't found."""


def numbers(layout: PartLayout) -> Floats:
    """Return all numbers of a program in one array: costs, lower and upper bounds of columns and of rows, and coefficients."""
    linear = layout.linear
    bounds = linear.lower, linear.upper, linear.row_lower, linear.row_upper
    return np.concatenate([linear.cost, *bounds, linear.entries.data])


def max_factor(layout: PartLayout) -> Decimal:
    return MAX_FACTOR_WITH_INTEGERS if layout.linear.integer.any() else MAX_FACTOR


def page_layout(part: ChangedPart) -> PartLayout:
    """Return the layout of a part, with bounds that are valid for all levers."""
    layout = part.layout(MAX_FACTOR)
    return layout if not layout.linear.integer.any() else part.layout(MAX_FACTOR_WITH_INTEGERS)


def without_discount(part: ChangedPart) -> ChangedPart:
    """Return the part with costs in money as it is paid, not discounted."""
    case = part.inputs.case.but(discount=Decimal(0))
    return ChangedPart(part.materials, part.changes, replace(part.inputs, case=case))


class LeverTrial:
    """Test of levers on a program. After a change, it lays out the program again and compares the numbers."""

    def __init__(
        self, session: Session, part: ChangedPart, layout: PartLayout, levers: Mapping[int, PageLever]
    ) -> None:
        self.session, self.part, self.layout = session, part, layout
        self.applied_changes: tuple[Change, ...] = part.changes
        self.levers = levers
        self.base = numbers(layout)
        self.position_by_column = {column: number for number, column in enumerate(layout.columns)}
        self.step = float(session.problem.case.resolution)

    @cached_property
    def base_without_discount(self) -> Floats:
        return numbers(without_discount(self.part).layout_within(self.layout))

    def factor_effects(self) -> dict[int, Effect]:
        """Return the effects of the levers that multiply, as far as they are exact."""
        effects: dict[int, Effect] = {}
        for kind in FACTOR_KINDS:
            effects |= self._effects_of_kind(
                [number for number, lever in self.levers.items() if lever.kind == kind], kind
            )
        return effects

    def switch_effect(self, number: int) -> Effect | None:
        """Return the effect of a switch. None if it leads to a different program, or exceeds the bounds."""
        change = self.levers[number].change_at()
        changes = self.number_changes([change])
        if changes is None or not np.isfinite(changes).all():
            return None
        positions = np.flatnonzero(changes)
        if len(positions) and not self._stays_within([change]):
            return None
        cash_changes = self._cash_changes([change], positions)
        if cash_changes is None:
            return None
        return Effect(positions, changes[positions], cash_changes, has_factor=False)

    def number_changes(self, changes: Sequence[Change], *, discounted: bool = True) -> Floats | None:
        """Return the change of each number. None if the changes lead to a different program, or an invalid case."""
        part = self._after(changes)
        if part is None:
            return None
        try:
            if discounted:
                return self._difference(part.layout_within(self.layout), self.base)
            return self._difference(without_discount(part).layout_within(self.layout), self.base_without_discount)
        except InputError:
            return None

    def _cash_changes(self, changes: Sequence[Change], positions: NDArray[np.intp]) -> Floats | None:
        """Return the undiscounted change of each cost among some positions. None if it can't be computed."""
        cost_positions = positions[positions < len(self.layout.columns)]
        if not len(cost_positions):
            return np.zeros(0)
        cash_changes = self.number_changes(changes, discounted=False)
        return None if cash_changes is None else cash_changes[cost_positions]

    def conflicts(self, effects: Mapping[int, Effect]) -> tuple[tuple[tuple[int, int], ...], bool]:
        """Return the pairs of levers whose effects don't add up, and True if there are deviations that no pair explains."""
        effective = [number for number, effect in effects.items() if len(effect.positions)]
        levers_by_number: dict[int, list[int]] = {}
        for number in effective:
            for position in effects[number].positions.tolist():
                levers_by_number.setdefault(position, []).append(number)
        doubtful_numbers: set[int] = set()
        for levers in self._combinations(effective):
            deviations = self._deviations(levers, effects)
            doubtful_numbers.update(levers_by_number if deviations is None else deviations.tolist())
        lever_groups = (levers_by_number.get(position, []) for position in sorted(doubtful_numbers))
        pairs = {
            (a, b)
            for levers in lever_groups
            for i, a in enumerate(levers)
            for b in levers[i + 1 :]
            if not self._are_alternatives(a, b)
        }
        conflicts = {pair for pair in sorted(pairs) if not self._adds_up(pair, effects)}
        # Levers without conflicts must add up, whichever lever of each pair is left out.
        for order in (effective, effective[::-1]) if doubtful_numbers else ():
            compatible: list[int] = []
            for number in order:
                if not any(
                    self._are_alternatives(number, other)
                    or (number, other) in conflicts
                    or (other, number) in conflicts
                    for other in compatible
                ):
                    compatible.append(number)
            if not self._adds_up(compatible, effects):
                return tuple(sorted(conflicts)), True
        return tuple(sorted(conflicts)), False

    def _are_alternatives(self, first: int, second: int) -> bool:
        """Return True if only one of two levers can apply at a time, such as two dates for one rule."""
        a, b = self.levers[first], self.levers[second]
        return (a.kind, a.name) == (b.kind, b.name)

    def _combinations(self, levers: Sequence[int]) -> Iterator[list[int]]:
        """Yield combinations with one choice of each subject, until each choice was in one of them."""
        choices: dict[tuple[str, str], list[int]] = {}
        for number in levers:
            choices.setdefault((self.levers[number].kind, self.levers[number].name), []).append(number)
        for choice in range(max(map(len, choices.values()), default=0)):
            yield [numbers[min(choice, len(numbers) - 1)] for numbers in choices.values()]

    def _adds_up(self, levers: Iterable[int], effects: Mapping[int, Effect]) -> bool:
        deviations = self._deviations(list(levers), effects)
        return deviations is not None and not len(deviations)

    def _deviations(self, levers: Sequence[int], effects: Mapping[int, Effect]) -> NDArray[np.intp] | None:
        """Return the numbers that the levers together change by other amounts than their sum. None if they lead to a different program."""
        # Irregular factors, so that two errors don't cancel each other.
        factors = {n: (Decimal(i * 37 % 89 + 17) / 41).quantize(Decimal("0.001")) for i, n in enumerate(levers, 1)}
        changes = self.number_changes([self.levers[number].change_at(factor) for number, factor in factors.items()])
        if changes is None:
            return None
        return np.flatnonzero(self._differs(changes, self._summed_changes(factors, effects)))

    def _effects_of_kind(self, levers: Sequence[int], kind: str) -> dict[int, Effect]:
        """Return the effects of levers of one kind, as far as they are exact. Halves the levers to isolate inexact ones."""
        if not levers:
            return {}
        effects = self._proportional_effects(levers, kind)
        if effects is not None:
            return effects
        if len(levers) == 1:
            return {}
        half = len(levers) // 2
        return self._effects_of_kind(levers[:half], kind) | self._effects_of_kind(levers[half:], kind)

    def _proportional_effects(self, levers: Sequence[int], kind: str) -> dict[int, Effect] | None:
        """Return the effects of levers. None unless each changes its own numbers, and in proportion."""
        step = self.step if kind == "demand" else 0.0
        base_factor = ROUNDING_TEST_FACTOR if step else Decimal(1)
        ramp = [(Decimal(i) / len(levers)).quantize(Decimal("0.0001")) for i in range(len(levers))]
        factors = [
            {n: base_factor * (2 + x) for n, x in zip(levers, ramp, strict=True)},
            {n: base_factor * (3 - x) for n, x in zip(levers, ramp, strict=True)},
        ]
        first_changes, second_changes = (self._changes_at(factor_by_lever) for factor_by_lever in factors)
        if (
            first_changes is None
            or second_changes is None
            or not (np.isfinite(first_changes).all() and np.isfinite(second_changes).all())
        ):
            return None
        changed = np.flatnonzero((first_changes != 0) | (second_changes != 0))
        if not second_changes[changed].all():
            return None
        increases = [np.array([float(factor_by_lever[n] - 1) for n in levers]) for factor_by_lever in factors]
        lever_of_number = np.abs(
            first_changes[changed, None] / second_changes[changed, None] - increases[0] / increases[1]
        ).argmin(axis=1)
        cash_changes = self._cash_changes([self.levers[n].change_at(f) for n, f in factors[0].items()], changed)
        if cash_changes is None:
            return None
        effects = {}
        for i, number in enumerate(levers):
            is_own = lever_of_number == i
            positions = changed[is_own]
            cash_slopes = cash_changes[is_own[: len(cash_changes)]] / increases[0][i]
            slopes = first_changes[positions] / increases[0][i]
            if step:  # the demand itself, to which other demands may be added
                slopes = (first_changes[positions] + np.rint(slopes / step) * step) / float(factors[0][number])
            effects[number] = Effect(positions, slopes, cash_slopes, has_factor=True, step=step)
        tests = [{n: TEST_FACTORS[(i + offset) % 2] for i, n in enumerate(levers)} for offset in range(2)]
        tests.append(dict.fromkeys(levers, Decimal(0) if kind == "price" else MIN_FACTOR))
        # With price tiers, bounds follow from prices. Negative prices have a bound of their own, since no factor changes the sign.
        ends = (Decimal(0), MAX_FACTOR) if kind == "price" and self.layout.linear.integer.any() else ()
        if not all(self._stays_within([self.levers[number].change_at(end) for number in levers]) for end in ends):
            return None
        return effects if all(self._is_predicted(factor_by_lever, effects) for factor_by_lever in tests) else None

    def _is_predicted(self, factors: Mapping[int, Decimal], effects: Mapping[int, Effect]) -> bool:
        changes = self._changes_at(factors)
        return changes is not None and not self._differs(changes, self._summed_changes(factors, effects)).any()

    def _changes_at(self, factors: Mapping[int, Decimal]) -> Floats | None:
        return self.number_changes([self.levers[number].change_at(factor) for number, factor in factors.items()])

    def _summed_changes(self, factors: Mapping[int, Decimal], effects: Mapping[int, Effect]) -> Floats:
        changes = np.zeros(len(self.base))
        for number, factor in factors.items():
            changes += effects[number].changes(factor, len(self.base))
        return changes

    def _differs(self, first: Floats, second: Floats) -> NDArray[np.bool_]:
        size = np.maximum(1, np.abs(np.where(np.isfinite(self.base), self.base, 0)))
        differs: NDArray[np.bool_] = ~(np.abs(first - second) <= TOLERANCE * size)
        return differs

    def _stays_within(self, changes: Sequence[Change]) -> bool:
        part = self._after(changes)
        return part is not None and part.stays_within(self.layout, max_factor(self.layout))

    def _after(self, changes: Sequence[Change]) -> ChangedPart | None:
        """Return this part of the case after changes. None if it no longer exists."""
        try:
            if all(change.subject in FACTOR_KINDS and change.delay is None for change in changes):
                return self.part.what_if(*changes)  # these affect no other part
            parts = self.session.parts_after(*self.applied_changes, *changes)
        except InputError:
            return None
        return next((part for part in parts if part.materials == self.part.materials), None)

    def _difference(self, new_layout: PartLayout, base: Floats) -> Floats | None:
        """Return the change of each number from `base` to the new layout, with missing columns closed. None if it has other rows or columns."""
        old, new = self.layout.linear, new_layout.linear
        if new_layout.columns == self.layout.columns:
            old_positions = np.arange(len(old.cost))
        else:
            positions = [self.position_by_column.get(column, -1) for column in new_layout.columns]
            old_positions = np.array(positions, dtype=np.intp)
            if (old_positions < 0).any() or (np.diff(old_positions) <= 0).any():
                return None
        is_kept = np.zeros(len(old.cost), dtype=bool)
        is_kept[old_positions] = True
        entries = is_kept[old.entries.indices]
        rows = np.repeat(np.arange(len(old.row_lower)), np.diff(old.entries.indptr))[entries]
        if (
            new_layout.owners != self.layout.owners
            or len(new.row_lower) != len(old.row_lower)
            or not np.array_equal(new.integer, old.integer[old_positions])
            or not np.array_equal(old_positions[new.entries.indices], old.entries.indices[entries])
            or not np.array_equal(np.repeat(np.arange(len(new.row_lower)), np.diff(new.entries.indptr)), rows)
        ):
            return None
        after = base.copy()
        columns, bounds_end = len(old.cost), 3 * len(old.cost) + 2 * len(old.row_lower)
        for number, values in enumerate((new.cost, new.lower, new.upper)):
            after[number * columns + old_positions] = values
        after[2 * columns + np.flatnonzero(~is_kept)] = 0.0
        after[3 * columns : bounds_end] = np.concatenate([new.row_lower, new.row_upper])
        after[bounds_end + np.flatnonzero(entries)] = new.entries.data
        is_same = after == base
        changes = np.zeros(len(after))
        changes[~is_same] = after[~is_same] - base[~is_same]
        return changes


MAX_INTEGERS = 400
"""Maximum number of integer decisions in a part that a page searches: the same as `plan` lets HiGHS search in one program."""
MAX_NUMBERS = 90_000
"""Maximum total of coefficients and columns in all programs that levers create, so that a page can be sent by mail."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferedLevers:
    """Levers and programs of a page."""

    plans: tuple[PartPlan, ...]
    programs: tuple[PageProgram, ...]
    levers: tuple[PageLever, ...]
    affected_parts: tuple[tuple[int, ...], ...]
    programs_by_lever: Mapping[int, tuple[int, ...]]
    """Lever -> numbers of the programs that replace others."""
    left_out: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _LeverResult:
    affected_parts: tuple[int, ...]
    parts: tuple[ChangedPart, ...]
    effects: dict[int, Effect]
    programs: list[int]
    reason: str = ""


INEXACT = "their effect on the program is not proportional"
TOO_MANY_INTEGERS = "they affect a part of the case with more integer decisions than a page can search"
TOO_LARGE = "their programs would make the page too large"


def refusal_reason(session: Session) -> str:
    """Return the reason why a case can't have a page. Empty if it can."""
    if session.problem.objectives or session.problem.case.objectives:
        return "the case ranks objectives, and a page minimizes only one"
    if session.solution.conflicts:
        return "the hard rules of the case conflict, and a page can't leave any out"
    return ""


def offered_levers(session: Session, on_progress: Callable[[int, int], None]) -> OfferedLevers:
    """Test all changes and return those that a page can make. `on_progress` is called with the numbers of completed and of all tests."""
    return _LeverSearch(session, on_progress).search()


class _LeverSearch:
    def __init__(self, session: Session, on_progress: Callable[[int, int], None]) -> None:
        self.session, self.on_progress = session, on_progress
        self.parts = session.parts_after()
        self.part_by_material_set = {part.materials: number for number, part in enumerate(self.parts)}
        self.part_by_material = {name: number for number, part in enumerate(self.parts) for name in part.materials}
        self.layouts = [page_layout(part) for part in self.parts]
        self.numbers_left = MAX_NUMBERS
        self.new_programs: list[tuple[ChangedPart, PartLayout]] = []
        self.levers: list[PageLever] = []
        self.results: dict[int, _LeverResult] = {}
        self.completed = 0
        self.total = 0

    def search(self) -> OfferedLevers:
        self.levers = CandidateLevers(self.session, self._buyable_offers(self.layouts)).without_losses()
        for number, lever in enumerate(self.levers):
            result = self._affected(lever)
            if result is not None:
                self.results[number] = result
        switches = {number: result for number, result in self.results.items() if not self.levers[number].has_factor}
        self.total = len(switches) + PROGRESS_PER_PROGRAM * len(self.parts)
        for number in switches:
            self._test_switch(number)
            self._report()
        programs = [self._part_program(number) for number in range(len(self.parts))]
        self.total += PROGRESS_PER_PROGRAM * len(self.new_programs)
        programs += [self._changed_program(part, layout) for part, layout in self.new_programs]
        return self._assemble(programs)

    def _report(self, count: int = 1) -> None:
        self.completed += count
        self.on_progress(self.completed, max(self.completed, self.total))

    def _affected(self, lever: PageLever) -> _LeverResult | None:
        try:
            parts = self.session.parts_after(lever.change_at(Decimal(2)))
        except InputError:
            return None
        affected_parts = sorted({self.part_by_material[name] for part in parts for name in part.materials})
        if not parts:
            return None
        is_too_hard = any(not _can_be_searched(self.layouts[number]) for number in affected_parts)
        return _LeverResult(tuple(affected_parts), parts, {}, [], TOO_MANY_INTEGERS if is_too_hard else "")

    def _test_switch(self, number: int) -> None:
        result = self.results[number]
        for part in () if result.reason else result.parts:
            part_number = self.part_by_material_set.get(part.materials)
            if part_number is not None:
                effect = self._trial(part_number, {number: self.levers[number]}).switch_effect(number)
                if effect is not None:
                    result.effects[part_number] = effect
                    continue
            layout = None if self.levers[number].kind == "later" else self._layout_or_none(part)
            if layout is None:
                result.reason = INEXACT
                return
            size = len(layout.linear.cost) + layout.linear.entries.nnz
            if not _can_be_searched(layout) or size > self.numbers_left:
                result.reason = TOO_LARGE if _can_be_searched(layout) else TOO_MANY_INTEGERS
                return
            self.numbers_left -= size
            result.programs.append(len(self.parts) + len(self.new_programs))
            self.new_programs.append((part, layout))

    def _layout_or_none(self, part: ChangedPart) -> PartLayout | None:
        try:
            return page_layout(part)
        except InputError:
            return None

    def _trial(self, part_number: int, levers: Mapping[int, PageLever]) -> LeverTrial:
        return LeverTrial(self.session, self.parts[part_number], self.layouts[part_number], levers)

    def _part_program(self, part_number: int) -> PageProgram:
        factor_levers = self._factor_levers_of({part_number})
        trial = self._trial(part_number, factor_levers)
        effects = trial.factor_effects() if _can_be_searched(self.layouts[part_number]) else {}
        for number in factor_levers:
            if number not in effects:
                self.results[number].reason = self.results[number].reason or INEXACT
        switch_effects = {
            number: result.effects[part_number]
            for number, result in self.results.items()
            if not result.reason and part_number in result.effects
        }
        self._report(PROGRESS_PER_PROGRAM // 2)
        all_effects = effects | switch_effects
        trial.levers = {number: self.levers[number] for number in all_effects}
        conflicts, is_exclusive = trial.conflicts(all_effects)
        self._report(PROGRESS_PER_PROGRAM - PROGRESS_PER_PROGRAM // 2)
        return PageProgram(
            (part_number,),
            self.parts[part_number],
            self.layouts[part_number],
            max_factor(self.layouts[part_number]),
            all_effects,
            conflicts,
            is_exclusive,
        )

    def _changed_program(self, part: ChangedPart, layout: PartLayout) -> PageProgram:
        covers = {self.part_by_material[name] for name in part.materials}
        trial = LeverTrial(self.session, part, layout, self._factor_levers_of(covers))
        effects = trial.factor_effects()
        conflicts, is_exclusive = trial.conflicts(effects)
        self._report(PROGRESS_PER_PROGRAM)
        return PageProgram(tuple(sorted(covers)), part, layout, max_factor(layout), effects, conflicts, is_exclusive)

    def _factor_levers_of(self, covers: set[int]) -> dict[int, PageLever]:
        return {
            number: self.levers[number]
            for number, result in self.results.items()
            if self.levers[number].has_factor and not result.reason and covers.intersection(result.affected_parts)
        }

    def _assemble(self, programs: Sequence[PageProgram]) -> OfferedLevers:
        """Return the page's contents without levers that have no effect. Renumbers the others and appends the losses."""
        effective = [
            number
            for number, result in self.results.items()
            if not result.reason and self._has_effect(number, programs)
        ]
        new_number = {number: position for position, number in enumerate(effective)}
        new_program_number = {program: position for position, program in enumerate(self._used_programs(effective))}
        renumbered = [
            replace(
                programs[old],
                effects={new_number[n]: e for n, e in programs[old].effects.items() if n in new_number},
                conflicts=tuple(
                    (new_number[a], new_number[b])
                    for a, b in programs[old].conflicts
                    if a in new_number and b in new_number
                ),
            )
            for old in new_program_number
        ]
        losses = list(self._page_losses([program.layout for program in renumbered]))
        loss_parts = [
            tuple(sorted({self.part_by_material[name] for name in self._materials_of(loss)})) for loss in losses
        ]
        left_out = [
            (f"{self.levers[n].kind} {self.levers[n].name}", result.reason)
            for n, result in self.results.items()
            if result.reason
        ]
        return OfferedLevers(
            tuple(self.session.part_plan(part.materials) for part in self.parts),
            tuple(renumbered),
            (*(self.levers[number] for number in effective), *losses),
            (*(self.results[number].affected_parts for number in effective), *loss_parts),
            {
                new_number[n]: tuple(new_program_number[old] for old in self.results[n].programs)
                for n in effective
                if self.results[n].programs
            },
            tuple(dict.fromkeys(left_out)),
        )

    def _has_effect(self, number: int, programs: Sequence[PageProgram]) -> bool:
        result = self.results[number]
        return bool(result.programs) or any(number in p.effects and len(p.effects[number].positions) for p in programs)

    def _used_programs(self, levers: Sequence[int]) -> Iterator[int]:
        yield from range(len(self.parts))
        for number in levers:
            yield from self.results[number].programs

    def _buyable_offers(self, layouts: Sequence[PartLayout]) -> frozenset[str]:
        return frozenset(c.name for layout in layouts for c in layout.columns if c.kind in ("bought", "made"))

    def _page_losses(self, layouts: Sequence[PartLayout]) -> Iterator[PageLever]:
        """Yield the losses of offers that are bought only in programs of the page and that have no take-or-pay."""
        buyable = self._buyable_offers(layouts)
        committed_offers = {
            self.session.problem.offers[commitment.offer].offer.id for commitment in self.session.problem.commitments
        }
        for lever in CandidateLevers(self.session, buyable).losses():
            if not committed_offers.intersection(lever.offers):
                loss = replace(lever, offers=tuple(name for name in lever.offers if name in buyable))
                if self._keeps_limits(loss):
                    yield loss

    def _keeps_limits(self, lever: PageLever) -> bool:
        """Return True if the limits stay the same without some offers. The only effect of their loss is then that nothing is bought from them."""
        for number, part in enumerate(self.parts):
            if part.materials.isdisjoint(self._materials_of(lever)) or not any(_limit_counts(self.layouts[number])):
                continue
            try:
                after = [
                    changed_part.layout()
                    for changed_part in self.session.parts_after(lever.change_at())
                    if changed_part.materials == part.materials
                ]
            except InputError:
                return False
            if [_limit_counts(layout) for layout in after] != [_limit_counts(self.layouts[number])]:
                return False
        return True

    def _materials_of(self, lever: PageLever) -> Iterator[str]:
        offers_lost = frozenset(lever.offers)
        for catalog in self.session.inputs.catalogs:
            for offer in catalog.offers:
                if offer.id in offers_lost:
                    yield from (line.material for line in offer.outputs if line.material in self.part_by_material)


PROGRESS_PER_PROGRAM = 8


def _can_be_searched(layout: PartLayout) -> bool:
    return not layout.ranked and int(layout.linear.integer.sum()) <= MAX_INTEGERS


def _limit_counts(layout: PartLayout) -> Counter[tuple[str, float, float]]:
    """Return the nonzero limits of rules as owner, lower bound, and upper bound."""
    linear, rows = layout.linear, len(layout.linear.row_lower)
    last_rows = [*(first_row for first_row, _ in layout.owners[1:]), rows]
    limits: Counter[tuple[str, float, float]] = Counter()
    for (first_row, owner), last_row in zip(layout.owners, last_rows, strict=True):
        if owner.startswith("rule "):
            limits.update(
                (owner, low, high)
                for low, high in zip(
                    linear.row_lower[first_row:last_row].tolist(),
                    linear.row_upper[first_row:last_row].tolist(),
                    strict=True,
                )
                if any(bound and isfinite(bound) for bound in (low, high))
            )
    return limits
