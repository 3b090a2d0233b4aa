"""Ownership: minimum and maximum shares as exact fractions, along chains, with unknown shares and circles."""

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

from friendshore.domain.base import CheckedRecord, Fault, FieldValues
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import Part
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import RecordRow, read_record_rows

from .lists import file_error

INDEPENDENT = "independent"
"""Owner of a share that no listed party owns, according to the source."""
HALF = Fraction(1, 2)


class OwnerStanding(StrEnum):
    """Result of an ownership rule for a company."""

    OWNED = "owned"
    """Listed parties own enough for the rule, for any values of the unknown shares."""
    UNPROVEN = "unproven"
    CLEAR = "clear"
    """They own less, for any values of the unknown shares."""


@dataclass(frozen=True, slots=True)
class Stake:
    """Share of one party in another."""

    owner: str
    owned: str
    min_share: Fraction
    max_share: Fraction
    start: date | None = None
    """None if unknown. The share then counts on every day."""
    end: date | None = None
    """None if no end is known."""
    source: str = ""

    def is_held(self, day: date) -> bool:
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

    def is_reached(self, share: Fraction) -> bool:
        return share > self.threshold if self.more_than else share >= self.threshold


@dataclass(frozen=True, slots=True)
class Attributed:
    """A rule that multiplies shares along chains and adds them. Shares of a company that is owned to `whole` or more count as its owner's.

    The interpretation of "foreign entity of concern" by the Department of Energy (89 FR 37079): 25%, directly or indirectly.
    """

    threshold: Fraction = Fraction(1, 4)
    whole: Fraction = HALF


@dataclass(frozen=True, slots=True)
class OwnershipFinding:
    """Result of a rule for one company."""

    standing: OwnerStanding
    min_share: Fraction
    max_share: Fraction
    through: tuple[str, ...] = ()
    """Owners that cause the result, largest first."""
    unknown: Fraction = Fraction(0)


class Structure:
    """Shares of all owners on one day."""

    def __init__(self, stakes: Iterable[Stake], day: date) -> None:
        """Add the stakes of one owner in one company. Raise `ValueError` if the minimum shares of a company total more than 100%."""
        self._owners_by_company: dict[str, dict[str, tuple[Fraction, Fraction]]] = defaultdict(dict)
        for stake in stakes:
            if stake.is_held(day):
                min_share, max_share = self._owners_by_company[stake.owned].get(stake.owner, (Fraction(0), Fraction(0)))
                self._owners_by_company[stake.owned][stake.owner] = (
                    min_share + stake.min_share,
                    min(max_share + stake.max_share, Fraction(1)),
                )
        for owned, owners in self._owners_by_company.items():
            if sum(min_share for min_share, _ in owners.values()) > 1:
                raise ValueError(owned)

    @property
    def companies(self) -> frozenset[str]:
        return frozenset(
            {*self._owners_by_company, *(owner for owners in self._owners_by_company.values() for owner in owners)}
            - {INDEPENDENT}
        )

    def owners(self, company: str) -> Mapping[str, tuple[Fraction, Fraction]]:
        return self._owners_by_company.get(company, {})

    def unknown(self, company: str) -> Fraction:
        return 1 - sum((min_share for min_share, _ in self.owners(company).values()), Fraction(0))

    def findings(
        self, listed: Iterable[str], doubtful: Iterable[str], rule: Share50 | Attributed, requested: Iterable[str] = ()
    ) -> dict[str, OwnershipFinding]:
        """Return the result of a rule for every company, including `requested` ones without known owners. `doubtful` parties may be listed."""
        certain, possible = frozenset(listed), frozenset({*listed, *doubtful})
        companies = self.companies | certain | possible | frozenset(requested)
        if isinstance(rule, Share50):
            min_shares, max_shares = (
                self._levels(companies, certain, rule, upper=False),
                self._levels(companies, possible, rule, upper=True),
            )
        else:
            min_shares = self._attributed(companies, certain, rule, upper=False)
            max_shares = self._attributed(companies, possible, rule, upper=True)
        return {
            company: self._finding(company, min_shares[company], max_shares[company], rule, max_shares, certain)
            for company in sorted(companies)
        }

    def _finding(
        self,
        company: str,
        min_share: Fraction,
        max_share: Fraction,
        rule: Share50 | Attributed,
        max_shares: Mapping[str, Fraction],
        listed: frozenset[str],
    ) -> OwnershipFinding:
        if isinstance(rule, Share50):
            is_reached, is_possible = rule.is_reached(min_share), rule.is_reached(max_share)
            is_possible = is_possible or (rule.control and max_share > 0)
        else:
            is_reached, is_possible = min_share >= rule.threshold, max_share >= rule.threshold
        standing = OwnerStanding.OWNED if is_reached else OwnerStanding.UNPROVEN if is_possible else OwnerStanding.CLEAR
        owners = self.owners(company)
        through = sorted(
            (owner for owner in owners if owner != INDEPENDENT and max_shares[owner] > 0 and owners[owner][1] > 0),
            key=lambda owner: (owner not in listed, -owners[owner][1], owner),
        )
        return OwnershipFinding(standing, min_share, max_share, tuple(through), self.unknown(company))

    def _levels(
        self, companies: frozenset[str], named: frozenset[str], rule: Share50, *, upper: bool
    ) -> dict[str, Fraction]:
        """Return the share of each company that named parties, or companies they own, have: the least fixed point, level by level.

        With `upper`, they have every share that others don't definitely have. A circle of companies can't make itself listed.
        """
        shares = {company: Fraction(int(company in named)) for company in companies}
        counted = set(named)
        while True:
            for company in companies - named:
                owners = self.owners(company)
                if upper:
                    others = (min_share for owner, (min_share, _) in owners.items() if owner not in counted)
                    shares[company] = 1 - sum(others, Fraction(0))
                else:
                    shares[company] = sum((low for owner, (low, _) in owners.items() if owner in counted), Fraction(0))
            grown = {company for company in companies if rule.is_reached(shares[company])} | counted
            if grown == counted:
                return shares
            counted = grown

    def _attributed(
        self, companies: frozenset[str], named: frozenset[str], rule: Attributed, *, upper: bool
    ) -> dict[str, Fraction]:
        """Return the share of each company along all chains by exact elimination: the least fixed point of x = b + A x.

        Companies owned to `whole` count as their owner, which may lift others over it. This repeats at most as often as there are companies.
        """
        whole = set(named)
        while True:
            shares = self._shares_with_whole(companies, named, whole, upper=upper)
            grown = {company for company in companies if shares[company] >= rule.whole} | whole
            if grown == whole:
                return shares
            whole = grown

    def _shares_with_whole(
        self, companies: frozenset[str], named: frozenset[str], whole: set[str], *, upper: bool
    ) -> dict[str, Fraction]:
        constant: dict[str, Fraction] = {}
        factors: dict[str, dict[str, Fraction]] = {}
        for company in companies - named:
            shares_by_owner = self._shares_by_owner(company, whole, upper=upper)
            constant[company] = shares_by_owner.pop("", Fraction(0))
            factors[company] = shares_by_owner
        solved = least_fixed_point(constant, factors)
        return {
            company: Fraction(1) if company in named else min(Fraction(1), solved[company]) for company in companies
        }

    def _shares_by_owner(self, company: str, whole: set[str], *, upper: bool) -> dict[str, Fraction]:
        """Return the share by owner, with full shares under an empty name. With `upper`, unknown shares count in full."""
        shares: dict[str, Fraction] = defaultdict(Fraction)
        for owner, (min_share, _) in self.owners(company).items():
            if owner != INDEPENDENT:
                shares["" if owner in whole else owner] += min_share
        if upper:
            shares[""] += self.unknown(company)
        return dict(shares)


def least_fixed_point(
    constant: Mapping[str, Fraction], factors: Mapping[str, Mapping[str, Fraction]]
) -> dict[str, Fraction]:
    """Return the least x with x[i] = constant[i] + sum of factors[i][j] x[j]. All numbers are 0 or more, and those of each i total at most 1.

    Variables without inflow are 0, including circles that only own themselves. The others have exactly one solution (Gaussian elimination).
    """
    reachable = {name for name, value in constant.items() if value}
    while added := {
        name
        for name, inputs in factors.items()
        if name not in reachable and any(factor and other in reachable for other, factor in inputs.items())
    }:
        reachable |= added
    order = sorted(reachable)
    rows = {name: {k: f for k, f in factors[name].items() if k in reachable and f} for name in order}
    right = {name: constant[name] for name in order}
    for position, pivot in enumerate(order):
        scale = 1 - rows[pivot].pop(pivot, Fraction(0))
        right[pivot] /= scale
        rows[pivot] = {k: f / scale for k, f in rows[pivot].items()}
        for other in order[position + 1 :]:
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
    share: Annotated[Part | None, Written("60%")] = None
    """Share. Blank if unknown, or if `least` or `most` is given."""
    least: Annotated[Part | None, Written("25%")] = None
    """Minimum share, if the share isn't known exactly."""
    most: Annotated[Part | None, Written("50%")] = None
    """Maximum share, if the share isn't known exactly."""
    start: Annotated[date | None, Written("2026-07-01", "from")] = None
    """First day. Blank if unknown; it then counts on every day."""
    end: Annotated[date | None, Written("2027-12-31", "until")] = None
    """Last day. Blank if it has no end."""
    source: Annotated[str, Written("annual report 2025")]
    """Source, with its date."""

    @classmethod
    def faults(cls, fields: FieldValues) -> Iterator[Fault]:
        share, least, most = (fields.get(name) for name in ("share", "least", "most"))
        if share is not None and (least is not None or most is not None):
            fix = "delete `share`, or `least` and `most`"
            yield Fault(
                "share",
                "states the share twice",
                "either `share`, or `least` and `most`",
                fix,
                ("least", "most"),
                code="FS012",
            )
        if isinstance(least, Decimal) and isinstance(most, Decimal) and least > most:
            yield Fault(
                "most", "is below `least`", f"{least} or more", "swap or correct the two", ("least",), code="FS012"
            )
        start, end = fields.get("start"), fields.get("end")
        if isinstance(start, date) and isinstance(end, date) and end < start:
            yield Fault(
                "end", "is before `from`", f"{start} or later", "swap or correct the dates", ("start",), code="FS012"
            )

    @property
    def stake(self) -> Stake:
        least = self.share if self.share is not None else self.least
        most = self.share if self.share is not None else self.most
        return Stake(
            self.owner, self.owned, Fraction(least or 0), Fraction(1 if most is None else most), self.start, self.end, self.source
        )  # fmt: skip


def read_owners(path: Path, company_names: Collection[str]) -> tuple[Stake, ...]:
    """Read the owner table. Unknown companies are errors, because a misspelled name could clear a company or hide a listed owner."""
    file, rows = read_record_rows(path, OwnerRow, "Shares of owners in companies.")
    problems = [*_excess_shares(file, rows), *_unknown_companies(file, rows, company_names)]
    if problems:
        raise file_error(problems)
    return tuple(row.record.stake for row in rows)


def _unknown_companies(
    file: str, rows: Sequence[RecordRow[OwnerRow]], company_names: Collection[str]
) -> Iterator[Diagnostic]:
    names = {*company_names, *(row.record.owner for row in rows)}
    for row in rows:
        if row.record.owned not in names:
            expected = "a supplier or parent of the case, or an owner of this table"
            fix = did_you_mean(row.record.owned, names) or "write the name as in the catalog, or delete the row"
            message, found = "no company of the case has this name", f"`{row.record.owned}`"
            yield Diagnostic(message, file, row.line, "owned", found, expected, fix, "FS947")


def _excess_shares(file: str, rows: Sequence[RecordRow[OwnerRow]]) -> Iterator[Diagnostic]:
    rows_by_company: dict[str, list[RecordRow[OwnerRow]]] = defaultdict(list)
    for row in rows:
        rows_by_company[row.record.owned].append(row)
    for company, stakes in rows_by_company.items():
        for row in stakes:
            day = row.record.start or min((s.record.end for s in stakes if s.record.end), default=date.max)
            total = sum((s.record.stake.min_share for s in stakes if s.record.stake.is_held(day)), Fraction(0))
            if total > 1:
                found = f"{float(total):.2%} on {day}" if day != date.max else f"{float(total):.2%}"
                fix = "fill in `until` for former owners"
                message = f"the owners of `{company}` hold more than 100%"
                yield Diagnostic(message, file, row.line, "share", found, "100% at most", fix, "FS946")
                break
