"""Bid sheets: workbooks for suppliers' offers, written for a plan and read back as catalogs of evidence `quoted`.

The sheet `bid` has a row for each offer, and the sheet `origin` has a row for each stage of an offer. The sheet `bidder` has the bidder, the last
day of validity, the case, and the edition of the facts. A cell under a head with `*` must be filled in. A blank row is no bid.
"""

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
"""Format name in a bid sheet."""
ABOUT, BID, ORIGIN = "bidder", "bid", "origin"
"""Names of its sheets."""
_CHANGED = "this is not what the bid was asked for: leave it as it was written"
FILLED = ("filled in by*", "quoted on*", "quotation", "valid until*")
"""Entries of the bidder for the whole sheet."""
BIDS: Mapping[str, Field] = {
    "price*": Field("price*", k.UNIT_PRICE, "What a kilogram costs, above 0.", "580 USD/kg"),
    "capacity*": Field("capacity*", k.MASS_RATE, "How much can be delivered a year, above 0.", "20 t/year"),
    "from": Field("from", k.DATE, "First day on which it may be ordered; blank: at once.", "2027-07-01"),
    "lead time*": Field("lead time*", k.DURATION, "From order to delivery.", "3 months"),
    "min order": Field("min order", k.MASS, "Least that is ordered at a time; blank: none.", "500 kg"),
}
"""Entries for an offer."""
ORIGINS: Mapping[str, Field] = {
    "countries*": Field(
        "countries*", k.TEXT, "Countries in which this was done, by their codes, set apart by `;`.", "AU;JP"
    ),
    "all of it*": Field("all of it*", k.YES_NO, "Whether it was done nowhere else.", "yes"),
    "proof*": Field(
        "proof*", k.TEXT, "What proves it: a certificate, its number and date.", "mill certificate 17/2026"
    ),
}
"""Entries for each stage."""


def edition(catalogs: Iterable[Catalog], offers: Collection[str]) -> str:
    """Return a short key of the facts behind some offers. It changes with the edition of any of their catalogs."""
    told = sorted(f"{one.name} {one.digest}" for one in catalogs if any(offer.id in offers for offer in one.offers))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def is_bid_sheet(path: Path) -> bool:
    """Return True if a file is a bid sheet, judged by its sheets. False for an unreadable file, which other readers report."""
    if not (is_workbook(path) and path.is_file()):
        return False
    book = read_workbook(path, [])
    return all(book.named(name) is not None for name in (ABOUT, BID))


def performed(offer: Offer, stages: Sequence[str]) -> list[str]:
    """Return the stages whose origin an offer is asked for: all stages of its material, or for a maker those that it performs."""
    own = [entry.stage for entry in offer.chain]
    return list(dict.fromkeys(own if offer.inputs else [*stages, *own]))


def identity(offer: Offer, materials: Mapping[str, Material], facilities: Mapping[str, Facility]) -> dict[str, str]:
    """Return the subject of a row of the sheet `bid` by column: the goods, the basis of their mass, and their source."""
    material, facility = materials[offer.outputs[0].material], facilities[offer.facility]
    return {
        "offer": offer.id,
        "material": material.id,
        "kilograms of": weighed(material),
        "facility": facility.name or facility.id,
    }


NAMED = ("offer", "material", "kilograms of", "facility")
"""Columns of the sheet `bid` that identify a row. They aren't to be changed."""


@dataclass
class BidSheet:
    """Reader of a bid sheet. It reports all errors together."""

    path: Path
    case: str
    catalogs: Sequence[Catalog]
    found: list[Diagnostic] = field(default_factory=list)

    def rows(self, name: str) -> CatalogRows:
        """Return the catalog of the bids.

        Raises:
            InputError: With all errors by cell. Also if the sheet is for another case or edition, or no longer valid.
        """
        book = read_workbook(self.path, self.found)
        about = self._about(book)
        bids = {row.texts["offer"]: row for row in self._rows(book, BID, BIDS, NAMED, 1).values()}
        origins = self._rows(book, ORIGIN, ORIGINS, ("offer", "stage", "material"), 2)
        offers = {offer.id: offer for catalog in self.catalogs for offer in catalog.offers}
        facilities = {one.id: one for catalog in self.catalogs for one in catalog.facilities}
        suppliers = {name_: one.supplier for name_, one in facilities.items()}
        for name_, row in bids.items():
            if name_ not in offers:
                self._wrong(book, BID, row.line, "offer", "the case has no such offer", name_)
            elif suppliers[offers[name_].facility] != about.get("supplier"):
                expected = f"an offer of {suppliers[offers[name_].facility]} on a sheet of theirs"
                self._wrong(book, BID, row.line, "offer", "the offer is another supplier's", name_, expected)
            else:
                self._asked(book, row, offers[name_], facilities)
        if not bids and not self.found:
            self._wrong(book, BID, None, "", "nothing is bid: every row is blank", "")
        for (name_, _), row in origins.items():
            if name_ not in bids:
                expected = f"an offer with a row filled in on the sheet `{BID}`"
                self._wrong(book, ORIGIN, row.line, "offer", "an origin of what is not bid", name_, expected)
            elif name_ in offers:
                self._asked_of_stage(book, row, offers[name_])
        if self.found:
            raise all_of(self.found)
        return bid_catalog(name, Bid(about, bids, origins), self.catalogs, str(self.path))

    @cached_property
    def _materials(self) -> Mapping[str, Material]:
        return {one.id: one for catalog in self.catalogs for one in catalog.materials}

    def _asked(self, book: Workbook, row: BidRow, offer: Offer, facilities: Mapping[str, Facility]) -> None:
        """Report a row whose identity was changed, since its figures would be misread."""
        for name, written in identity(offer, self._materials, facilities).items():
            if row.texts[name] != written:
                self._wrong(book, BID, row.line, name, _CHANGED, row.texts[name], written)

    def _asked_of_stage(self, book: Workbook, row: BidRow, offer: Offer) -> None:
        material = self._materials[offer.outputs[0].material]
        stages = performed(offer, [stage.value for stage in material.stages])
        if row.texts["material"] != material.id:
            self._wrong(book, ORIGIN, row.line, "material", _CHANGED, row.texts["material"], material.id)
        if row.texts["stage"] not in stages:
            self._wrong(book, ORIGIN, row.line, "stage", _CHANGED, row.texts["stage"], " or ".join(stages))

    def _wrong(
        self, book: Workbook, sheet: str, line: int | None, column: str, message: str, found: str, expected: str = ""
    ) -> None:
        self.found.append(Diagnostic(message, book.place(sheet), line, column, found, expected))

    def _about(self, book: Workbook) -> dict[str, str]:
        """Return the entries for the whole sheet, and report those that make it obsolete."""
        lines = book.sheets.get(book.named(ABOUT) or "", [])
        texts = {str(cells[0]): (line, str(cells[1]) if len(cells) > 1 else "") for line, cells in lines if cells}
        told = {name: text for name, (_, text) in texts.items()}
        if told.get("format") != FORMAT:
            raise InputError(
                "is no bid sheet of this format", book.place(ABOUT), found=told.get("format", ""), expected=FORMAT
            )
        asked = {str(cells[0]) for _, cells in book.sheets.get(book.named(BID) or "", [])[1:] if cells}
        fix = "write bid sheets anew with `friendshore ask --bid-sheets`, and have them filled in"
        for key, now, message in (
            ("case", self.case, "the sheet is of another case"),
            (
                "edition",
                edition(self.catalogs, asked),
                "the sheet was made for another edition of the facts: it is stale",
            ),
        ):
            if told.get(key) != now:
                line, text = texts.get(key, (None, ""))
                self.found.append(Diagnostic(message, book.place(ABOUT), line, key, text, now, fix))
        for name in FILLED:
            line, text = texts.get(name, (None, ""))
            if name.endswith("*") and not text:
                self._wrong(book, ABOUT, line, name, "partial bid: this has to be filled in", "")
        days = {}
        for name in ("quoted on*", "valid until*"):
            line, text = texts.get(name, (None, ""))
            day = days[name] = self._value(book, ABOUT, line, Field(name, k.DATE), text) if text else None
            if name == "valid until*" and day is not None and day < today():
                self._wrong(book, ABOUT, line, name, "the bid is no longer valid", text, f"{today()} or later")
            if name == "quoted on*" and day is not None and day > today():
                self._wrong(book, ABOUT, line, name, "the quotation is of a day to come", text, f"{today()} or earlier")
        quoted, until = days["quoted on*"], days["valid until*"]
        if quoted is not None and until is not None and until < quoted:
            line, text = texts["valid until*"]
            self._wrong(
                book, ABOUT, line, "valid until*", "the bid ends before it was made", text, f"{quoted} or later"
            )
        return told

    def _columns(
        self, book: Workbook, sheet: str, heads: Line, names: Sequence[str]
    ) -> dict[str, tuple[int, str]] | None:
        """Return the position of each column with the unit of its head. None, with an error reported, if one is missing or duplicated."""
        line, cells = heads
        told = [split_head(str(cell)) for cell in cells]
        found = {name: (at, unit) for at, (name, unit) in enumerate(told)}
        wrong = [name for name in names if [head for head, _ in told].count(name) != 1]
        for name in wrong:
            self._wrong(book, sheet, line, name, "the column is not there once", "", "the columns as they were written")
        return None if wrong else found

    def _rows(
        self, book: Workbook, sheet: str, fields: Mapping[str, Field], named: Sequence[str], keys: int
    ) -> dict[tuple[str, ...], BidRow]:
        """Return the filled rows of a sheet, with each cell checked and missing entries reported.

        The first `keys` of the columns that are not filled in identify rows.
        """
        lines = book.sheets.get(book.named(sheet) or "", [])
        self.found += book.found.get(book.named(sheet) or "", [])
        columns = self._columns(book, sheet, lines[0], [*named, *fields]) if lines else None
        found: dict[tuple[str, ...], BidRow] = {}
        for line, cells in lines[1:] if columns is not None else []:
            assert columns is not None
            texts = {name: str(cells[at]).strip() if at < len(cells) else "" for name, (at, _) in columns.items()}
            if not any(texts[name] for name in fields):
                continue
            for name, column in fields.items():
                texts[name] = self._cell(book, sheet, line, column, texts[name], columns[name][1])
            key = tuple(texts[name] for name in named[:keys])
            if key in found:
                self._wrong(book, sheet, line, named[0], "bid twice", ", ".join(key))
            found[key] = BidRow(line, texts)
        return found

    def _cell(self, book: Workbook, sheet: str, line: int, column: Field, text: str, unit: str) -> str:
        """Return the text of a cell with the unit of its head, after checking it."""
        name = column.name
        if not text:
            if name.endswith("*"):
                self._wrong(book, sheet, line, name, "partial bid: fill this in, or leave the whole row blank", "")
            return text
        told = f"{text} {unit}" if unit and re.fullmatch(r"[\d.,]+", text) else text
        value = self._value(book, sheet, line, column, told)
        if name in ("price*", "capacity*") and value is not None and _size(value) <= 0:
            message = "zero bid: nothing is sold for nothing, and nothing of nothing"
            self._wrong(book, sheet, line, name, message, told, "above 0")
        return told

    def _value(self, book: Workbook, sheet: str, line: int | None, column: Field, text: str) -> Any:
        """Return a cell's value. None, with an error reported, if it can't be read."""
        try:
            return column.kind.read(text)
        except UnreadableError as error:
            self._wrong(book, sheet, line, column.name, f"this is no {column.kind.name}", text, str(error))
        return None


def _size(value: Any) -> Any:
    return value if not isinstance(value, tuple) else value[0]


_QUOTATION = "quotation"
"""Source of all bid figures except origins."""
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
"""A row of a table, and its row in the sheet."""


@dataclass(frozen=True, slots=True)
class BidRow:
    """A row that is filled in."""

    line: int
    texts: Mapping[str, str]
    """Texts by column, with units of the head."""


@dataclass(frozen=True, slots=True)
class Bid:
    """A bid sheet without errors."""

    about: Mapping[str, str]
    """Entries for the whole sheet."""
    offers: Mapping[str, BidRow]
    origins: Mapping[tuple[str, ...], BidRow]
    """Rows by offer and stage."""


def bid_catalog(name: str, bid: Bid, catalogs: Sequence[Catalog], file: str) -> CatalogRows:
    """Return the catalog of a bid on offers of some catalogs, with a separate name."""
    offers = {one.id: one for catalog in catalogs for one in catalog.offers if one.id in bid.offers}
    facilities = {one.id: one for catalog in catalogs for one in catalog.facilities}
    chain = [*_proved(bid, offers), *_known(bid, offers)]
    named = dict.fromkeys(offers[name_].facility for name_ in bid.offers)
    lines: dict[str, Iterable[TableLine]] = {
        "sources": ((1, one) for one in (_quotation(bid.about), *_proofs(bid))),
        "facilities": ((1, _facility(facilities[one])) for one in named),
        "offers": ((row.line, _offer(offers[one], row)) for one, row in bid.offers.items()),
        "quotes": ((row.line, _quote(one, row, bid.about)) for one, row in bid.offers.items()),
        "recipe": ((bid.offers[one].line, line) for one in bid.offers for line in _recipe(offers[one])),
        "chain": chain,
    }
    tables = {of: _table(_COLUMNS[of], rows, file) for of, rows in lines.items()}
    materials = {line.material for one in offers.values() for line in (*one.inputs, *one.outputs)}
    homes = {catalog.name for catalog in catalogs if any(one.id in materials for one in catalog.materials)}
    cited = {source for one in offers.values() for source in _cited(one, chain)}
    head = {
        "name": name,
        "title": f"Bid of {bid.about['supplier']}",
        "as_of": date.fromisoformat(bid.about["quoted on*"]),
        "requires": sorted(homes | cited),
    }
    return CatalogRows(head, tables, file)


def overlaps(name: str, rows: CatalogRows, catalogs: Sequence[Catalog]) -> str:
    """Return the entry of a case file that makes a bid replace known facts of the same facilities."""
    homes = {one.id: catalog.name for catalog in catalogs for one in catalog.facilities}
    bidding = [str(cells[0]) for _, cells in rows.tables["facilities"].rows]
    return "\n".join(
        f'[[overlap]]\nfacilities = ["{name}:{one}", "{homes[one]}:{one}"]\nkeep = "{name}:{one}"\noffers = "kept"'
        for one in bidding
    )


def _table(columns: Sequence[str], rows: Iterable[TableLine], file: str) -> TableRows:
    return TableRows(columns, [(line, [one.get(column) or "" for column in columns]) for line, one in rows], file)


def _cited(offer: Offer, chain: Sequence[TableLine]) -> set[str]:
    """Return the catalogs with evidence for facts that aren't asked again."""
    sources = [line.source for line in offer.inputs]
    sources += [str(one["source"]) for _, one in chain if one["offer"] == offer.id]
    return {home for home, colon, _ in (source.partition(":") for source in sources) if colon}


def _quotation(about: Mapping[str, str]) -> Mapping[str, Cell]:
    called = about.get("quotation") or "without a number"
    by, until = about["filled in by*"], about["valid until*"]
    reference = f"quotation {called} of {about['supplier']}, by {by}, valid until {until}"
    return {
        "id": _QUOTATION,
        "reference": reference,
        "date": about["quoted on*"],
        "confidence": Confidence.QUOTED.value,
    }


def _proofs(bid: Bid) -> Iterator[Mapping[str, Cell]]:
    """Yield a source for each filled origin."""
    for number, ((_, stage), row) in enumerate(bid.origins.items(), 1):
        reference = f"{row.texts['proof*']}, as {bid.about['supplier']} says"
        told: dict[str, Cell] = {"id": f"proof-{number}", "reference": reference, "date": bid.about["quoted on*"]}
        yield {**told, "states": stage, "confidence": Confidence.QUOTED.value}


def _proved(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[TableLine]:
    for number, ((name, stage), row) in enumerate(bid.origins.items(), 1):
        feed = next((entry.feed.value for entry in offers[name].chain if entry.stage == stage), None)
        stated: dict[str, Cell] = {"countries": row.texts["countries*"], "complete": row.texts["all of it*"]}
        yield row.line, {"offer": name, "stage": stage, **stated, "feed": feed, "source": f"proof-{number}"}


def _known(bid: Bid, offers: Mapping[str, Offer]) -> Iterator[TableLine]:
    """Yield the known stages for stages without entries."""
    for name, row in bid.offers.items():
        for entry in offers[name].chain:
            if (name, entry.stage) not in bid.origins:
                stated: dict[str, Cell] = {"countries": ";".join(sorted(entry.countries)), "feed": entry.feed.value}
                complete = "yes" if entry.complete else "no"
                yield (
                    row.line,
                    {"offer": name, "stage": entry.stage, **stated, "complete": complete, "source": entry.source},
                )


def _facility(one: Facility) -> Mapping[str, Cell]:
    return {name: getattr(one, name) for name in _COLUMNS["facilities"]}


def _offer(offer: Offer, row: BidRow) -> Mapping[str, Cell]:
    texts = row.texts
    known: dict[str, Cell] = {"id": offer.id, "facility": offer.facility, "material": offer.outputs[0].material}
    stated: dict[str, Cell] = {
        "max_per_year": texts["capacity*"],
        "from": texts["from"],
        "lead_time": texts["lead time*"],
    }
    origin = offer.customs_origin
    return {**known, **stated, "min_order": texts["min order"], "customs_origin": origin, "source": _QUOTATION}


def _quote(name: str, row: BidRow, about: Mapping[str, str]) -> Mapping[str, Cell]:
    return {"offer": name, "until": about["valid until*"], "price": row.texts["price*"], "source": _QUOTATION}


def _recipe(offer: Offer) -> Iterator[Mapping[str, Cell]]:
    for line in offer.inputs:
        stated: dict[str, Cell] = {"material": line.material, "per_unit": line.per_unit, "source": line.source}
        yield {"offer": offer.id, "role": "input", **stated}


_SEVERAL = re.compile(r";|\bothers?\b|\bmakers\b", re.IGNORECASE)
"""Signs that an operator isn't a single company: a list, or a word for a trade."""


def reason_not_to_ask(session: Session, facility: Facility) -> str:
    """Return the reason why a facility can't be asked for a bid. Empty if it can.

    A national total has no operator to write to. A company on a screening list, or in a country whose goods a sanction prohibits,
    receives no letter either, because an inquiry may itself violate sanctions. A rule counts with any status and for any use.
    """
    if not facility.operator or _SEVERAL.search(facility.operator):
        return "no company is named"
    merged = session.problem.merged
    offers = [offer for offer in merged.offers.values() if offer.facility == facility.id]
    barring = [
        rule.id for rule in session.problem.rules if any(_bars(session, rule, offer, facility) for offer in offers)
    ]
    return f"barred by {', '.join(barring)}" if barring else ""


def _bars(session: Session, rule: Rule, offer: Offer, facility: Facility) -> bool:
    """Return True if a sanction prohibits an offer's goods for any use."""
    materials = [session.problem.merged.materials[line.material] for line in offer.outputs]
    if isinstance(rule, Exclude):
        return any(
            rule.covers(one)
            and rule.names(Chained(offer=offer, material=one, facility=facility, performed=offer.chain))
            for one in materials
        )
    if isinstance(rule, OriginBan) and not rule.asks_proof:
        return bool(rule.barred.among(frozenset({facility.country}))) and any(map(rule.covers, materials))
    return False


_OF_SUPPLIERS = frozenset(UnknownKind) - {UnknownKind.RULE, UnknownKind.LICENCE}
"""Unknowns that a supplier can answer."""


def write_bid_sheets(session: Session, found: Unknowns, folder: Path) -> Unknowns:
    """Write a sheet for each supplier whose answers could change the cost of the plan. Return the answer with the names of the files.

    Offers of several goods are left out, because a row has one price. Suppliers that can't or must not be written to are left out too.

    Raises:
        InputError: If the folder exists or can't be written, XlsxWriter is not installed, or a workbook can't contain a text.
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
        reasons = [reason_not_to_ask(session, session.problem.merged.facilities[offer.facility]) for offer in offers]
        if any(reasons):
            unwritten[supplier] = next(filter(None, reasons))
        elif offers:
            name = _file(supplier, files)
            files[name] = workbook(name, list(_sheets(session, supplier, unknowns, offers)))
    try:
        with atomic_write_path(folder) as made:
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
    """Return all single-good offers of the facilities with a question. A bid replaces all known facts of them."""
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
