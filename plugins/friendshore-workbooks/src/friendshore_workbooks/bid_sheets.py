"""Bid sheets: workbooks in which suppliers answer the questions of a plan, read back as catalogs with evidence `quoted`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from friendshore.catalog.sheets import Sheet, split_head, workbook
from friendshore.domain.base import UnreadableError, grouped
from friendshore.domain.basis import weighed
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Catalog, Facility, Material, Offer
from friendshore.domain.time import today
from friendshore.domain.use import Chained
from friendshore.errors import Diagnostic, InputError, all_of
from friendshore.readers import CatalogRows, Cell, TableRows
from friendshore.reading import kinds as k
from friendshore.reading.fields import Field
from friendshore.reading.workbook import Line, Workbook, is_workbook, read_workbook
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude, OriginBan
from friendshore.writing import atomic_write_path, write_file

from .unknowns import Unknown, UnknownKind, Unknowns

if TYPE_CHECKING:
    from friendshore.session import Session

FORMAT = "friendshore bid 1"
ABOUT, BID, ORIGIN = "bidder", "bid", "origin"
_CHANGED = "this cell was changed, so the bid may be for something else"
_RESTORE = "restore the original text"
FILLED = ("filled in by*", "quoted on*", "quotation", "valid until*")
BIDS: Mapping[str, Field] = {
    "price*": Field("price*", k.UNIT_PRICE, "Price per kilogram, above 0.", "580 USD/kg"),
    "capacity*": Field("capacity*", k.MASS_RATE, "Quantity that you can deliver per year, above 0.", "20 t/year"),
    "from": Field("from", k.DATE, "First day on which it can be ordered. Blank: now.", "2027-07-01"),
    "lead time*": Field("lead time*", k.DURATION, "Time from order to delivery.", "3 months"),
    "min order": Field("min order", k.MASS, "Minimum quantity of an order. Blank: none.", "500 kg"),
}
ORIGINS: Mapping[str, Field] = {
    "countries*": Field(
        "countries*", k.TEXT, "Countries in which this stage was performed, as codes separated by `;`.", "AU;JP"
    ),
    "all of it*": Field("all of it*", k.YES_NO, "`yes` if it was performed nowhere else.", "yes"),
    "proof*": Field(
        "proof*", k.TEXT, "Proof, such as the number and date of a certificate.", "mill certificate 17/2026"
    ),
}


def edition(catalogs: Iterable[Catalog], offers: Collection[str]) -> str:
    """Return a short hash of the editions of all catalogs that contain one of the offers."""
    editions = sorted(
        f"{catalog.name} {catalog.digest}"
        for catalog in catalogs
        if any(offer.id in offers for offer in catalog.offers)
    )
    return hashlib.sha256("\n".join(editions).encode()).hexdigest()[:16]


def is_bid_sheet(path: Path) -> bool:
    """Return True if a file has the sheets of a bid sheet. False for an unreadable file, which other readers report."""
    if not (is_workbook(path) and path.is_file()):
        return False
    book = read_workbook(path, [])
    return all(book.named(name) is not None for name in (ABOUT, BID))


def stages_to_prove(offer: Offer, stages: Sequence[str]) -> list[str]:
    """Return the stages whose origin a supplier is asked for: all of the material, or only those that a maker performs itself."""
    performed = [entry.stage for entry in offer.chain]
    return list(dict.fromkeys(performed if offer.inputs else [*stages, *performed]))


def row_identity(offer: Offer, materials: Mapping[str, Material], facilities: Mapping[str, Facility]) -> dict[str, str]:
    material, facility = materials[offer.outputs[0].material], facilities[offer.facility]
    return {
        "offer": offer.id,
        "material": material.id,
        "kilograms of": weighed(material),
        "facility": facility.name or facility.id,
    }


NAMED = ("offer", "material", "kilograms of", "facility")


@dataclass(frozen=True, slots=True)
class _Place:
    book: Workbook
    sheet: str
    line: int | None
    column: str


@dataclass
class BidSheet:
    """Reader of a bid sheet. It reports all errors together."""

    path: Path
    case: str
    catalogs: Sequence[Catalog]
    problems: list[Diagnostic] = field(default_factory=list)

    def rows(self, name: str) -> CatalogRows:
        """Return the catalog of the bids. Raise an `InputError` with all errors by cell."""
        book = read_workbook(self.path, self.problems)
        bidder = self._about(book)
        bids = {row.texts["offer"]: row for row in self._rows(book, BID, BIDS, NAMED, 1).values()}
        origins = self._rows(book, ORIGIN, ORIGINS, ("offer", "stage", "material"), 2)
        offers = {offer.id: offer for catalog in self.catalogs for offer in catalog.offers}
        facilities = {facility.id: facility for catalog in self.catalogs for facility in catalog.facilities}
        for offer_id, row in bids.items():
            if offer_id not in offers:
                place = _Place(book, BID, row.line, "offer")
                self._report(place, "the case doesn't have this offer", offer_id, fix=_RESTORE, code="FS912")
            elif (supplier := facilities[offers[offer_id].facility].supplier) != bidder.get("supplier"):
                place, expected = _Place(book, BID, row.line, "offer"), f"an offer of {bidder.get('supplier')}"
                message = f"the offer belongs to {supplier}"
                self._report(place, message, offer_id, expected, _RESTORE, code="FS912")
            else:
                self._check_offer(book, row, offers[offer_id], facilities)
        if not bids and not self.problems:
            fix = "fill in the colored cells of a row"
            self._report(_Place(book, BID, None, ""), "the sheet has no bid: every row is blank", fix=fix, code="FS913")
        for (offer_id, _), row in origins.items():
            if offer_id not in bids:
                place, expected = _Place(book, ORIGIN, row.line, "offer"), f"an offer with a bid on the sheet `{BID}`"
                message, fix = "this origin belongs to an offer without a bid", "fill in the bid, or clear this row"
                self._report(place, message, offer_id, expected, fix, code="FS913")
            elif offer_id in offers:
                self._check_stage(book, row, offers[offer_id])
        if self.problems:
            raise all_of(self.problems)
        return bid_catalog(name, Bid(bidder, bids, origins), self.catalogs, str(self.path))

    @cached_property
    def _materials(self) -> Mapping[str, Material]:
        return {material.id: material for catalog in self.catalogs for material in catalog.materials}

    def _check_offer(self, book: Workbook, row: BidRow, offer: Offer, facilities: Mapping[str, Facility]) -> None:
        for column, original in row_identity(offer, self._materials, facilities).items():
            if row.texts[column] != original:
                place = _Place(book, BID, row.line, column)
                self._report(place, _CHANGED, row.texts[column], original, _RESTORE, code="FS912")

    def _check_stage(self, book: Workbook, row: BidRow, offer: Offer) -> None:
        material = self._materials[offer.outputs[0].material]
        stages = stages_to_prove(offer, [stage.value for stage in material.stages])
        if row.texts["material"] != material.id:
            place = _Place(book, ORIGIN, row.line, "material")
            self._report(place, _CHANGED, row.texts["material"], material.id, _RESTORE, code="FS912")
        if row.texts["stage"] not in stages:
            place = _Place(book, ORIGIN, row.line, "stage")
            self._report(place, _CHANGED, row.texts["stage"], " or ".join(stages), _RESTORE, code="FS912")

    def _report(
        self, place: _Place, message: str, found: str = "", expected: str = "", fix: str = "", *, code: str
    ) -> None:
        file = place.book.place(place.sheet)
        self.problems.append(Diagnostic(message, file, place.line, place.column, found, expected, fix, code))

    def _about(self, book: Workbook) -> dict[str, str]:
        lines = book.sheets.get(book.named(ABOUT) or "", [])
        cells_by_key = {
            str(cells[0]): (line, str(cells[1]) if len(cells) > 1 else "") for line, cells in lines if cells
        }
        texts = {key: text for key, (_, text) in cells_by_key.items()}
        if texts.get("format") != FORMAT:
            fix = "write bid sheets again with `friendshore ask CASE --bid-sheets FOLDER`"
            raise InputError(
                "isn't a bid sheet of this version",
                book.place(ABOUT),
                found=texts.get("format", ""),
                expected=FORMAT,
                fix=fix,
                code="FS910",
            )
        offers = {str(cells[0]) for _, cells in book.sheets.get(book.named(BID) or "", [])[1:] if cells}
        fix = "write bid sheets again with `friendshore ask CASE --bid-sheets FOLDER`, and ask the supplier to fill them in"
        outdated = "the facts have changed since the sheet was written"
        for key, current, message in (
            ("case", self.case, "the sheet was written for another case"),
            ("edition", edition(self.catalogs, offers), outdated),
        ):
            line, text = cells_by_key.get(key, (None, ""))
            if texts.get(key) != current:
                self._report(_Place(book, ABOUT, line, key), message, text, current, fix, code="FS911")
        days = {}
        for key in FILLED:
            line, text = cells_by_key.get(key, (None, ""))
            if not text and key.endswith("*"):
                fix = "fill in the cell"
                self._report(_Place(book, ABOUT, line, key), "a required cell is blank", fix=fix, code="FS913")
        for key in ("quoted on*", "valid until*"):
            line, text = cells_by_key.get(key, (None, ""))
            place = _Place(book, ABOUT, line, key)
            day = days[key] = self._value(place, Field(key, k.DATE), text) if text else None
            if key == "valid until*" and day is not None and day < today():
                expected, fix = f"{today()} or later", "ask the supplier to extend the quotation"
                self._report(place, "the quotation has expired", text, expected, fix, code="FS911")
            if key == "quoted on*" and day is not None and day > today():
                expected = f"{today()} or earlier"
                self._report(place, "the quotation has a future date", text, expected, "correct the date", code="FS914")
        quoted, until = days["quoted on*"], days["valid until*"]
        if quoted is not None and until is not None and until < quoted:
            line, text = cells_by_key["valid until*"]
            place, message = _Place(book, ABOUT, line, "valid until*"), "the quotation expires before its own date"
            self._report(place, message, text, f"{quoted} or later", "correct the dates", code="FS914")
        return texts

    def _columns(
        self, book: Workbook, sheet: str, header: Line, names: Sequence[str]
    ) -> dict[str, tuple[int, str]] | None:
        line, cells = header
        columns = [split_head(str(cell)) for cell in cells]
        by_name = {name: (position, unit) for position, (name, unit) in enumerate(columns)}
        heads = [name for name, _ in columns]
        misfits = [name for name in names if heads.count(name) != 1]
        for name in misfits:
            message = "the column exists twice" if name in heads else "the column is missing"
            fix = "restore the original columns"
            self._report(_Place(book, sheet, line, name), message, fix=fix, code="FS901")
        return None if misfits else by_name

    def _rows(
        self, book: Workbook, sheet: str, fields: Mapping[str, Field], named: Sequence[str], key_count: int
    ) -> dict[tuple[str, ...], BidRow]:
        """Return the filled rows by key (the first `key_count` of the columns `named`), and report errors in the cells of `fields`."""
        lines = book.sheets.get(book.named(sheet) or "", [])
        self.problems += book.problems.get(book.named(sheet) or "", [])
        columns = self._columns(book, sheet, lines[0], [*named, *fields]) if lines else None
        rows: dict[tuple[str, ...], BidRow] = {}
        for line, cells in lines[1:] if columns is not None else []:
            assert columns is not None
            texts = {
                name: str(cells[position]).strip() if position < len(cells) else ""
                for name, (position, _) in columns.items()
            }
            if not any(texts[name] for name in fields):
                continue
            for name, column in fields.items():
                texts[name] = self._cell(_Place(book, sheet, line, name), column, texts[name], columns[name][1])
            key = tuple(texts[name] for name in named[:key_count])
            if key in rows:
                message = f"an earlier row has the same {' and '.join(named[:key_count])}"
                place = _Place(book, sheet, line, named[0])
                self._report(place, message, ", ".join(key), fix="clear one of the rows", code="FS912")
            rows[key] = BidRow(line, texts)
        return rows

    def _cell(self, place: _Place, column: Field, text: str, unit: str) -> str:
        name = column.name
        if not text:
            if name.endswith("*"):
                fix = "fill in the cell, or clear the whole row"
                self._report(place, "a required cell is blank", fix=fix, code="FS913")
            return text
        text = f"{text} {unit}" if unit and re.fullmatch(r"[\d.,]+", text) else text
        value = self._value(place, column, text)
        if name in ("price*", "capacity*") and value is not None and _size(value) <= 0:
            fix = "correct the figure, or clear the whole row"
            self._report(place, "the figure must be above 0", text, "above 0", fix, code="FS914")
        return text

    def _value(self, place: _Place, column: Field, text: str) -> Any:
        try:
            return column.kind.read(text)
        except UnreadableError as error:
            self._report(place, "cannot be read", text, error.expected, error.fix, code=error.code)
        return None


def _size(value: Any) -> Any:
    return value if not isinstance(value, tuple) else value[0]


_QUOTATION = "quotation"
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sources": ("id", "reference", "date", "states", "confidence"),
    "facilities": ("id", "name", "operator", "parent", "country", "place"),
    "offers": (
        "id",
        "facility",
        "material",
        "max_per_year",
        "from",
        "lead_time",
        "min_order",
        "customs_origin",
        "source",
    ),
    "quotes": ("offer", "until", "price", "source"),
    "recipe": ("offer", "role", "material", "per_unit", "source"),
    "chain": ("offer", "stage", "countries", "complete", "feed", "source"),
}
TableLine = tuple[int, Mapping[str, Cell]]


@dataclass(frozen=True, slots=True)
class BidRow:
    """A filled row."""

    line: int
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bid:
    """A bid sheet without errors."""

    about: Mapping[str, str]
    offers: Mapping[str, BidRow]
    origins: Mapping[tuple[str, ...], BidRow]


def bid_catalog(name: str, bid: Bid, catalogs: Sequence[Catalog], file: str) -> CatalogRows:
    offers = {item.id: item for catalog in catalogs for item in catalog.offers if item.id in bid.offers}
    facilities = {item.id: item for catalog in catalogs for item in catalog.facilities}
    chain = [*_bid_origins(bid, offers), *_known_origins(bid, offers)]
    facility_ids = dict.fromkeys(offers[offer_id].facility for offer_id in bid.offers)
    lines: dict[str, Iterable[TableLine]] = {
        "sources": ((1, item) for item in (_quotation(bid.about), *_origin_sources(bid))),
        "facilities": ((1, _facility(facilities[item])) for item in facility_ids),
        "offers": ((row.line, _offer(offers[item], row)) for item, row in bid.offers.items()),
        "quotes": ((row.line, _quote(item, row, bid.about)) for item, row in bid.offers.items()),
        "recipe": ((bid.offers[item].line, line) for item in bid.offers for line in _recipe(offers[item])),
        "chain": chain,
    }
    tables = {table: _table(_COLUMNS[table], rows, file) for table, rows in lines.items()}
    materials = {line.material for item in offers.values() for line in (*item.inputs, *item.outputs)}
    material_catalogs = {
        catalog.name for catalog in catalogs if any(item.id in materials for item in catalog.materials)
    }
    source_catalogs = {source for item in offers.values() for source in _cited(item, chain)}
    head = {
        "name": name,
        "title": f"Bid of {bid.about['supplier']}",
        "as_of": date.fromisoformat(bid.about["quoted on*"]),
        "requires": sorted(material_catalogs | source_catalogs),
    }
    return CatalogRows(head, tables, file)


def overlaps(name: str, rows: CatalogRows, catalogs: Sequence[Catalog]) -> str:
    catalog_of = {facility.id: catalog.name for catalog in catalogs for facility in catalog.facilities}
    facilities = [str(cells[0]) for _, cells in rows.tables["facilities"].rows]
    return "\n".join(
        f'[[overlap]]\nfacilities = ["{name}:{facility}", "{catalog_of[facility]}:{facility}"]\nkeep = "{name}:{facility}"\noffers = "kept"'
        for facility in facilities
    )


def _table(columns: Sequence[str], rows: Iterable[TableLine], file: str) -> TableRows:
    return TableRows(columns, [(line, [cells.get(column) or "" for column in columns]) for line, cells in rows], file)


def _cited(offer: Offer, chain: Sequence[TableLine]) -> set[str]:
    sources = [line.source for line in offer.inputs]
    sources += [str(cells["source"]) for _, cells in chain if cells["offer"] == offer.id]
    return {catalog for catalog, colon, _ in (source.partition(":") for source in sources) if colon}


def _quotation(about: Mapping[str, str]) -> Mapping[str, Cell]:
    number = about.get("quotation") or "without a number"
    by, until = about["filled in by*"], about["valid until*"]
    reference = f"quotation {number} of {about['supplier']}, by {by}, valid until {until}"
    return {
        "id": _QUOTATION,
        "reference": reference,
        "date": about["quoted on*"],
        "confidence": Confidence.QUOTED.value,
    }


def _origin_sources(bid: Bid) -> Iterator[Mapping[str, Cell]]:
    for number, ((_, stage), row) in enumerate(bid.origins.items(), 1):
        reference = f"{row.texts['proof*']}, according to {bid.about['supplier']}"
        source: dict[str, Cell] = {"id": f"proof-{number}", "reference": reference, "date": bid.about["quoted on*"]}
        yield {**source, "states": stage, "confidence": Confidence.QUOTED.value}


def _bid_origins(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[TableLine]:
    for number, ((name, stage), row) in enumerate(bid.origins.items(), 1):
        feed = next((entry.feed.value for entry in offers[name].chain if entry.stage == stage), None)
        origin: dict[str, Cell] = {"countries": row.texts["countries*"], "complete": row.texts["all of it*"]}
        yield row.line, {"offer": name, "stage": stage, **origin, "feed": feed, "source": f"proof-{number}"}


def _known_origins(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[TableLine]:
    for name, row in bid.offers.items():
        for entry in offers[name].chain:
            if (name, entry.stage) not in bid.origins:
                origin: dict[str, Cell] = {"countries": ";".join(sorted(entry.countries)), "feed": entry.feed.value}
                complete = "yes" if entry.complete else "no"
                yield (
                    row.line,
                    {"offer": name, "stage": entry.stage, **origin, "complete": complete, "source": entry.source},
                )


def _facility(facility: Facility) -> Mapping[str, Cell]:
    return {name: getattr(facility, name) for name in _COLUMNS["facilities"]}


def _offer(offer: Offer, row: BidRow) -> Mapping[str, Cell]:
    texts = row.texts
    identity: dict[str, Cell] = {"id": offer.id, "facility": offer.facility, "material": offer.outputs[0].material}
    terms: dict[str, Cell] = {
        "max_per_year": texts["capacity*"],
        "from": texts["from"],
        "lead_time": texts["lead time*"],
    }
    customs_origin = offer.customs_origin
    return {
        **identity,
        **terms,
        "min_order": texts["min order"],
        "customs_origin": customs_origin,
        "source": _QUOTATION,
    }


def _quote(name: str, row: BidRow, about: Mapping[str, str]) -> Mapping[str, Cell]:
    return {"offer": name, "until": about["valid until*"], "price": row.texts["price*"], "source": _QUOTATION}


def _recipe(offer: Offer) -> Iterator[Mapping[str, Cell]]:
    for line in offer.inputs:
        input_line: dict[str, Cell] = {"material": line.material, "per_unit": line.per_unit, "source": line.source}
        yield {"offer": offer.id, "role": "input", **input_line}


_SEVERAL_COMPANIES = re.compile(r";|\bothers?\b|\bmakers\b", re.IGNORECASE)
"""Signs that an operator isn't a single company: a list, or a word for a trade."""


def reason_not_to_ask(session: Session, facility: Facility) -> str:
    """Return the reason why a facility can't be asked for a bid. Empty if it can.

    An inquiry to a company on a screening list, or in a country whose goods a sanction prohibits, may itself violate sanctions. So a rule counts with
    any status and for any use.
    """
    if not facility.operator or _SEVERAL_COMPANIES.search(facility.operator):
        return "no single operator is known"
    merged = session.problem.merged
    offers = [offer for offer in merged.offers.values() if offer.facility == facility.id]
    prohibiting = [
        rule.id for rule in session.problem.rules if any(_prohibits(session, rule, offer, facility) for offer in offers)
    ]
    return f"a rule prohibits its goods: {', '.join(prohibiting)}" if prohibiting else ""


def _prohibits(session: Session, rule: Rule, offer: Offer, facility: Facility) -> bool:
    materials = [session.problem.merged.materials[line.material] for line in offer.outputs]
    if isinstance(rule, Exclude):
        return any(
            rule.covers(material)
            and rule.names(Chained(offer=offer, material=material, facility=facility, performed=offer.chain))
            for material in materials
        )
    if isinstance(rule, OriginBan) and not rule.asks_proof:
        return bool(rule.barred.among(frozenset({facility.country}))) and any(map(rule.covers, materials))
    return False


_ANSWERED_BY_SUPPLIERS = frozenset(UnknownKind) - {UnknownKind.RULE, UnknownKind.LICENSE}


def write_bid_sheets(session: Session, result: Unknowns, folder: Path) -> Unknowns:
    """Write a sheet for each supplier whose answers could change the cost of the plan. Return the result with the names of the files.

    Offers of several goods are left out, because a row has one price. Suppliers that can't or must not be written to are left out too.
    """
    if folder.exists() or folder.is_symlink():
        fix = "choose another folder, or move this one away"
        raise InputError("the folder exists, so nothing is written", str(folder), fix=fix, code="FS918")
    relevant = [
        unknown
        for unknown in result.unknowns
        if unknown.kind in _ANSWERED_BY_SUPPLIERS and (unknown.best is not None or unknown.worst is not None)
    ]
    by_supplier = grouped((unknown.addressee, unknown) for unknown in relevant)
    files: dict[str, bytes] = {}
    unwritten: dict[str, str] = {}
    for supplier, unknowns in sorted(by_supplier.items()):
        offers = _offers_to_bid_on(session, supplier, unknowns)
        reasons = [reason_not_to_ask(session, session.problem.merged.facilities[offer.facility]) for offer in offers]
        if any(reasons):
            unwritten[supplier] = next(filter(None, reasons))
        elif offers:
            name = _file_name(supplier, files)
            files[name] = workbook(name, list(_sheets(session, supplier, unknowns, offers)))
    try:
        with atomic_write_path(folder) as temporary_folder:
            temporary_folder.mkdir()
            for name, content in files.items():
                write_file(temporary_folder / name, content)
    except OSError as error:
        message = f"the folder can't be written: {error.strerror or error}"
        raise InputError(message, str(folder), fix="choose another folder", code="FS918") from error
    return result.but(sheets=tuple(files), unwritten=tuple(f"{who}: {why}" for who, why in unwritten.items()))


def _file_name(supplier: str, files: dict[str, bytes]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", supplier.lower()).strip("-")[:60] or "supplier"
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(files) + 3)))
    return next(f"{name}.xlsx" for name in names if f"{name}.xlsx" not in files)


def _offers_to_bid_on(session: Session, supplier: str, unknowns: Sequence[Unknown]) -> list[Offer]:
    """Return all single-good offers of the facilities with a question, since a bid replaces all known facts of a facility."""
    merged = session.problem.merged
    facilities = {unknown.subject for unknown in unknowns}
    facilities |= {merged.offers[name].facility for name in facilities if name in merged.offers}
    return [
        offer
        for offer in merged.offers.values()
        if offer.facility in facilities
        and merged.facilities[offer.facility].supplier == supplier
        and len(offer.outputs) == 1
    ]


def _sheets(session: Session, supplier: str, unknowns: Sequence[Unknown], offers: Sequence[Offer]) -> Iterator[Sheet]:
    merged, case = session.problem.merged, session.problem.case
    about = [
        ["format", FORMAT],
        ["case", case.name],
        ["edition", edition(session.inputs.catalogs, {offer.id for offer in offers})],
        ["supplier", supplier],
    ]
    about += [[name, ""] for name in FILLED]
    about += [
        [
            "",
            "Fill in the colored cells. In a row that you fill in, cells with `*` are required. Leave a row blank if you make no bid for it.",
        ]
    ]
    about += [["asked", unknown.question] for unknown in unknowns]
    yield Sheet(
        ABOUT,
        ("key", "value"),
        about,
        {},
        inputs={"value": "the rows `filled in by`, `quoted on`, `quotation`, and `valid until`"},
    )
    units = {"price*": f"{case.currency}/kg", "capacity*": "t/year", "lead time*": "months", "min order": "kg"}
    identities = [row_identity(offer, merged.materials, merged.facilities) for offer in offers]
    rows = [[*(cells[name] for name in NAMED), *[""] * len(BIDS)] for cells in identities]
    inputs = dict.fromkeys(BIDS, "your bid")
    yield Sheet(BID, (*NAMED, *BIDS), rows, BIDS, units=units, inputs=inputs)
    stages = [
        [offer.id, offer.outputs[0].material, stage, *[""] * len(ORIGINS)]
        for offer in offers
        for stage in stages_to_prove(
            offer, [str(stage.value) for stage in merged.materials[offer.outputs[0].material].stages]
        )
    ]
    yield Sheet(
        ORIGIN,
        ("offer", "material", "stage", *ORIGINS),
        stages,
        ORIGINS,
        inputs=dict.fromkeys(ORIGINS, "the origin that you can prove"),
    )
