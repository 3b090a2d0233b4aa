"""Ownership: minimum and maximum shares under rules of 50 % and 25 %, along chains, with unknown shares and circles, computed exactly.

Shares are intervals of exact fractions. Anyone may own an unknown share of a company, and the result of a rule is then `unproven`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from friendshore.domain.base import CheckedRecord, Fault, Given
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import Part
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import RecordRow, read_record_rows

from .lists import refused

INDEPENDENT = "independent"
"""Owner of a share that no listed party owns, according to the source."""
HALF = Fraction(1, 2)


class OwnerStanding(StrEnum):
    """Result of an ownership rule for a company."""

    OWNED = "owned"
    """Listed parties own enough for the rule, for any values of the unknown shares."""
    UNPROVEN = "unproven"
    """They may own enough."""
    CLEAR = "clear"
    """They own less, for any values of the unknown shares."""


@dataclass(frozen=True, slots=True)
class Stake:
    """Share of one party in another."""

    owner: str
    owned: str
    least: Fraction
    most: Fraction
    start: date | None = None
    """First day. None if unknown; it then counts on every day."""
    end: date | None = None
    """Last day. None if no end is known."""
    source: str = ""

    def held(self, day: date) -> bool:
        """Return True if it is held on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Share50:
    """A rule that adds the shares of listed parties, direct or through companies that they own under this rule.

    OFAC's rule (FAQ 398 to 402) and that of the BIS: a company that listed parties own to `threshold` or more in total is treated as listed. Its
    shares then count in full one level below, and a smaller share counts for nothing there. Ownership counts, and control doesn't.
    """

    threshold: Fraction = HALF
    more_than: bool = False
    """True if exactly the threshold is not enough."""
    control: bool = False
    """True if control is enough. No share then clears a company in which listed parties have any share."""

    def reached(self, share: Fraction) -> bool:
        """Return True if a share is enough."""
        return share > self.threshold if self.more_than else share >= self.threshold


@dataclass(frozen=True, slots=True)
class Attributed:
    """A rule that multiplies shares along chains and adds them. Shares of a company that is owned to `whole` or more count as its owner's.

    The interpretation of "foreign entity of concern" by the Department of Energy (89 FR 37079): 25 %, directly or indirectly.
    """

    threshold: Fraction = Fraction(1, 4)
    whole: Fraction = HALF


@dataclass(frozen=True, slots=True)
class OwnershipFinding:
    """Result of a rule for one company."""

    standing: OwnerStanding
    least: Fraction
    """Minimum share of listed parties, as the rule counts."""
    most: Fraction
    """Maximum share of listed parties."""
    through: tuple[str, ...] = ()
    """Owners that cause the result, largest first."""
    unknown: Fraction = Fraction(0)
    """Share without a known owner."""


class Structure:
    """Shares of all owners on one day."""

    def __init__(self, stakes: Iterable[Stake], day: date) -> None:
        """Create it from the stakes held on the day. Stakes of one owner in one company are added.

        Raises:
            ValueError: If the minimum shares of a company total more than 100 %.
        """
        self._of: dict[str, dict[str, tuple[Fraction, Fraction]]] = defaultdict(dict)
        for stake in stakes:
            if stake.held(day):
                least, most = self._of[stake.owned].get(stake.owner, (Fraction(0), Fraction(0)))
                self._of[stake.owned][stake.owner] = least + stake.least, min(most + stake.most, Fraction(1))
        for owned, owners in self._of.items():
            if sum(least for least, _ in owners.values()) > 1:
                raise ValueError(owned)

    @property
    def companies(self) -> frozenset[str]:
        """All owners and owned companies, except `independent`."""
        return frozenset({*self._of, *(owner for owners in self._of.values() for owner in owners)} - {INDEPENDENT})

    def owners(self, company: str) -> Mapping[str, tuple[Fraction, Fraction]]:
        """Return owner -> minimum and maximum share."""
        return self._of.get(company, {})

    def unknown(self, company: str) -> Fraction:
        """Return the maximum share without a known owner."""
        return 1 - sum((least for least, _ in self.owners(company).values()), Fraction(0))

    def findings(
        self, listed: Iterable[str], doubtful: Iterable[str], rule: Share50 | Attributed, of: Iterable[str] = ()
    ) -> dict[str, OwnershipFinding]:
        """Return the result of a rule for every company, including the requested ones.

        Args:
            listed: Parties named on a list.
            doubtful: Parties possibly named, such as names under review.
            rule: How shares count.
            of: Companies to include even if their owners are unknown.
        """
        sure, may = frozenset(listed), frozenset({*listed, *doubtful})
        companies = self.companies | sure | may | frozenset(of)
        if isinstance(rule, Share50):
            least, most = (
                self._levels(companies, sure, rule, upper=False),
                self._levels(companies, may, rule, upper=True),
            )
        else:
            least = self._attributed(companies, sure, rule, upper=False)
            most = self._attributed(companies, may, rule, upper=True)
        return {one: self._finding(one, least[one], most[one], rule, most, sure) for one in sorted(companies)}

    def _finding(
        self,
        company: str,
        least: Fraction,
        most: Fraction,
        rule: Share50 | Attributed,
        mosts: Mapping[str, Fraction],
        listed: frozenset[str],
    ) -> OwnershipFinding:
        if isinstance(rule, Share50):
            reached, possible = rule.reached(least), rule.reached(most)
            possible = possible or (rule.control and most > 0)
        else:
            reached, possible = least >= rule.threshold, most >= rule.threshold
        standing = OwnerStanding.OWNED if reached else OwnerStanding.UNPROVEN if possible else OwnerStanding.CLEAR
        owners = self.owners(company)
        through = sorted(
            (owner for owner in owners if owner != INDEPENDENT and mosts[owner] > 0 and owners[owner][1] > 0),
            key=lambda owner: (owner not in listed, -owners[owner][1], owner),
        )
        return OwnershipFinding(standing, least, most, tuple(through), self.unknown(company))

    def _levels(
        self, companies: frozenset[str], named: frozenset[str], rule: Share50, *, upper: bool
    ) -> dict[str, Fraction]:
        """Return the share of each company that named parties, or companies they own, have: the least fixed point, level by level.

        With `upper`, they have every share except those of parties that they definitely don't own. A circle of companies can't make itself listed.
        """
        held = {one: Fraction(int(one in named)) for one in companies}
        counted = set(named)
        while True:
            for one in companies - named:
                owners = self.owners(one)
                if upper:
                    others = (least for owner, (least, _) in owners.items() if owner not in counted)
                    held[one] = 1 - sum(others, Fraction(0))
                else:
                    held[one] = sum((low for owner, (low, _) in owners.items() if owner in counted), Fraction(0))
            grown = {one for one in companies if rule.reached(held[one])} | counted
            if grown == counted:
                return held
            counted = grown

    def _attributed(
        self, companies: frozenset[str], named: frozenset[str], rule: Attributed, *, upper: bool
    ) -> dict[str, Fraction]:
        """Return the share of each company along all chains by exact elimination: the least fixed point of x = b + A x.

        Companies owned to `whole` count as their owner, which may lift others over it. This repeats at most as often as there are companies.
        """
        whole = set(named)
        while True:
            held = self._solved(companies, named, whole, upper=upper)
            grown = {one for one in companies if held[one] >= rule.whole} | whole
            if grown == whole:
                return held
            whole = grown

    def _solved(
        self, companies: frozenset[str], named: frozenset[str], whole: set[str], *, upper: bool
    ) -> dict[str, Fraction]:
        """Return the shares, with 1 for companies in `whole`."""
        constant: dict[str, Fraction] = {}
        factors: dict[str, dict[str, Fraction]] = {}
        for one in companies - named:
            taken = self._taken(one, whole, upper=upper)
            constant[one] = taken.pop("", Fraction(0))
            factors[one] = taken
        solved = least_fixed_point(constant, factors)
        return {one: Fraction(1) if one in named else min(Fraction(1), solved[one]) for one in companies}

    def _taken(self, company: str, whole: set[str], *, upper: bool) -> dict[str, Fraction]:
        """Return the share by owner, with full shares under an empty name.

        At most, unknown shares belong to parties that count in full, as does everything that owners may have above their minimum.
        """
        taken: dict[str, Fraction] = defaultdict(Fraction)
        for owner, (least, _) in self.owners(company).items():
            if owner != INDEPENDENT:
                taken["" if owner in whole else owner] += least
        if upper:
            taken[""] += self.unknown(company)
        return dict(taken)


def least_fixed_point(
    constant: Mapping[str, Fraction], factors: Mapping[str, Mapping[str, Fraction]]
) -> dict[str, Fraction]:
    """Return the least x with x[i] = constant[i] + sum of factors[i][j] x[j]. All numbers are 0 or more, and those of each i total at most 1.

    Variables without inflow are 0, including circles that only own themselves. The others have exactly one solution (Gaussian elimination).
    """
    flowing = {one for one, value in constant.items() if value}
    while grown := {
        one
        for one, taken in factors.items()
        if one not in flowing and any(factor and other in flowing for other, factor in taken.items())
    }:
        flowing |= grown
    order = sorted(flowing)
    rows = {one: {k: f for k, f in factors[one].items() if k in flowing and f} for one in order}
    right = {one: constant[one] for one in order}
    for n, pivot in enumerate(order):
        scale = 1 - rows[pivot].pop(pivot, Fraction(0))
        right[pivot] /= scale
        rows[pivot] = {k: f / scale for k, f in rows[pivot].items()}
        for other in order[n + 1 :]:
            factor = rows[other].pop(pivot, None)
            if factor:
                right[other] += factor * right[pivot]
                for k, f in rows[pivot].items():
                    rows[other][k] = rows[other].get(k, Fraction(0)) + factor * f
    solved = dict.fromkeys(constant, Fraction(0))
    for pivot in reversed(order):
        solved[pivot] = right[pivot] + sum((f * solved[k] for k, f in rows[pivot].items()), Fraction(0))
    return solved


class OwnerRow(CheckedRecord):
    """A row of the owner table."""

    owner: Annotated[str, Written("Example Group")]
    """Owner. `independent` if the source says that no listed party owns the share."""
    owned: Annotated[str, Written("Example Metals")]
    """Company, named as in `operator`, `parent`, or `owner`."""
    share: Annotated[Part | None, Written("60 %")] = None
    """Share. Blank if unknown, or if `least` or `most` is given."""
    least: Annotated[Part | None, Written("25 %")] = None
    """Minimum share, if the share isn't known exactly."""
    most: Annotated[Part | None, Written("50 %")] = None
    """Maximum share, if the share isn't known exactly."""
    start: Annotated[date | None, Written("2026-07-01", "from")] = None
    """First day. Blank if unknown; it then counts on every day."""
    end: Annotated[date | None, Written("2027-12-31", "until")] = None
    """Last day. Blank if it has no end."""
    source: Annotated[str, Written("annual report 2025")]
    """Source, with its date."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield errors for a share given twice, and for bounds or days in the wrong order."""
        share, least, most = (given.get(name) for name in ("share", "least", "most"))
        if share is not None and (least is not None or most is not None):
            yield Fault("share", "says twice what is held", "either share, or least and most", "", ("least", "most"))
        if isinstance(least, Decimal) and isinstance(most, Decimal) and least > most:
            yield Fault("most", "is below `least`", f"{least} or more", "", ("least",))
        start, end = given.get("start"), given.get("end")
        if isinstance(start, date) and isinstance(end, date) and end < start:
            yield Fault("end", "is before `from`", f"{start} or later", "", ("start",))

    @property
    def stake(self) -> Stake:
        """Return the row as a stake."""
        least = self.share if self.share is not None else self.least
        most = self.share if self.share is not None else self.most
        return Stake(
            self.owner, self.owned, Fraction(least or 0), Fraction(1 if most is None else most), self.start, self.end, self.source
        )  # fmt: skip


def read_owners(path: Path, known: Collection[str]) -> tuple[Stake, ...]:
    """Read the owner table.

    Args:
        path: The table.
        known: Names of the case's suppliers and parents. Owners in the table are known too. Other owned companies are errors, because a misspelled
            name could clear a company or hide a listed owner.

    Raises:
        InputError: With all errors in it, including minimum shares of a company that total more than 100 %.
    """
    file, rows = read_record_rows(path, OwnerRow, "Who holds what of whom.")
    found = [*_too_much(file, rows), *_unheard_of(file, rows, known)]
    if found:
        raise refused(found)
    return tuple(row.record.stake for row in rows)


def _unheard_of(file: str, rows: Sequence[RecordRow[OwnerRow]], known: Collection[str]) -> Iterator[Diagnostic]:
    """Yield an error for each company that neither the case nor the table names."""
    names = {*known, *(row.record.owner for row in rows)}
    for row in rows:
        if row.record.owned not in names:
            expected = "a supplier or parent of the case, or an owner of this table"
            fix = did_you_mean(row.record.owned, names) or "write it as the catalog does, or delete the row"
            message = "nobody in the case is called so"
            yield Diagnostic(message, file, row.line, "owned", f"`{row.record.owned}`", expected, fix)


def _too_much(file: str, rows: Sequence[RecordRow[OwnerRow]]) -> Iterator[Diagnostic]:
    """Yield an error for each company with shares of more than 100 % on a day."""
    of: dict[str, list[RecordRow[OwnerRow]]] = defaultdict(list)
    for row in rows:
        of[row.record.owned].append(row)
    for company, stakes in of.items():
        for row in stakes:
            day = row.record.start or min((s.record.end for s in stakes if s.record.end), default=date.max)
            held = sum((s.record.stake.least for s in stakes if s.record.stake.held(day)), Fraction(0))
            if held > 1:
                told = f"{float(held):.2%} on {day}" if day != date.max else f"{float(held):.2%}"
                fix = "say until when former owners held their shares"
                yield Diagnostic(
                    f"of `{company}` more than all is held", file, row.line, "share", told, "100 % at most", fix
                )
                break
