"""The file of a certificate: JSON, a line for every split and every leaf. What is read is checked for its form alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, DecimalException
from itertools import pairwise
from typing import TypeVar

from .certificate import Certificate, NoCertificateError, PartCertificate
from .cuts import Cut
from .exact import Multipliers
from .tree import Branch, Leaf

T = TypeVar("T")
FORMAT = 1
"""Version of the file's form."""


def text_of(certificates: Sequence[Certificate]) -> str:
    """The file: JSON, a line for every split and leaf."""
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
    """The certificates of a file, one for each claim of the run, in order of rank.

    Raises:
        NoCertificateError: if it is none.
    """
    if data.get("format") != FORMAT:
        raise NoCertificateError(f"is of format {data.get('format')!r}, and {FORMAT} can be read")
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
    raise NoCertificateError(f"{str(data)[:60]} is no cut")


def _read_step(data: object) -> Branch | Leaf:
    match _of(data, list):
        case ["split", column, at]:
            return Branch(_whole(column, 0), _whole(at))
        case ["leaf" | "empty" as kind, over, list(rows)]:
            return Leaf(_read_multipliers(over, rows), empty=kind == "empty")
    raise NoCertificateError(f"{str(data)[:60]} is neither a split nor a leaf")


def _read_multipliers(over: object, rows: Sequence[object]) -> Multipliers:
    given = tuple((_whole(row, 0), _whole(times)) for row, times in map(_pair, rows))
    if any(one[0] >= other[0] for one, other in pairwise(given)):
        raise NoCertificateError("multipliers stand in the order of their rows, one for each")
    return Multipliers(_whole(over, 1), given)


def _pair(data: object) -> list[object]:
    pair: list[object] = _of(data, list)
    if len(pair) != 2:
        raise NoCertificateError("a multiplier is a row and a number")
    return pair


def _of(data: object, kind: type[T]) -> T:
    if not isinstance(data, kind):
        raise NoCertificateError(f"{str(data)[:60]} stands where a {kind.__name__} is expected")
    return data


def _whole(data: object, least: int | None = None) -> int:
    number = _of(data, int)
    if isinstance(data, bool) or (least is not None and number < least):
        raise NoCertificateError(f"{number} is no whole number that can stand there")
    return number


def _number(data: object) -> Decimal:
    try:
        number = Decimal(_of(data, str))
    except DecimalException as error:
        raise NoCertificateError(f"{str(data)[:60]} is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > 300:
        raise NoCertificateError(f"{str(data)[:60]} is no number that can stand there")
    return number
