"""What proves a bound, as it stands in a run: for each part the leaves of its tree, each with multipliers. No solver is needed to check it.

Nothing of it is believed. Any multipliers give a bound that holds (`exact`), and splits of integer columns leave nothing out, whatever they are: one
that was changed proves less, or the same. What it states beside them (what the plan comes to in each part, and what is proved of it) is
compared with what it proves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, DecimalException
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from friendshore.domain.plan import OPTIMAL_GAP, OPTIMAL_MONEY
from friendshore.program.matrix import Floats, Linear
from friendshore.solve import Component, Watch, digest

from .claims import Claim, ProvedParts
from .cuts import Cut, ExactRows
from .exact import ExactProgram, Multipliers
from .search import Branch, ClaimParts, Leaf, ProofSearch, first_upper, halves

SAME = Decimal("1e-9")
"""Relative tolerance between stated and proved figures: another machine may round the last digit of a coefficient differently."""
_DIGITS = Context(15, ROUND_FLOOR)
_LARGEST = 2**53
"""Limit of a split, beyond which doubles can't represent all whole numbers."""

Steps = tuple[Branch | Leaf, ...]


class CertificateError(ValueError):
    """A certificate that can't be read. The message says where."""


@dataclass(frozen=True, slots=True)
class PartCertificate:
    """Proof of the bound of a part."""

    value: Decimal
    """Value of the plan in this part."""
    bound: Decimal | None
    """Proved bound, rounded down. None if no plan satisfies the part."""
    cuts: tuple[Cut, ...]
    """Cuts that follow from the rows. In the multipliers of leaves they come after the rows."""
    steps: Steps
    """Splits, each followed by the branch below and then the branch above, down to leaves."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof of a claim."""

    program: str
    """Hash of the numbers of its program."""
    parts: tuple[PartCertificate | None, ...]
    """Proofs in the order of the parts. None if nothing is proved."""


class Certified(ClaimParts):
    """Results that a certificate proves for a claim."""

    def __init__(self, aim: Claim, certificate: Certificate, watch: Watch) -> None:
        """Derive every bound.

        Raises:
            CertificateError: If it doesn't fit such a program.
        """
        super().__init__(aim)
        self.certificate = certificate
        if len(certificate.parts) != len(self.parts):
            raise CertificateError(f"is of {len(certificate.parts):,} parts, and there are {len(self.parts):,}")
        self.of_this = certificate.program == name_of(aim.linear)
        """True if it is about exactly the program's numbers."""
        self.bounds: list[Fraction | None] = []
        self.empty: list[bool] = []
        """True for each part that provably has no plan."""
        for number, (part, given) in enumerate(zip(self.parts, certificate.parts, strict=True)):
            bound, empty = (None, False) if given is None else self._proved(number, part, given, watch)
            self.bounds.append(bound)
            self.empty.append(empty)

    def _proved(
        self, number: int, part: Component, given: PartCertificate, watch: Watch
    ) -> tuple[Fraction | None, bool]:
        try:
            return proved(part.linear, self.most(number), given.steps, watch, given.cuts)
        except CertificateError as error:
            raise CertificateError(f"part {number + 1}: {error}") from error

    @property
    def bound(self) -> Fraction | None:
        """Lower bound on the cost of every plan. None if some part has no proof."""
        return self.sum(self.bounds)

    @property
    def counts(self) -> ProvedParts:
        """Return the number of parts with a sufficient proof."""
        given = [None if one is None else one.value for one in self.certificate.parts]
        return counts(self.parts, self.bounds, given, certified=True)

    def findings(self, value: Decimal, allowed: tuple[Decimal, Decimal]) -> list[str]:
        """Return where stated and proved figures differ. Empty if it is about other numbers.

        Args:
            value: Total value of the plan.
            allowed: Tolerance of the sum of all parts, downward and upward.
        """
        if not self.of_this:
            return []
        found = []
        for number, (given, bound) in enumerate(zip(self.certificate.parts, self.bounds, strict=True), 1):
            if given is None:
                continue
            if given.bound is None and not self.empty[number - 1]:
                found.append(f"part {number} states that no plan keeps it, and does not prove that")
            elif given.bound is not None and (bound is None or _differ(Fraction(given.bound), bound)):
                told = "nothing" if bound is None else f"{stated_as(bound)}"
                found.append(f"part {number} states {given.bound}, and proves {told}")
        values = [one.value for one in self.certificate.parts if one is not None]
        total = sum(values, Decimal(repr(self.linear.constant)))
        if len(values) == len(self.parts) and not value - allowed[0] <= total <= value + allowed[1]:
            found.append(f"its parts come to {total}, and the plan to {value}")
        return found


def _differ(stated: Fraction, bound: Fraction) -> bool:
    return abs(stated - bound) > Fraction(SAME) * max(abs(stated), Fraction(1))


def counts(
    parts: Sequence[Component], bounds: Sequence[Fraction | None], values: Sequence[Decimal | None], *, certified: bool
) -> ProvedParts:
    """Count the parts with a sufficient proof.

    Args:
        parts: All parts.
        bounds: Proved bound of each. None if nothing is proved.
        values: Value of the plan in each. None if unknown.
        certified: True if a certificate proved them without a solver.
    """
    kinds = [bool(part.linear.integer.any()) for part in parts]
    enough = [
        bound is not None and value is not None and value - stated_as(bound) <= OPTIMAL_GAP * abs(value) + OPTIMAL_MONEY
        for bound, value in zip(bounds, values, strict=True)
    ]
    integer = sum(kinds)
    integer_proved = sum(one and kind for one, kind in zip(enough, kinds, strict=True))
    return ProvedParts(len(parts) - integer, sum(enough) - integer_proved, integer, integer_proved, certified)


def proved(
    linear: Linear, most: float, steps: Steps, watch: Watch, cuts: Sequence[Cut] = ()
) -> tuple[Fraction | None, bool]:
    """Return the bound that the leaves of a part prove for plans of at most a cost, and whether there is no such plan.

    Raises:
        CertificateError: If they aren't a tree of such a program.
    """
    rows = ExactRows(linear, first_upper(linear, most))
    for cut in cuts:
        row = None if watch.stopped() else rows.of(cut)
        if row is None:  # in a program of other numbers it may be of rows that there are not
            return None, False
        rows.cuts.append(row)
    linear = rows.linear
    exact = ExactProgram(linear)
    left = [(linear.lower, rows.upper)]
    bounds: list[Fraction] = []
    for step in steps:
        if not left:
            raise CertificateError("a leaf is left over")
        lower, upper = left.pop()
        if isinstance(step, Branch):
            _check(linear, step)
            left += reversed(halves(step, lower, upper))
            continue
        if watch.stopped() or any(row >= len(linear.row_lower) for row, _ in step.multipliers.rows):
            return None, False
        try:
            bound = exact.value(step.multipliers, lower, upper, costs=not step.empty)
        except OverflowError as error:
            raise CertificateError("a multiplier is too large") from error
        if step.empty and bound is not None and bound > 0:
            continue
        if step.empty or bound is None:
            return None, False
        bounds.append(bound)
    if left:
        raise CertificateError("a leaf is missing")
    return min(bounds, default=None), not bounds


def _check(linear: Linear, step: Branch) -> None:
    if step.column >= len(linear.cost) or not linear.integer[step.column] or abs(step.at) >= _LARGEST:
        raise CertificateError(f"column {step.column} cannot be split")


def name_of(linear: Linear) -> str:
    """Return a hash of the numbers of a program."""
    return digest(linear).hex()


def stated_as(bound: Fraction) -> Decimal:
    """Return a bound rounded down to fifteen digits."""
    return _DIGITS.divide(Decimal(bound.numerator), Decimal(bound.denominator))


def certified(search: ProofSearch, x: Floats | None) -> Certificate:
    """Return the certificate of a search.

    Args:
        search: The finished search.
        x: The plan, as values of all columns. None if there is none, so that only parts without a plan count.
    """
    parts = []
    for part, tree in zip(search.parts, search.trees, strict=True):
        known = tree.empty if x is None else tree.bound is not None
        value = 0.0 if x is None else float(part.linear.cost @ x[part.columns])
        stated = None if tree.bound is None else stated_as(tree.bound)
        parts.append(PartCertificate(Decimal(repr(value)), stated, tree.cuts, tuple(tree.steps)) if known else None)
    return Certificate(name_of(search.linear), tuple(parts))


T = TypeVar("T")
FORMAT = 1
"""Version of the file format."""


def text_of(certificates: Sequence[Certificate]) -> str:
    """Return the file's content: JSON with a line for every split and leaf."""
    return f'{{"format": {FORMAT}, "claims": [\n' + ",\n".join(map(_claim, certificates)) + "\n]}\n"


def _claim(one: Certificate) -> str:
    parts = ",\n".join("null" if part is None else _part(part) for part in one.parts)
    return f'{{"program": "{one.program}", "parts": [\n{parts}\n]}}'


def _part(part: PartCertificate) -> str:
    bound = "null" if part.bound is None else f'"{part.bound}"'
    cuts = '"cuts": [\n' + ",\n".join(map(_cut, part.cuts)) + "\n], " if part.cuts else ""
    return (
        f'{{"value": "{part.value}", "bound": {bound}, {cuts}"tree": [\n' + ",\n".join(map(_step, part.steps)) + "\n]}"
    )


def _cut(cut: Cut) -> str:
    return json.dumps([cut.multipliers.over, cut.multipliers.rows, cut.ends], separators=(",", ":"))


def _step(step: Branch | Leaf) -> str:
    if isinstance(step, Branch):
        return json.dumps(["split", step.column, step.at])
    kind = "empty" if step.empty else "leaf"
    return json.dumps([kind, step.multipliers.over, step.multipliers.rows], separators=(",", ":"))


def read(data: Mapping[str, object]) -> list[Certificate]:
    """Parse the certificates of a file, one for each claim of the run, in order of rank.

    Raises:
        CertificateError: If it isn't valid.
    """
    if data.get("format") != FORMAT:
        raise CertificateError(f"is of format {data.get('format')!r}, and {FORMAT} can be read")
    return [_read_claim(one) for one in _of(data.get("claims"), list)]


def _read_claim(data: object) -> Certificate:
    claim = _of(data, dict)
    parts = [None if part is None else _read_part(_of(part, dict)) for part in _of(claim.get("parts"), list)]
    return Certificate(_of(claim.get("program"), str), tuple(parts))


def _read_part(data: Mapping[str, object]) -> PartCertificate:
    bound = data.get("bound")
    stated = None if bound is None else _number(bound)
    cuts = tuple(map(_read_cut, _of(data.get("cuts", []), list)))
    steps = tuple(map(_read_step, _of(data.get("tree"), list)))
    return PartCertificate(_number(data.get("value")), stated, cuts, steps)


def _read_cut(data: object) -> Cut:
    match _of(data, list):
        case [over, list(rows), list(ends)]:
            return Cut(_read_multipliers(over, rows), tuple(_whole(column, 0) for column in ends))
    raise CertificateError(f"{str(data)[:60]} is no cut")


def _read_step(data: object) -> Branch | Leaf:
    match _of(data, list):
        case ["split", column, at]:
            return Branch(_whole(column, 0), _whole(at))
        case ["leaf" | "empty" as kind, over, list(rows)]:
            return Leaf(_read_multipliers(over, rows), empty=kind == "empty")
    raise CertificateError(f"{str(data)[:60]} is neither a split nor a leaf")


def _read_multipliers(over: object, rows: Sequence[object]) -> Multipliers:
    given = tuple((_whole(row, 0), _whole(times)) for row, times in map(_pair, rows))
    if any(one[0] >= other[0] for one, other in pairwise(given)):
        raise CertificateError("multipliers stand in the order of their rows, one for each")
    return Multipliers(_whole(over, 1), given)


def _pair(data: object) -> list[object]:
    pair: list[object] = _of(data, list)
    if len(pair) != 2:
        raise CertificateError("a multiplier is a row and a number")
    return pair


def _of(data: object, kind: type[T]) -> T:
    if not isinstance(data, kind):
        raise CertificateError(f"{str(data)[:60]} stands where a {kind.__name__} is expected")
    return data


def _whole(data: object, least: int | None = None) -> int:
    number = _of(data, int)
    if isinstance(data, bool) or (least is not None and number < least):
        raise CertificateError(f"{number} is no whole number that can stand there")
    return number


def _number(data: object) -> Decimal:
    try:
        number = Decimal(_of(data, str))
    except DecimalException as error:
        raise CertificateError(f"{str(data)[:60]} is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise CertificateError(f"{str(data)[:60]} is no number that can stand there")
    return number
