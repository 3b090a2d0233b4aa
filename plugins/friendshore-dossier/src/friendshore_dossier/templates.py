"""The industry's declaration workbooks CMRT, EMRT, and AMRT, read by the positions of their cells. Their headings are localized, so no heading is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from friendshore.domain.countries import country_of, is_country
from friendshore.domain.elements import ELEMENT_SYMBOLS, symbols_in
from friendshore.errors import Diagnostic, all_of
from friendshore.reading.csvfile import BAD_CELL
from friendshore.reading.workbook import Workbook, read_workbook

ABOUT, SMELTERS, MINES, PRODUCTS = "Declaration", "Smelter List", "Mine List", "Product List"
_RARE_EARTHS = "rare earth elements"
_METALS = frozenset({*ELEMENT_SYMBOLS, "mica", "graphite", "lime", "soda ash", _RARE_EARTHS})
_GROUPS = {
    _RARE_EARTHS: symbols_in("ScYLaCePrNdSmEuGdTbDyHoErTmYbLu"),
    "graphite": frozenset({"C"}),
}
# The forms offer English words in every language.
_UNSURE = ("", "unknown", "not declaring", "not applicable for this declaration", "not applicable")
_ANSWERS = {"yes": True, "no": False, **dict.fromkeys(_UNSURE)}
_UNIDENTIFIED = frozenset({"smelter not yet identified", "smelter not listed", "unknown"})
_COUNTRIES = {"congo, democratic republic of the": "CD", "holy see": "VA"}
_HEAD_ROW, _FIRST_PRODUCT, _MAX_METALS = 4, 6, 10
_AS_PUBLISHED = "ask the supplier for the form as it was published"


@dataclass(frozen=True, slots=True)
class Template:
    """Positions of a form's cells: the cell of the date, and the first rows of the answers to each question, 0 if it isn't asked.

    `metals` are those of the answer rows. If it is empty, the labels in column B name up to ten. `columns` are those of the smelter list: metal, chosen name,
    name, country, country code, id, further id, country of the mine, and whether all feed is recycled.
    """

    family: str
    versions: tuple[str, ...]
    day: str
    used: int
    responses: int
    recycled: int = 0
    identified: int = 0
    reported: int = 0
    metals: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("B", "C", "D", "E", "S", "A", "F", "O", "P")
    has_mines: bool = True


_3TG = ("tantalum", "tin", "gold", "tungsten")
_WITHOUT_IDS = ("A", "B", "B", "C", "Q", "D", "D", "M", "N")
TEMPLATES = (
    Template("CMRT", ("6.01", "6.1", "6.22", "6.31", "6.4", "6.5"), "D22", 26, 56, 50, 62, 68, _3TG, has_mines=False),
    Template("EMRT", ("1.1", "1.11", "1.2", "1.3"), "D22", 26, 50, 44, 56, 62, ("cobalt", "mica"), has_mines=False),
    Template("EMRT", ("2.0", "2.1"), "D26", 30, 78, 66, 90, 102),
    Template("AMRT", ("1.2",), "D24", 28, 40, columns=_WITHOUT_IDS),
    Template("AMRT", ("1.3",), "D27", 31, 43),
)


@dataclass(frozen=True, slots=True)
class StatedFacility:
    """A smelter, a mine, or another place that a document names. A text is empty if the document doesn't state it."""

    id: str
    name: str
    country: str
    cell: str = field(default="", compare=False)
    """Cell of the country in a workbook's list."""


@dataclass(frozen=True, slots=True)
class Smelter:
    """A row of the smelter list. It isn't identified if it says so, or has no name."""

    metal: str
    place: StatedFacility
    is_identified: bool
    is_recycled: bool | None
    mines: tuple[StatedFacility, ...]


@dataclass(frozen=True, slots=True)
class Mine:
    """A row of the mine list, with the smelter that it supplies."""

    metal: str
    smelter: str
    place: StatedFacility


@dataclass(frozen=True, slots=True)
class MetalAnswers:
    """Answers about one metal that is used, or may be."""

    all_recycled: bool | None
    """None if the form doesn't ask, or the answer is blank or unsure."""
    reasons: tuple[str, ...]
    """Answers that leave the list of smelters open."""
    cells: str
    """Cells of the answers on completeness, such as `Declaration!D59, D65, D71`."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """The content of a declaration workbook."""

    title: str
    """Form, version, and declarant."""
    asks_for_all: bool
    """True if the form asks whether all smelters are listed."""
    scope: str
    """`A` for a company, `B` for products, `C` for a scope in the declarant's own words."""
    day: date | None
    products: frozenset[str]
    answers: Mapping[str, MetalAnswers]
    smelters: tuple[Smelter, ...]
    mines: tuple[Mine, ...]


def metal_of(text: str) -> str:
    """Return the lowercase name of a metal, without the mark that it has in some forms."""
    return " ".join(text.replace("(*)", "").split()).casefold()


def is_declared_element(metal: str, element: str) -> bool:
    """Return True unless a declaration of the metal is about other elements than those of a material."""
    symbols = _GROUPS.get(metal) or symbols_in(metal.title())  # symbols have capitals
    return not symbols or not symbols_in(element) or bool(symbols & symbols_in(element))


def read_declaration(path: Path) -> Declaration:
    """Read a CMRT, EMRT, or AMRT workbook. Raise InputError with all problems by sheet and cell, or if the template or its version is unknown."""
    problems: list[Diagnostic] = []
    book = read_workbook(path, problems, form=(ABOUT, SMELTERS, MINES, PRODUCTS))
    if problems:
        raise all_of(problems)
    reader = _FormReader(book, {name: dict(lines) for name, lines in book.sheets.items()}, problems)
    declaration = reader.declaration(*reader.template())
    if problems:
        raise all_of(problems)
    return declaration


def country_in(text: str) -> str | None:
    """Return the code of a country as the forms name it, such as `BOLIVIA (PLURINATIONAL STATE OF)`. None if it isn't one."""
    for name in (text, re.sub(r"\s*\((.*)\)", r", \1", text).rstrip(" *")):
        with suppress(ValueError):
            return _COUNTRIES.get(name.casefold()) or country_of(name)
    return None


@dataclass
class _FormReader:
    book: Workbook
    rows: Mapping[str, Mapping[int, Sequence[str]]]
    problems: list[Diagnostic]

    def report(self, sheet: str, cell: str, message: str, expected: str, code: str = "FS993", fix: str = "") -> None:
        text = self.text(sheet, cell)
        found = f"`{text[:80]}`" if text else "a blank cell"
        self.problems.append(
            Diagnostic(message, self.book.place(sheet), int(cell[1:]), cell, found, expected, fix, code)
        )

    def text(self, sheet: str, cell: str) -> str:
        """Return the text of a cell such as `D9`. A cell that can't be read is reported."""
        cells, position = self.rows.get(sheet, {}).get(int(cell[1:]), ()), ord(cell[0]) - ord("A")
        text = cells[position].strip() if position < len(cells) else ""
        if text == BAD_CELL:
            self.problems += [problem for problem in self.book.problems.get(sheet, ()) if problem.column == cell]
            return ""
        return text

    def template(self) -> tuple[Template, str]:
        """Return the template and its version. Raise InputError if it is unknown."""
        family = (re.search(r"\b(?:CMRT|EMRT|AMRT)\b", self.text(ABOUT, "D2")) or [""])[0]
        version = (re.search(r"\d+\.\d+", self.text(ABOUT, "J3")) or [""])[0]
        known = [template for template in TEMPLATES if template.family == family]
        for template in known:
            if version in template.versions:
                return template, version
        message = "the form isn't a CMRT, EMRT, or AMRT with a version"
        if family and version:
            message = f"{family} {version} is a version of the form that friendshore doesn't know"
        expected = "; ".join(f"{template.family} {', '.join(template.versions)}" for template in known or TEMPLATES)
        fix = "ask the supplier for a version that friendshore reads"
        self.report(ABOUT, "J3" if family else "D2", message, expected, "FS991", fix)
        raise all_of(self.problems)

    def declaration(self, template: Template, version: str) -> Declaration:
        for name in (SMELTERS, PRODUCTS, *([MINES] if template.has_mines else [])):
            if name not in self.rows:
                message, found = f"the form has no sheet `{name}`", ", ".join(self.book.sheets)
                self.problems.append(Diagnostic(message, self.book.file, None, "", found, "", _AS_PUBLISHED, "FS992"))
        company, day = self.text(ABOUT, "D8"), self.text(ABOUT, template.day)
        scope = re.match(r"\s*([ABC])\s*[.．。、:]", self.text(ABOUT, "D9"))
        if not company:
            self.report(ABOUT, "D8", "the declarant isn't named", "the company's name")
        if scope is None:
            self.report(ABOUT, "D9", "the scope can't be read", "`A. Company`, `B. Product`, or `C. User defined`")
        try:
            effective = date.fromisoformat(day) if day else None
        except ValueError:
            self.report(ABOUT, template.day, "the effective date can't be read", "a date such as 2026-05-31")
            effective = None
        rows = range(template.used, template.used + (len(template.metals) or _MAX_METALS))
        labels = [metal_of(self.text(ABOUT, f"B{row}")) for row in rows]
        # Forms without metals of their own accept those that the declarant names.
        metals = template.metals or (*_METALS, *filter(None, labels))
        products = {self.text(PRODUCTS, f"B{row}") for row in self.rows.get(PRODUCTS, ()) if row >= _FIRST_PRODUCT}
        return Declaration(
            title=f"{template.family} {version} of {company}",
            asks_for_all=bool(template.identified),
            scope=scope[1] if scope else "",
            day=effective,
            products=frozenset(products - {""}),
            answers=dict(self._answers(template, labels)),
            smelters=tuple(self._smelters(template, metals)),
            mines=tuple(self._mines(metals)) if template.has_mines else (),
        )

    def _answers(self, template: Template, labels: Sequence[str]) -> Iterator[tuple[str, MetalAnswers]]:
        questions = (template.used, template.recycled, template.identified, template.reported)
        for row in [first - 1 for first in (*questions, template.responses) if first]:
            head = self.text(ABOUT, f"D{row}").casefold()
            if head in _ANSWERS:  # rows were inserted or deleted above
                message = "the answers aren't where the form has them"
                self.report(ABOUT, f"D{row}", message, "the heading of the answers", "FS992", _AS_PUBLISHED)
        for number, label in enumerate(labels):
            metal = template.metals[number] if template.metals else label
            if label in _METALS and label != metal:
                self.report(ABOUT, f"B{template.used + number}", "the rows are in another order", metal, "FS992")
            rows = [first + number if first else 0 for first in questions]
            used, recycled, identified, reported = [self._yes_no(ABOUT, f"D{row}") if row else None for row in rows]
            response = self.text(ABOUT, f"D{template.responses + number}").replace(" ", "")
            cells = ", ".join(f"D{row}" for row in (template.responses + number, *rows[2:]) if row)
            closes = {
                "the declaration doesn't say that the metal is used": used,
                f"not all suppliers of the declarant have answered ({ABOUT}!{cells})": response in ("100%", "1"),
                f"the declarant doesn't say that it identified and reported all smelters ({ABOUT}!{cells})": (
                    not template.identified or (identified and reported)
                ),
            }
            if metal and used is not False:
                reasons = tuple(reason for reason, is_closed in closes.items() if not is_closed)
                yield metal, MetalAnswers(recycled, reasons, f"{ABOUT}!{cells}")

    def _yes_no(self, sheet: str, cell: str) -> bool | None:
        word = self.text(sheet, cell).casefold()
        if word not in _ANSWERS:
            self.report(sheet, cell, "the answer can't be read", "Yes, No, or Unknown")
        return _ANSWERS.get(word)

    def _data_rows(self, sheet: str, metal: str, metals: Collection[str], columns: Sequence[str]) -> Iterator[int]:
        """Yield the filled rows of a list below its heading. Report a list that was moved, since some of its rows would be left out."""
        heads = [metal_of(self.text(sheet, f"{metal}{row}")) for row in range(1, _HEAD_ROW + 1)]
        if sheet in self.rows and (not heads[-1] or not {*_METALS, *metals}.isdisjoint(heads)):
            message = "the heading of the metals isn't where the form has it"
            self.report(sheet, f"{metal}{_HEAD_ROW}", message, "a heading", "FS992", _AS_PUBLISHED)
        for row in sorted(self.rows.get(sheet, ())):
            if row > _HEAD_ROW and any(self.text(sheet, f"{column}{row}") for column in columns):
                yield row

    def _smelters(self, template: Template, metals: Collection[str]) -> Iterator[Smelter]:
        read = [column for column in template.columns if column != template.columns[4]]  # a computed column
        for row in self._data_rows(SMELTERS, template.columns[0], metals, read):
            metal, lookup, own, country, code, chosen, stated, mine, recycled = [f"{c}{row}" for c in template.columns]
            names = [name for name in (self.text(SMELTERS, lookup), self.text(SMELTERS, own)) if name]
            named = [name for name in names if name.casefold() not in _UNIDENTIFIED]
            texts = [self.text(SMELTERS, cell).upper() for cell in (chosen, stated)]
            ids = {text for text in texts if re.fullmatch(r"CID\d{6}", text)}
            if len(ids) > 1:
                self.report(SMELTERS, stated, "the two ids of the smelter differ", self.text(SMELTERS, chosen))
            name, place = named[0] if named else "", self._country(SMELTERS, country, code)
            yield Smelter(
                metal=self._metal(SMELTERS, metal, metals),
                place=StatedFacility(min(ids, default=""), name, place, country),
                is_identified=bool(names) and named == names,
                is_recycled=self._yes_no(SMELTERS, recycled),
                mines=tuple(self._mines_of_smelter(mine)),
            )

    def _mines(self, metals: Collection[str]) -> Iterator[Mine]:
        for row in self._data_rows(MINES, "A", metals, "ABCDF"):
            smelter, name, identifier = [self.text(MINES, f"{column}{row}") for column in "BCD"]
            country = self._country(MINES, f"F{row}", f"N{row}")
            place = StatedFacility(identifier, name, country, f"F{row}")
            yield Mine(self._metal(MINES, f"A{row}", metals), smelter, place)

    def _metal(self, sheet: str, cell: str, metals: Collection[str]) -> str:
        metal = metal_of(self.text(sheet, cell))
        if metal not in metals:
            self.report(sheet, cell, "the metal can't be read", "a metal of the form, in English", fix=_AS_PUBLISHED)
        return metal

    def _country(self, sheet: str, cell: str, code_cell: str) -> str:
        """Return the country in a cell. The form computes its code in a hidden column, which must agree."""
        text, code = self.text(sheet, cell), self.text(sheet, code_cell).upper()
        country, code = country_in(text) or "", code if is_country(code) else ""
        if country and code and code != country:
            self.report(sheet, cell, "the country and its code differ", f"`{code}`, as in {code_cell}")
        elif not country and not code and text and text.casefold() != "unknown":
            self.report(sheet, cell, "the country can't be read", "a country by its ISO name or code")
        return country or code

    def _mines_of_smelter(self, cell: str) -> Iterator[StatedFacility]:
        """Yield the countries in a cell of free text. A text that names none, such as `various`, is an unknown country."""
        for piece in re.split(r"[;/\n、]", self.text(SMELTERS, cell)):
            # Names of countries may contain commas.
            for part in [piece] if country_in(piece) else piece.split(","):
                if part.strip():
                    yield StatedFacility("", "", country_in(part.strip()) or "", cell)
