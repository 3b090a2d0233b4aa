"""Certificates of bounds in a run: for each part, the leaves of its search tree with multipliers."""

# A certificate is checked without a solver, and nothing in it is trusted. Any multipliers give a valid bound (`exact`), and splits of integer columns
# cover all plans, whatever they are. So a forged certificate proves less, or the same. The figures that it states (the plan's value in each part, and
# its bound) are compared with what it proves.

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

FIGURE_TOLERANCE = Decimal("1e-9")
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
    """Bounds that a certificate proves for a claim. The constructor raises CertificateError if it doesn't fit such a program."""

    def __init__(self, claim: Claim, certificate: Certificate, watch: Watch) -> None:
        super().__init__(claim)
        self.certificate = certificate
        if len(certificate.parts) != len(self.parts):
            raise CertificateError(f"it has {len(certificate.parts):,} parts, but the program has {len(self.parts):,}")
        self.is_of_this_program = certificate.program == program_digest(claim.linear)
        """True if it is about exactly the program's numbers."""
        self.bounds: list[Fraction | None] = []
        self.empty: list[bool] = []
        """True for each part that provably has no plan."""
        for number, (part, part_certificate) in enumerate(zip(self.parts, certificate.parts, strict=True)):
            bound, empty = (
                (None, False) if part_certificate is None else self._proved(number, part, part_certificate, watch)
            )
            self.bounds.append(bound)
            self.empty.append(empty)

    def _proved(
        self, number: int, part: Component, certificate: PartCertificate, watch: Watch
    ) -> tuple[Fraction | None, bool]:
        try:
            return proved(part.linear, self.max_cost(number), certificate.steps, watch, certificate.cuts)
        except CertificateError as error:
            raise CertificateError(f"part {number + 1}: {error}") from error

    @property
    def bound(self) -> Fraction | None:
        return self.sum(self.bounds)

    @property
    def counts(self) -> ProvedParts:
        values = [None if certificate is None else certificate.value for certificate in self.certificate.parts]
        return count_proved_parts(self.parts, self.bounds, values, certified=True)

    def findings(self, value: Decimal, allowed: tuple[Decimal, Decimal]) -> list[str]:
        """Return where stated and proved figures differ, given the plan's value and its tolerance downward and upward. Empty for other numbers."""
        if not self.is_of_this_program:
            return []
        problems = []
        for number, (certificate, bound) in enumerate(zip(self.certificate.parts, self.bounds, strict=True), 1):
            if certificate is None:
                continue
            if certificate.bound is None and not self.empty[number - 1]:
                problems.append(f"part {number} claims to have no plan, but doesn't prove it")
            elif certificate.bound is not None and (bound is None or _differ(Fraction(certificate.bound), bound)):
                proved_bound = "nothing" if bound is None else f"{stated_as(bound)}"
                problems.append(f"part {number} claims {certificate.bound}, but proves {proved_bound}")
        values = [
            certificate_of_part.value
            for certificate_of_part in self.certificate.parts
            if certificate_of_part is not None
        ]
        total = sum(values, Decimal(repr(self.linear.constant)))
        if len(values) == len(self.parts) and not value - allowed[0] <= total <= value + allowed[1]:
            problems.append(f"its parts sum to {total}, but the plan has {value}")
        return problems


def _differ(stated: Fraction, bound: Fraction) -> bool:
    return abs(stated - bound) > Fraction(FIGURE_TOLERANCE) * max(abs(stated), Fraction(1))


def count_proved_parts(
    parts: Sequence[Component], bounds: Sequence[Fraction | None], values: Sequence[Decimal | None], *, certified: bool
) -> ProvedParts:
    has_integers = [bool(part.linear.integer.any()) for part in parts]
    is_proved = [
        bound is not None and value is not None and value - stated_as(bound) <= OPTIMAL_GAP * abs(value) + OPTIMAL_MONEY
        for bound, value in zip(bounds, values, strict=True)
    ]
    integer = sum(has_integers)
    integer_proved = sum(suffices and is_integer for suffices, is_integer in zip(is_proved, has_integers, strict=True))
    return ProvedParts(len(parts) - integer, sum(is_proved) - integer_proved, integer, integer_proved, certified)


def proved(
    linear: Linear, max_cost: float, steps: Steps, watch: Watch, cuts: Sequence[Cut] = ()
) -> tuple[Fraction | None, bool]:
    """Return the bound that a part's leaves prove for plans of at most a cost, and whether no such plan exists. Raises CertificateError."""
    rows = ExactRows(linear, first_upper(linear, max_cost))
    for cut in cuts:
        row = None if watch.stopped() else rows.of(cut)
        if row is None:  # its rows may not exist in a program of other numbers
            return None, False
        rows.cuts.append(row)
    linear = rows.linear
    exact = ExactProgram(linear)
    open_nodes = [(linear.lower, rows.upper)]
    bounds: list[Fraction] = []
    for step in steps:
        if not open_nodes:
            raise CertificateError("a leaf is left over")
        lower, upper = open_nodes.pop()
        if isinstance(step, Branch):
            _check(linear, step)
            open_nodes += reversed(halves(step, lower, upper))
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
    if open_nodes:
        raise CertificateError("a leaf is missing")
    return min(bounds, default=None), not bounds


def _check(linear: Linear, step: Branch) -> None:
    if step.column >= len(linear.cost) or not linear.integer[step.column] or abs(step.at) >= _LARGEST:
        raise CertificateError(f"column {step.column} cannot be split")


def program_digest(linear: Linear) -> str:
    return digest(linear).hex()


def stated_as(bound: Fraction) -> Decimal:
    """Return a bound rounded down to fifteen digits."""
    return _DIGITS.divide(Decimal(bound.numerator), Decimal(bound.denominator))


def certified(search: ProofSearch, x: Floats | None) -> Certificate:
    """Return the certificate of a search that found the plan `x`, or that found parts without a plan if `x` is None."""
    parts = []
    for part, tree in zip(search.parts, search.trees, strict=True):
        is_proved = tree.empty if x is None else tree.bound is not None
        value = 0.0 if x is None else float(part.linear.cost @ x[part.columns])
        stated = None if tree.bound is None else stated_as(tree.bound)
        parts.append(PartCertificate(Decimal(repr(value)), stated, tree.cuts, tuple(tree.steps)) if is_proved else None)
    return Certificate(program_digest(search.linear), tuple(parts))


T = TypeVar("T")
FORMAT = 1
"""Version of the file format."""


def text_of(certificates: Sequence[Certificate]) -> str:
    return f'{{"format": {FORMAT}, "claims": [\n' + ",\n".join(map(_claim, certificates)) + "\n]}\n"


def _claim(certificate: Certificate) -> str:
    parts = ",\n".join("null" if part is None else _part(part) for part in certificate.parts)
    return f'{{"program": "{certificate.program}", "parts": [\n{parts}\n]}}'


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
    """Parse the certificates of a file, one for each claim of the run, in order of rank. Raises CertificateError."""
    if data.get("format") != FORMAT:
        raise CertificateError(f"unknown format {data.get('format')!r}, expected {FORMAT}")
    return [_read_claim(claim) for claim in _of(data.get("claims"), list)]


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
    raise CertificateError(f"{str(data)[:60]} isn't a cut")


def _read_step(data: object) -> Branch | Leaf:
    match _of(data, list):
        case ["split", column, at]:
            return Branch(_whole(column, 0), _whole(at))
        case ["leaf" | "empty" as kind, over, list(rows)]:
            return Leaf(_read_multipliers(over, rows), empty=kind == "empty")
    raise CertificateError(f"{str(data)[:60]} is neither a split nor a leaf")


def _read_multipliers(over: object, rows: Sequence[object]) -> Multipliers:
    multipliers = tuple((_whole(row, 0), _whole(times)) for row, times in map(_pair, rows))
    if any(multiplier[0] >= next_multiplier[0] for multiplier, next_multiplier in pairwise(multipliers)):
        raise CertificateError("multipliers must be in the order of their rows, at most one for each")
    return Multipliers(_whole(over, 1), multipliers)


def _pair(data: object) -> list[object]:
    pair: list[object] = _of(data, list)
    if len(pair) != 2:
        raise CertificateError("a multiplier must be a row and a number")
    return pair


def _of(data: object, kind: type[T]) -> T:
    if not isinstance(data, kind):
        raise CertificateError(f"{str(data)[:60]} isn't a {kind.__name__}")
    return data


def _whole(data: object, min_value: int | None = None) -> int:
    number = _of(data, int)
    if isinstance(data, bool) or (min_value is not None and number < min_value):
        raise CertificateError(f"{number} isn't a valid whole number")
    return number


def _number(data: object) -> Decimal:
    try:
        number = Decimal(_of(data, str))
    except DecimalException as error:
        raise CertificateError(f"{str(data)[:60]} isn't a number") from error
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise CertificateError(f"{str(data)[:60]} isn't a valid number")
    return number
