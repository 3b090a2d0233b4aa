"""What proves that a mix withstands losses: its plan, the plans that follow it, and the sets of losses that no cheaper plan withstands all of."""

from __future__ import annotations

from pathlib import Path

from friendshore.domain.base import Number, Record
from friendshore.domain.plan import Plan
from friendshore.errors import InputError
from friendshore.reading.records import record
from friendshore.reading.textfile import read_object
from friendshore.writing import refuse_present, replace_file

FORMAT = 3
"""Version of the file's form."""
_AGAIN = "write it anew: friendshore withstand CASE --out FILE"


class CertifiedLeast(Record):
    """The least that something comes to, and what proves it in exact fractions."""

    value: Number | None
    """None: nothing can follow at all."""
    certificate: str
    """Multipliers of rows, and splits of integer columns, as JSON: a certificate as runs carry it."""


class HeldLosses(Record):
    """Losses that any plan is asked to withstand for the bound on cost."""

    losses: tuple[int, ...]
    """By position."""
    allowed: Number
    """How much may be missing after them: kilograms, each demand's by its weight."""


class UnavoidableShortage(Record):
    """What is missing after some losses whatever is decided before."""

    losses: tuple[int, ...]
    """By position."""
    least: CertifiedLeast | None


class ProvedComponent(Record):
    """An independent component of a part."""

    held: tuple[HeldLosses, ...]
    """No plan that withstands these costs less."""
    cost: CertifiedLeast | None = None
    """Of the cheapest plan that does; None: nothing is proved of it."""
    unavoidable: tuple[UnavoidableShortage, ...] = ()


class ProvedPart(Record):
    """An independent part of the case."""

    materials: tuple[str, ...]
    first: Plan
    """What is planned where nothing is lost."""
    ready: tuple[str, ...]
    """Offers that are onboarded though it buys nothing of them."""
    components: tuple[ProvedComponent, ...]
    after: tuple[Plan, ...]
    """What follows losses: for each combination there is one among them."""


class WithstandProof(Record):
    """The file that `--out` writes and `--check` reads."""

    format: int
    case: str
    facts: str
    """SHA-256 of the facts that it was written for."""
    losses: tuple[str, ...]
    """As they are named."""
    comes: int
    """Period in which losses come."""
    reacts: int
    """First period in which there is time to react."""
    most: int
    """Losses that may come together."""
    extra: Number
    """By how much the plan is said to be dearer than the plan as it is."""
    not_withstood: int
    """Combinations that are said not to be withstood, by this plan or any other."""
    parts: tuple[ProvedPart, ...]


def write_proof(proof: WithstandProof, place: Path) -> None:
    """Writes it.

    Raises:
        InputError: if there is such a file.
        OSError: if it cannot be written.
    """
    refuse_present(place)
    replace_file(place, (proof.model_dump_json(exclude_defaults=True) + "\n").encode())


def read_proof(place: Path) -> WithstandProof:
    """Reads it: its form is checked, and nothing else.

    Raises:
        InputError: if it is none.
    """
    data = read_object(place, _AGAIN)
    if data.get("format") != FORMAT:
        raise InputError(
            "is no proof that losses are withstood, or one of another version",
            str(place),
            column="format",
            found=repr(data.get("format")),
            expected=str(FORMAT),
            fix=_AGAIN,
        )
    return record(WithstandProof, data, str(place))
