"""Declaration workbooks in the layouts of CMRT, EMRT, and AMRT, with headings of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook  # noqa: TID253 - workbooks are what it makes

# Each row: first rows of the answers to use, recycling, responses, identified, reported, then the date's cell and the shift of the smelter list.
CMRT = dict.fromkeys(("6.01", "6.1", "6.22", "6.31", "6.4", "6.5"), (26, 50, 56, 62, 68, "D22", 0))
EMRT = dict.fromkeys(("1.1", "1.11", "1.2", "1.3"), (26, 44, 50, 56, 62, "D22", 0))
EMRT2 = dict.fromkeys(("2.0", "2.1"), (30, 66, 78, 90, 102, "D26", 0))
AMRT = {"1.2": (28, 0, 40, 0, 0, "D24", 1), "1.3": (31, 0, 43, 0, 0, "D27", 0)}
METALS = {
    "CMRT": ("Tantalum", "Tin", "Gold", "Tungsten"),
    "EMRT1": ("Cobalt", "Mica"),
    "EMRT2": ("Cobalt", "Copper", "Graphite", "Lithium", "Mica", "Nickel"),
    "AMRT": ("Manganese", "Rare Earth Elements", "Silver"),
}
LANGUAGES = {
    "en": ("Answer", "Metal (*)", "Reporting template"),
    "zh": ("回答", "金属 (*)", "报告模板"),
    "de": ("Antwort", "Metall (*)", "Berichtsvorlage"),
}


@dataclass
class Listed:
    """A row of the smelter list."""

    metal: str = "Tungsten"
    name: str = "Example Tungsten"
    country: str = "AUSTRIA"
    id: str = ""
    mine_country: str = ""
    recycled: str = ""
    lookup: str = ""
    code: str = ""


@dataclass
class Form:
    """A declaration to be written as a workbook."""

    family: str = "CMRT"
    version: str = "6.5"
    company: str = "Example Metals"
    scope: str = "B. Product (or List of Products)"
    products: Sequence[object] = ("APT-100",)
    used: str = "Yes"
    responses: object = "100%"
    identified: str = "Yes"
    reported: str = "Yes"
    all_recycled: str = "No"
    smelters: Sequence[Listed] = (Listed(),)
    mines: Sequence[tuple[str, str, str, str]] = ()
    """Metal, smelter, mine, and country of each row of the mine list."""
    answered: Sequence[str] = ()
    """Metals that the answers are about. Empty means those of the smelters."""
    language: str = "en"
    date: object = field(default_factory=lambda: datetime(2026, 5, 31))  # noqa: DTZ001 - a spreadsheet's day has no zone
    edits: Mapping[tuple[str, str], object] = field(default_factory=dict)
    """Cells to write last, by sheet and cell."""

    @property
    def rows(self) -> tuple[Any, ...]:
        versions = {"CMRT": CMRT, "EMRT": EMRT2 if self.version in EMRT2 else EMRT, "AMRT": AMRT}[self.family]
        return versions.get(self.version, next(iter(versions.values())))

    @property
    def metals(self) -> Sequence[str]:
        family = self.family if self.family != "EMRT" else "EMRT2" if self.version in EMRT2 else "EMRT1"
        return METALS[family]

    def book(self) -> Workbook:
        book = Workbook()
        answer, metal_heading, title = LANGUAGES[self.language]
        about = book.active
        about.title = "Declaration"
        about["D2"], about["J3"] = f"{title} ({self.family})", f"Revision {self.version}\nMay 1, 2025"
        about["D8"], about["D9"] = self.company, self.scope
        *questions, day, shift = self.rows
        about[day] = self.date
        words = (self.used, self.all_recycled, self.responses, self.identified, self.reported)
        answered = {metal.casefold() for metal in self.answered or [s.metal for s in self.smelters]}
        for first, word in zip(questions, words, strict=True):
            if first:
                about[f"D{first - 1}"] = answer
                for number, metal in enumerate(self.metals):
                    about[f"B{first + number}"] = (
                        metal + "(*)" if self.language == "en" or self.family != "CMRT" else "x(*)"
                    )
                    if metal.casefold() in answered:
                        about[f"D{first + number}"] = word
        self._lists(book, metal_heading, shift)
        for (sheet, cell), value in self.edits.items():
            book[sheet][cell] = value
        return book

    def _lists(self, book: Workbook, heading: str, shift: int) -> None:
        smelters = book.create_sheet("Smelter List")
        smelters.cell(4, 2 - shift, heading)
        for row, listed in enumerate(self.smelters, 5):
            if not shift:
                smelters.cell(row, 1, listed.id or None)
            name = listed.lookup or listed.name
            for column, value in (
                (2, listed.metal),
                (3, name),
                (6, listed.id),
                (15, listed.mine_country),
                (16, listed.recycled),
            ):
                away = (2 if column > 4 else 1) if shift else 0
                smelters.cell(row, column - away, value or None)
            if not shift:
                smelters.cell(row, 4, listed.name if listed.lookup else None)
            smelters.cell(row, 5 - 2 * shift, listed.country or None)
            smelters.cell(row, 19 - 2 * shift, listed.code or None)
        if self.family == "AMRT" or self.version in EMRT2:
            mines = book.create_sheet("Mine List")
            mines["A4"] = heading
            for row, (metal, smelter, name, country) in enumerate(self.mines, 5):
                for column, value in ((1, metal), (2, smelter), (3, name), (6, country)):
                    mines.cell(row, column, value)
        products = book.create_sheet("Product List")
        products["B5"] = "Number"
        for row, product in enumerate(self.products, 6):
            products.cell(row, 2, product)

    def save(self, path: Path) -> Path:
        self.book().save(path)
        return path


def suppliers(
    folder: Path,
    links: str,
    *,
    material: str = "apt",
    offers: str = "",
    chain: str = "",
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write a catalog of one tungsten offer, with documents linked to it."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "catalog.toml": 'schema = 1\nname = "suppliers"\n',
        "sources.csv": "id,reference,date,confidence,states\nquote,letter,2026-01-01,verified,mined;refined\n",
        "materials.csv": "id,element,form,basis,stages,source\napt,W,oxide,gross,mined;refined,quote\n"
        "cobalt,Co,metal,gross,mined;refined,quote\noxide,NdPr,oxide,gross,mined;refined,quote\n",
        "facilities.csv": "id,name,operator,country,identifiers\nplant,Plant,Example Metals,AT,urn:plant\n",
        "capacity.csv": "facility,per_year,status,material,source\nplant,9 t/year,operating,apt,quote\n",
        "offers.csv": f"id,facility,material,price,source\nacme-apt,plant,{material},40 USD/kg,quote\n{offers}",
        "declarations.csv": links,
        **(extra or {}),
    }
    if chain:
        tables["chain.csv"] = f"offer,stage,countries,complete,source\n{chain}"
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
