"""Who is owned by whom, and by how much at least and at most: rules of 50 %, of 25 %, along chains, with unknown shares and circles, exactly.

Shares are intervals of exact fractions. What is not known of a company's owners may be anybody's: what a rule says of it is then `unproven`.
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

from friendshore.domain.base import Fault, Fitting, Given
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import Part
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import RecordRow, read_record_rows

from .lists import refused

INDEPENDENT = "independent"
"""The owner of a share of which it is said that nobody listed holds it."""
HALF = Fraction(1, 2)


class OwnerStanding(StrEnum):
    """What a rule of ownership says of a company."""

    OWNED = "owned"
    """Listed parties hold as much as the rule asks for, whatever the unknown shares are."""
    UNPROVEN = "unproven"
    """They may hold as much."""
    CLEAR = "clear"
    """They hold less, whatever the unknown shares are."""


@dataclass(frozen=True, slots=True)
class Stake:
    """What one party holds of another."""

    owner: str
    owned: str
    least: Fraction
    most: Fraction
    start: date | None = None
    """First day; None: it is not known when it began, and it counts on every day."""
    end: date | None = None
    """Last day; None: it goes on, as far as is known."""
    source: str = ""

    def held(self, day: date) -> bool:
        """Whether it is held on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Share50:
    """What a rule counts: shares of listed parties added up, directly and through companies that are themselves owned so.

    OFAC's rule (FAQ 398 to 402) and that of the BIS: whoever listed parties own to `threshold` or more, all shares added up, is treated as listed
    itself, and its shares count in full one level below; a smaller share counts for nothing there. Ownership counts, and no control.
    """

    threshold: Fraction = HALF
    more_than: bool = False
    """Whether exactly the threshold is not enough."""
    control: bool = False
    """Whether control is enough, so that no share clears a company of which listed parties hold anything."""

    def reached(self, share: Fraction) -> bool:
        """Whether a share is enough."""
        return share > self.threshold if self.more_than else share >= self.threshold


@dataclass(frozen=True, slots=True)
class Attributed:
    """What a rule counts: shares multiplied along chains and added up, those of a company that is held to `whole` or more counting as the holder's.

    The interpretation of "foreign entity of concern" by the Department of Energy (89 FR 37079): 25 %, directly or indirectly.
    """

    threshold: Fraction = Fraction(1, 4)
    whole: Fraction = HALF


@dataclass(frozen=True, slots=True)
class OwnershipFinding:
    """What a rule says of one company."""

    standing: OwnerStanding
    least: Fraction
    """What listed parties hold at least, as the rule counts."""
    most: Fraction
    """What they may hold at most."""
    through: tuple[str, ...] = ()
    """Owners by which it is so, those with the most first."""
    unknown: Fraction = Fraction(0)
    """Share whose holder nobody states."""


class Structure:
    """Who holds what of whom on one day."""

    def __init__(self, stakes: Iterable[Stake], day: date) -> None:
        """Of the stakes that are held on the day; of one owner in one company, those added up.

        Raises:
            ValueError: if least shares of one company come to more than all of it.
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
        """All that own or are owned, but the independent."""
        return frozenset({*self._of, *(owner for owners in self._of.values() for owner in owners)} - {INDEPENDENT})

    def owners(self, company: str) -> Mapping[str, tuple[Fraction, Fraction]]:
        """Owner -> share at least and at most."""
        return self._of.get(company, {})

    def unknown(self, company: str) -> Fraction:
        """Share of which nobody says who holds it, at most."""
        return 1 - sum((least for least, _ in self.owners(company).values()), Fraction(0))

    def findings(
        self, listed: Iterable[str], doubtful: Iterable[str], rule: Share50 | Attributed, of: Iterable[str] = ()
    ) -> dict[str, OwnershipFinding]:
        """What a rule says of every company, and of those asked for beside.

        Args:
            listed: parties that a list names.
            doubtful: parties that it may name, such as names under review.
            rule: how shares count.
            of: companies that are asked for though nothing is known of their owners.
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
        """What is held of each company by parties that are named or themselves owned so: the least fixed point, level by level.

        At most (`upper`) is held all that parties that are surely not owned so do not hold. No circle of companies owns itself into the list.
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
        """What is held of each company along all chains, by exact elimination: the least fixed point of x = b + A x.

        Companies held to `whole` count as their holder, which may lift others over it: as often as there are companies at most.
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
        """Shares with those of `whole` taken for 1."""
        constant: dict[str, Fraction] = {}
        factors: dict[str, dict[str, Fraction]] = {}
        for one in companies - named:
            taken = self._taken(one, whole, upper=upper)
            constant[one] = taken.pop("", Fraction(0))
            factors[one] = taken
        solved = least_fixed_point(constant, factors)
        return {one: Fraction(1) if one in named else min(Fraction(1), solved[one]) for one in companies}

    def _taken(self, company: str, whole: set[str], *, upper: bool) -> dict[str, Fraction]:
        """Share by owner, what counts in full under an empty name.

        At most, what may be anybody's goes to whoever counts in full, and so does all that owners may hold beyond their least.
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
    """The least x with x[i] = constant[i] + sum of factors[i][j] x[j], all figures 0 or more and of each i 1 or less together.

    What nothing flows into is 0, a circle that only owns itself included; the rest has exactly one solution (Gauss's elimination).
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


class OwnerRow(Fitting):
    """A row of the table of owners."""

    owner: Annotated[str, Written("Example Group")]
    """Who holds it; `independent`: it is said that nobody listed does."""
    owned: Annotated[str, Written("Example Metals")]
    """Company, called as in `operator`, `parent` or `owner`."""
    share: Annotated[Part | None, Written("60 %")] = None
    """What is held; blank, with `least` and `most` blank too: nobody says."""
    least: Annotated[Part | None, Written("25 %")] = None
    """What is held at least, where the share is not known exactly."""
    most: Annotated[Part | None, Written("50 %")] = None
    """What is held at most."""
    start: Annotated[date | None, Written("2026-07-01", "from")] = None
    """First day; blank: since nobody knows when, and so on every day."""
    end: Annotated[date | None, Written("2027-12-31", "until")] = None
    """Last day; blank: it goes on."""
    source: Annotated[str, Written("annual report 2025")]
    """Who says so, and when."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A share said twice, and bounds or days in the wrong order."""
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
        """What it says."""
        least = self.share if self.share is not None else self.least
        most = self.share if self.share is not None else self.most
        return Stake(
            self.owner, self.owned, Fraction(least or 0), Fraction(1 if most is None else most), self.start, self.end, self.source
        )  # fmt: skip


def read_owners(path: Path, known: Collection[str]) -> tuple[Stake, ...]:
    """The table of owners.

    Args:
        path: the table.
        known: what suppliers and parents of the case are called; owners of the table are known too. Of nobody else anything is held: a
            name that is misspelt would clear somebody, or keep a listed owner out of sight.

    Raises:
        InputError: with all that is wrong with it, least shares of more than all of a company included.
    """
    file, rows = read_record_rows(path, OwnerRow, "Who holds what of whom.")
    found = [*_too_much(file, rows), *_unheard_of(file, rows, known)]
    if found:
        raise refused(found)
    return tuple(row.record.stake for row in rows)


def _unheard_of(file: str, rows: Sequence[RecordRow[OwnerRow]], known: Collection[str]) -> Iterator[Diagnostic]:
    """Companies that nobody in the case or the table is called."""
    names = {*known, *(row.record.owner for row in rows)}
    for row in rows:
        if row.record.owned not in names:
            expected = "a supplier or parent of the case, or an owner of this table"
            fix = did_you_mean(row.record.owned, names) or "write it as the catalog does, or delete the row"
            message = "nobody in the case is called so"
            yield Diagnostic(message, file, row.line, "owned", f"`{row.record.owned}`", expected, fix)


def _too_much(file: str, rows: Sequence[RecordRow[OwnerRow]]) -> Iterator[Diagnostic]:
    """Companies of which more than all is held on a day."""
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
