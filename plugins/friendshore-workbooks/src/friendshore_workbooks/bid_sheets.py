"""A workbook for each supplier with what he is asked: a row an offer, a row a stage of its origin, and for which facts it was made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from friendshore.catalog.bids import (
    ABOUT,
    BID,
    BIDS,
    FILLED,
    FORMAT,
    NAMED,
    ORIGIN,
    ORIGINS,
    edition,
    identity,
    performed,
)
from friendshore.catalog.sheets import Sheet, workbook
from friendshore.domain.base import grouped
from friendshore.domain.facts import Offer
from friendshore.errors import InputError
from friendshore.session import Session
from friendshore.writing import write_file, written_aside

from .addressees import unaddressed
from .records import Unknown, UnknownKind, Unknowns

_OF_SUPPLIERS = frozenset(UnknownKind) - {UnknownKind.RULE, UnknownKind.LICENCE}
"""Unknowns that a supplier can answer."""


def write_bid_sheets(session: Session, found: Unknowns, folder: Path) -> Unknowns:
    """Write a sheet for each supplier who could answer something that would change what the plan costs; return the answer with the names of the files.

    Offers of several goods at once are left out: a row has one price. So is whoever cannot or may not be written to.

    Raises:
        InputError: if the folder is there or cannot be written, XlsxWriter is not installed, or a text holds what no workbook can.
    """
    if folder.exists() or folder.is_symlink():
        raise InputError("is there already, and is left as it is", str(folder), fix="name another, or move it away")
    matter = [
        one for one in found.unknowns if one.kind in _OF_SUPPLIERS and (one.best is not None or one.worst is not None)
    ]
    by_supplier = grouped((one.whom, one) for one in matter)
    files: dict[str, bytes] = {}
    unwritten: dict[str, str] = {}
    for supplier, unknowns in sorted(by_supplier.items()):
        offers = _offers(session, supplier, unknowns)
        reasons = [unaddressed(session, session.problem.merged.facilities[offer.facility]) for offer in offers]
        if any(reasons):
            unwritten[supplier] = next(filter(None, reasons))
        elif offers:
            name = _file(supplier, files)
            files[name] = workbook(name, list(_sheets(session, supplier, unknowns, offers)))
    try:
        with written_aside(folder) as made:
            made.mkdir()
            for name, content in files.items():
                write_file(made / name, content)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(folder)) from error
    return found.but(sheets=tuple(files), unwritten=tuple(f"{who}: {why}" for who, why in unwritten.items()))


def _file(supplier: str, taken: dict[str, bytes]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", supplier.lower()).strip("-")[:60] or "supplier"
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    return next(f"{name}.xlsx" for name in names if f"{name}.xlsx" not in taken)


def _offers(session: Session, supplier: str, unknowns: Sequence[Unknown]) -> list[Offer]:
    """All offers, of one good each, of the facilities that something is asked of: a bid stands in the place of all that is known of them."""
    merged = session.problem.merged
    about = {one.subject for one in unknowns}
    about |= {merged.offers[name].facility for name in about if name in merged.offers}
    return [
        offer
        for offer in merged.offers.values()
        if offer.facility in about
        and merged.facilities[offer.facility].supplier == supplier
        and len(offer.outputs) == 1
    ]


def _sheets(session: Session, supplier: str, unknowns: Sequence[Unknown], offers: Sequence[Offer]) -> Iterator[Sheet]:
    merged, case = session.problem.merged, session.problem.case
    about = [
        ["format", FORMAT],
        ["case", case.name],
        ["edition", edition(session.inputs.catalogs, {one.id for one in offers})],
        ["supplier", supplier],
    ]
    about += [[name, ""] for name in FILLED]
    about += [
        [
            "",
            "Cells in colour are yours to fill in; `*` must be, wherever a row is. Leave a row blank to bid nothing of it.",
        ]
    ]
    about += [["asked", one.question] for one in unknowns]
    yield Sheet(
        ABOUT,
        ("key", "value"),
        about,
        {},
        inputs={"value": "the rows `filled in by`, `quoted on`, `quotation` and `valid until`"},
    )
    units = {"price*": f"{case.currency}/kg", "capacity*": "t/year", "lead time*": "months", "min order": "kg"}
    named = [identity(one, merged.materials, merged.facilities) for one in offers]
    rows = [[*(one[name] for name in NAMED), *[""] * len(BIDS)] for one in named]
    told = dict.fromkeys(BIDS, "as it is bid")
    yield Sheet(BID, (*NAMED, *BIDS), rows, BIDS, units=units, inputs=told)
    stages = [
        [one.id, one.outputs[0].material, stage, *[""] * len(ORIGINS)]
        for one in offers
        for stage in performed(one, [str(stage.value) for stage in merged.materials[one.outputs[0].material].stages])
    ]
    yield Sheet(
        ORIGIN,
        ("offer", "material", "stage", *ORIGINS),
        stages,
        ORIGINS,
        inputs=dict.fromkeys(ORIGINS, "as it can be proved"),
    )
