"""Bid sheets: what a supplier is asked, as a workbook, and what he filled in, as a catalog of evidence `quoted`.

The sheet `bid` has a row for each offer, the sheet `origin` one for each stage of it, the sheet `bidder` says for which case and edition of the
facts it was made, who bids and until when. A head with `*` is to be filled in wherever the row is; a row that is left blank is no bid.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..domain.base import UnreadableError
from ..domain.facts import Catalog, Facility, Material, Offer
from ..domain.market import GROSS
from ..domain.time import today
from ..errors import Diagnostic, InputError, all_of
from ..readers import CatalogRows
from ..reading import kinds as k
from ..reading.fields import Field
from ..reading.workbook import Line, Workbook, is_workbook, read_workbook
from .bid_tables import Bid, BidRow, bid_catalog

FORMAT = "friendshore bid 1"
"""What a bid sheet says that it is."""
ABOUT, BID, ORIGIN = "bidder", "bid", "origin"
"""Its sheets."""
_CHANGED = "this is not what the bid was asked for: leave it as it was written"
FILLED = ("filled in by*", "quoted on*", "quotation", "valid until*")
"""What whoever bids says of the whole sheet."""
BIDS: Mapping[str, Field] = {
    "price*": Field("price*", k.UNIT_PRICE, "What a kilogram costs, above 0.", "580 USD/kg"),
    "capacity*": Field("capacity*", k.MASS_RATE, "How much can be delivered a year, above 0.", "20 t/year"),
    "from": Field("from", k.DATE, "First day on which it may be ordered; blank: at once.", "2027-07-01"),
    "lead time*": Field("lead time*", k.DURATION, "From order to delivery.", "3 months"),
    "min order": Field("min order", k.MASS, "Least that is ordered at a time; blank: none.", "500 kg"),
}
"""What is asked of an offer."""
ORIGINS: Mapping[str, Field] = {
    "countries*": Field(
        "countries*", k.TEXT, "Countries in which this was done, by their codes, set apart by `;`.", "AU;JP"
    ),
    "all of it*": Field("all of it*", k.YES_NO, "Whether it was done nowhere else.", "yes"),
    "proof*": Field(
        "proof*", k.TEXT, "What proves it: a certificate, its number and date.", "mill certificate 17/2026"
    ),
}
"""What is asked of each stage."""


def edition(catalogs: Iterable[Catalog], offers: Collection[str]) -> str:
    """A short name of the facts that some offers come from: of another edition of any of their catalogs it is another."""
    told = sorted(f"{one.name} {one.digest}" for one in catalogs if any(offer.id in offers for offer in one.offers))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def is_bid_sheet(path: Path) -> bool:
    """Whether a file is a bid sheet, by its sheets; what cannot be read is none, and is told by whoever reads it as something else."""
    if not (is_workbook(path) and path.is_file()):
        return False
    book = read_workbook(path, [])
    return all(book.named(name) is not None for name in (ABOUT, BID))


def performed(offer: Offer, stages: Sequence[str]) -> list[str]:
    """Stages that an offer is asked the origin of: all that its material has, of a maker those that it does itself."""
    own = [entry.stage for entry in offer.chain]
    return list(dict.fromkeys(own if offer.inputs else [*stages, *own]))


def weighed(material: Material) -> str:
    """Return what a kilogram of a material is a kilogram of, in words."""
    return "the goods as they are" if material.basis == GROSS else f"{material.basis} in it"


def identity(offer: Offer, materials: Mapping[str, Material], facilities: Mapping[str, Facility]) -> dict[str, str]:
    """Return what a row of the sheet `bid` is about, by column: what is sold, what of it is weighed, and where it comes from."""
    material, facility = materials[offer.outputs[0].material], facilities[offer.facility]
    return {
        "offer": offer.id,
        "material": material.id,
        "kilograms of": weighed(material),
        "facility": facility.name or facility.id,
    }


NAMED = ("offer", "material", "kilograms of", "facility")
"""Columns of the sheet `bid` that say what a row is about; nobody is asked to change them."""


@dataclass
class BidSheet:
    """A bid sheet that is being read: everything that is wrong with it is found before anything is refused."""

    path: Path
    case: str
    catalogs: Sequence[Catalog]
    found: list[Diagnostic] = field(default_factory=list)

    def rows(self, name: str) -> CatalogRows:
        """The catalog that it comes to.

        Raises:
            InputError: with everything that is wrong with it, by cell; if it is of another case or edition, or no longer valid.
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
        """Find where a row no longer says what was asked: its figures would be read as those of something else."""
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
        """What the sheet says of itself; what makes it stale is told."""
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
        """Where each column stands, with the unit of its head; None, once it has been told, where one is not there, or twice."""
        line, cells = heads
        told = [_head(str(cell)) for cell in cells]
        found = {name: (at, unit) for at, (name, unit) in enumerate(told)}
        wrong = [name for name in names if [head for head, _ in told].count(name) != 1]
        for name in wrong:
            self._wrong(book, sheet, line, name, "the column is not there once", "", "the columns as they were written")
        return None if wrong else found

    def _rows(
        self, book: Workbook, sheet: str, fields: Mapping[str, Field], named: Sequence[str], keys: int
    ) -> dict[tuple[str, ...], BidRow]:
        """Rows of a sheet in which something is filled in, each cell checked; what is lacking of them is told.

        The first `keys` of the columns that are not filled in tell rows apart.
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
        """What stands in a cell with the unit of its head, once it has been looked at."""
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
        """A cell's value; None, once it has been told, if it cannot be read."""
        try:
            return column.kind.read(text)
        except UnreadableError as error:
            self._wrong(book, sheet, line, column.name, f"this is no {column.kind.name}", text, str(error))
        return None


def _head(text: str) -> tuple[str, str]:
    """A head's name and the unit behind it."""
    name, _, unit = text.partition(" [")
    return name.strip(), unit.rstrip("]")


def _size(value: Any) -> Any:
    return value if not isinstance(value, tuple) else value[0]
