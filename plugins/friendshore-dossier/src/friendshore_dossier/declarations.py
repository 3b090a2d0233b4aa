"""Catalogs whose chains come from documents of suppliers, as a table `declarations.csv` links them to offers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

from friendshore.catalog.columns import MATERIALS, TABLES
from friendshore.catalog.tables import FolderTables, sheet_name
from friendshore.domain.base import Record
from friendshore.domain.evidence import Confidence
from friendshore.domain.stages import Stage, stage_of
from friendshore.domain.values import Idents, Step
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic, FriendshoreError, InputError, all_of, attempt
from friendshore.inert import visible
from friendshore.plugins import Registry
from friendshore.readers import CatalogRows, Reader, ReadRequest, RecordRow, TableRows, read_record_rows
from friendshore.reading.csvfile import read_table
from friendshore.reading.fields import Layout
from friendshore.reading.textfile import read_bytes, read_object
from friendshore.reading.tomlfile import TomlTable
from friendshore.reading.workbook import is_workbook

from .catenax import capacity_rates
from .events import EventDocument, event_facts, read_events
from .stage_facts import StageFact, combined, declared_facts
from .templates import Declaration, StatedFacility, country_in, is_declared_element, metal_of, read_declaration

LINKS = "declarations.csv"
# What a supplier declares is the word of an interested party.
_CONFIDENCE = Confidence.QUOTED.value
_MAX_NAME = 200


class Link(Record):
    """A row of `declarations.csv`: a document, and the offers that it is about."""

    document: Annotated[str, Written("acme-cmrt.xlsx")]
    """File in the catalog's folder: a CMRT, EMRT, or AMRT workbook, or a JSON file with events or a capacity group."""
    offers: Annotated[Idents, Written("acme-apt")]
    """Offers of this catalog that it is about."""
    metal: Annotated[str, Written("tungsten")] = ""
    """Metal of the offers, as the workbook names it. Needed for workbooks."""
    product: Annotated[str, Written("APT-100")] = ""
    """Number in the product list of a workbook, or identifier in events. Without it, a workbook's list of countries stays open."""
    stages: Annotated[tuple[Step, ...], Written("mined;refined")] = ()
    """Stages for which the document counts. Blank means all that it states. Smelters count for each of them except `mined`."""
    confirmed: Annotated[tuple[Step, ...], Written("mined")] = ()
    """Stages for which the supplier confirmed that the list is complete, where the form doesn't ask."""
    confirmation: Annotated[str, Written("letter of 2026-08-01")] = ""
    """Document with that confirmation."""
    sha256: Annotated[str, Written("9f86d081884c7d65...")] = ""
    """SHA-256 that the document must have. Blank means any."""


@dataclass
class RawTable:
    """A table of a catalog as text, with rows to add."""

    file: str
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Line, and text by column, of each row."""

    def add(self, **cells: str) -> None:
        self.columns += [name for name in cells if name not in self.columns]
        self.rows.append((self.rows[-1][0] + 1 if self.rows else 2, cells))

    @classmethod
    def of(cls, path: Path, layout: Layout, problems: list[Diagnostic]) -> RawTable:
        """Read and check a table. Columns of other plugins are checked when friendshore reads the tables that the reader returns."""
        if not path.is_file():
            return cls(str(path))
        table = read_table(path, replace(layout, others="kept"), problems)
        columns = table.columns | table.others
        rows = [(row.line, {name: row.cells[at] for name, at in columns.items()}) for row in table.rows]
        return cls(str(path), list(columns), rows)


class DeclaredReader(Reader):
    """A catalog folder, with the chains and capacities that documents of suppliers state."""

    name = "declared"
    example = "example/suppliers"

    def catalog(self, request: ReadRequest) -> CatalogRows:
        return DeclaredCatalog(request.path).read()


@dataclass
class DeclaredCatalog:
    """A catalog folder and its declarations while they are read."""

    folder: Path
    problems: list[Diagnostic] = field(default_factory=list)
    tables: dict[str, RawTable] = field(default_factory=dict)
    _facilities: dict[str, StatedFacility] = field(default_factory=dict)
    """Facilities by each identifier."""
    _elements: dict[str, str] = field(default_factory=dict)
    """Element by material."""

    def read(self) -> CatalogRows:
        """Return the tables of the catalog with the facts of the documents.

        Raises:
            InputError: With the problems of all files and documents.
        """
        errors: list[FriendshoreError] = []
        content = "Documents of suppliers, and the offers that they are about."
        _, links = attempt(lambda: read_record_rows(self.folder / LINKS, Link, content), errors) or ("", [])
        head = self._read_folder({LINKS, *(row.record.document for row in links)})
        # By offer and stage, and by the row that links the document.
        facts: dict[tuple[str, str], dict[int, StageFact]] = {}
        for row in links:
            for fact in attempt(partial(self._facts, row), errors) or ():
                for offer in row.record.offers:
                    facts.setdefault((offer, fact.stage), {})[row.line] = fact
        self.problems += [problem for error in errors for problem in error.problems]
        if not self.problems:
            self._add(facts)
        if self.problems:
            raise all_of(self.problems)
        tables = {
            name: TableRows(t.columns, [(line, [row.get(c, "") for c in t.columns]) for line, row in t.rows], t.file)
            for name, t in self.tables.items()
            if t.columns
        }
        return CatalogRows(head, tables, str(self.folder / "catalog.toml"))

    def _read_folder(self, documents: Collection[str]) -> dict[str, object]:
        """Read the tables of the catalog, and return its head."""
        folder_tables = FolderTables(self.folder)
        head = folder_tables.head(self.problems)
        unknown = [table.problem for table in folder_tables.unrecognized_tables()]
        self.problems += [problem for problem in unknown if Path(problem.file).name not in documents]
        for layout in TABLES:
            self.tables[sheet_name(layout)] = RawTable.of(self.folder / layout.name, layout, self.problems)
        for _, row in self.tables["facilities"].rows:
            country = row.get("country", "")
            for word in (row.get("id", ""), *filter(None, map(str.strip, row.get("identifiers", "").split(";")))):
                self._facilities[word] = StatedFacility(word, row.get("name", ""), country_in(country) or country)
        registry = Registry.discover()
        required = head.values.get("requires", ()) if head else ()
        folders = [registry.catalog_folder(name).folder for name in required if name in registry.catalogs]
        materials = [RawTable.of(folder / MATERIALS.name, MATERIALS, []) for folder in folders]
        for table in (self.tables["materials"], *materials):
            self._elements |= {row.get("id", ""): row.get("element", "") for _, row in table.rows}
        data = head.data if isinstance(head, TomlTable) else {}
        return {key: value for key, value in data.items() if key != "schema"}

    def _offers(self, column: str = "facility") -> dict[str, str]:
        """Return the facility of each offer, or its text in another column."""
        return {row.get("id", ""): row.get(column, "") for _, row in self.tables["offers"].rows}

    def _problem(
        self, line: int, column: str, message: str, found: str, expected: str = "", fix: str = "", code: str = "FS994"
    ) -> Diagnostic:
        file, shown = str(self.folder / LINKS), f"`{visible(found[:80])}`" if found else "a blank cell"
        return Diagnostic(message, file, line, column, shown, expected[:_MAX_NAME], fix, code)

    def _facts(self, row: RecordRow[Link]) -> list[StageFact]:
        """Return the facts of a document. Raise InputError with all problems of the row and the document."""
        link, path, refused = row.record, self.folder / row.record.document, partial(self._problem, row.line)
        sha256 = self._hash_of(link)
        if problems := list(self._link_problems(row, sha256)):
            raise InputError(problems)
        document: Declaration | EventDocument
        if is_workbook(path):
            document = read_declaration(path)
            facts = self._workbook_facts(row, document)
        else:
            data = read_object(path, "ask the supplier for a JSON file with events, or a workbook")
            if "capacities" in data:
                self._add_capacity(row, capacity_rates(data, str(path), link.product), sha256)
                return []
            document = read_events(data, str(path), self._facilities)
            if link.product not in document.makers:
                expected = ", ".join(sorted(document.makers))
                raise InputError(refused("product", "no event makes the product", link.product, expected))
            facts = list(event_facts(document, link.product, link.stages))
        stated = {fact.stage for fact in facts if fact.countries}
        for word in sorted({*link.confirmed} - stated):
            message = "the document states no country for the confirmed stage"
            raise InputError(refused("confirmed", message, word, ", ".join(sorted(stated))))
        # A stage about which a document says nothing is left to other documents, unless the row claims it.
        kept = [f for f in facts if f.countries or f.stage in link.stages or stage_of(f.stage) is not Stage.MINED]
        for number, fact in enumerate(kept):
            letter = f"; complete according to {link.confirmation}" if fact.stage in link.confirmed else ""
            cells, unasked = f", {fact.cells}" if fact.cells else "", () if letter else fact.unasked
            reference = f"{document.title}: {link.document}{cells}; sha256 {sha256}{letter}"
            kept[number] = replace(fact, unasked=unasked, reference=reference, day=document.day)
        return kept

    def _hash_of(self, link: Link) -> str:
        """Return the SHA-256 of a document. Empty if it isn't a readable file in the catalog's folder."""
        path = self.folder / link.document
        try:
            is_inside = path.resolve().is_relative_to(self.folder.resolve())
            return hashlib.sha256(read_bytes(path)).hexdigest() if is_inside else ""
        except (OSError, ValueError):  # ValueError for a name that no file can have
            return ""

    def _workbook_facts(self, row: RecordRow[Link], form: Declaration) -> list[StageFact]:
        link, metal, materials = row.record, metal_of(row.record.metal), self._offers("material")
        elements = sorted({self._elements.get(materials[offer], "") for offer in link.offers})
        refused = partial(self._problem, row.line)
        if metal not in form.answers:
            message, expected = "the document doesn't declare the metal", ", ".join(sorted(form.answers))
            raise InputError(refused("metal", message, link.metal, expected or "none is declared"))
        if not all(is_declared_element(metal, element) for element in elements):
            message = "the offers are of another element"
            raise InputError(refused("metal", message, link.metal, ", ".join(elements)))
        if form.scope == "B" and link.product and link.product not in form.products:
            message = "the document's product list doesn't have the product"
            raise InputError(refused("product", message, link.product, ", ".join(sorted(form.products))))
        return list(declared_facts(form, metal, link.product, sorted(link.stages)))

    def _link_problems(self, row: RecordRow[Link], sha256: str) -> Iterator[Diagnostic]:
        link, report = row.record, partial(self._problem, row.line)
        for offer in sorted(link.offers - self._offers().keys()):
            yield report("offers", "there is no such offer in the catalog", offer, "an id of offers.csv")
        if link.confirmed and not link.confirmation:
            yield report("confirmation", "the confirmation isn't named", "", fix="name the supplier's letter")
        if not sha256:
            fix = "add the file, and check its size and its permissions"
            yield report("document", "there is no such file in the catalog's folder", link.document, fix=fix)
        elif link.sha256 and link.sha256.casefold() != sha256:
            fix = "look at the document again, and write its hash into the table"
            yield report("sha256", "the document has changed", link.sha256, sha256, fix)

    def _add(self, facts: Mapping[tuple[str, str], Mapping[int, StageFact]]) -> None:
        """Add sources, facilities, and chain entries. Report a stage that the catalog's chain states too, since either may be wrong."""
        # Documents state the stages of the good, and a row with an element states those of another one.
        rows = [(line, row) for line, row in self.tables["chain"].rows if not row.get("element")]
        own = {(row["offer"], stage_of(row["stage"])): line for line, row in rows}
        for (offer, word), stated in sorted(facts.items()):
            line = own.get((offer, stage_of(word)))
            if line is not None:
                message, found = "the catalog's own chain states the same stage", f"chain.csv:{line}"
                fix = "delete that row, or list the other stages in the column `stages`"
                self.problems.append(self._problem(min(stated), "stages", message, found, "", fix, "FS995"))
            fact = combined([*stated.values()])
            source = f"declared-{'-'.join(map(str, stated))}-{word}-{offer}"
            self._add_source(source, fact)
            for row, part in stated.items():
                for facility in part.facilities:
                    self._add_facility(row, facility, source)
            feed, complete = "recycled" if fact.recycled else "", "yes" if fact.is_complete else "no"
            where = {"countries": ";".join(sorted(fact.countries)), "complete": complete, "feed": feed}
            self.tables["chain"].add(offer=offer, stage=word, source=source, **where)

    def _add_source(self, name: str, fact: StageFact) -> None:
        stated = [(p.name[:_MAX_NAME], p.id and f"({p.id})", f"in {p.country}") for p in fact.facilities]
        places = ", ".join(" ".join(filter(None, texts)) for texts in stated)
        self.tables["sources"].add(
            id=name,
            reference=visible(fact.reference),
            date=str(fact.day or ""),
            states=fact.stage if fact.is_complete else "",
            confidence=_CONFIDENCE,
            note=visible("; ".join(filter(None, (places, fact.why_open and f"open: {fact.why_open}")))),
        )

    def _add_facility(self, line: int, place: StatedFacility, source: str) -> None:
        """Add a place that a document names by an id, unless the catalog has it. Report a place in two countries."""
        name = re.sub(r"[^a-z0-9]+", "-", place.id.casefold()).strip("-")
        known = self._facilities.get(place.id) or self._facilities.get(name)
        if name and known is None:
            shown = visible(place.name)[:_MAX_NAME]
            self.tables["facilities"].add(id=name, name=shown, country=place.country, source=source)
            self._facilities |= {place.id: place, name: place}
        elif name and known is not None and known.country != place.country:
            message, found = "a facility is in two countries", f"{place.id} in {place.country}"
            fix = "ask the suppliers which is right"
            self.problems.append(self._problem(line, "document", message, found, known.country, fix, "FS995"))

    def _add_capacity(self, row: RecordRow[Link], rates: Mapping[date, str], sha256: str) -> None:
        facilities, table = {self._offers()[offer] for offer in row.record.offers}, self.tables["capacity"]
        if len(facilities) > 1 or any(cells.get("facility") in facilities for _, cells in table.rows):
            message, expected = (
                "the offers aren't of one facility without a capacity",
                "one without rows in capacity.csv",
            )
            raise InputError(self._problem(row.line, "offers", message, ", ".join(sorted(facilities)), expected))
        source = f"declared-{row.line}-capacity"
        reference = visible(f"Catena-X capacity group: {row.record.document}, capacities; sha256 {sha256}")
        first = str(min(rates, default=""))
        self.tables["sources"].add(id=source, reference=reference, date=first, confidence=_CONFIDENCE)
        for day, rate in rates.items():
            cells = {"facility": min(facilities), "from": str(day), "per_year": rate}
            table.add(**cells, status="operating", source=source)
