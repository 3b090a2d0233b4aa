"""Where the catalogs are that a case names: installed, beside it, or in the workbook that it was read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..catalog import columns
from ..catalog.convert import Texts, texts_of
from ..catalog.tables import sheet_name
from ..domain.base import UnreadableError
from ..domain.case import Case
from ..errors import Diagnostic, InputError
from ..plugins import Registry
from ..plugins.elsewhere import CatalogRef
from ..readers import CatalogRows
from ..reading.fields import Layout
from .book import CaseWorkbook, plain, read_case_workbook
from .sheets import OFFERED, catalogs_in

_TABLES: Mapping[str, Layout] = {sheet_name(layout): layout for layout in columns.TABLES}


class NamedCatalogs:
    """Finds the catalogs of a case by what the case calls them, and those that they require by name.

    A workbook holds them all. One that says what the installed catalog of its name says is that one.
    """

    def __init__(self, case: Case, registry: Registry) -> None:
        """Reads the workbook again that the case was read from, if it was.

        Raises:
            InputError: if it can no longer be read.
        """
        self._registry, self._folder = registry, case.folder
        self._book: CaseWorkbook | None = None
        self._rows: Mapping[str, CatalogRows] = {}
        if case.file is not None:
            found: list[Diagnostic] = []
            self._book = read_case_workbook(case.file, found)
            self._rows = catalogs_in(self._book, _TABLES, found)
            if found:
                raise InputError(self.told(found))

    def __call__(self, name: str) -> CatalogRef:
        """Where a catalog is.

        Raises:
            FriendshoreError: as `Registry.catalog_folder` does.
        """
        book = self._book
        called = {} if book is None else {said: catalog for catalog, said in book.called.items()}
        held = called.get(name, name)
        if book is None or held not in self._rows:
            return self._registry.catalog_folder(name, self._folder)
        rows = self._rows[held]
        ref = CatalogRef(name=held, folder=book.path, rows=rows, columns=self._registry.fact_columns)
        if held not in self._registry.catalogs or name != held:
            return ref
        installed = self._registry.catalog_folder(held)
        return installed if _alike(ref, installed, held in book.called) else ref

    @property
    def told(self) -> Callable[[Iterable[Diagnostic]], list[Diagnostic]]:
        """How mistakes are shown: those of a workbook by their cells."""
        return list if self._book is None else self._book.sorted


def _alike(one: CatalogRef, other: CatalogRef, offered: bool) -> bool:
    """Whether two catalogs say the same, in whatever order and however it is written; only what one contributes that is required, if it is not `offered`."""
    try:
        said, there = (texts_of(ref.place, ref.columns) for ref in (one, other))
    except InputError:
        return False  # what is wrong with it is told by whoever reads it in full
    tables = [name for name in _TABLES if offered or name not in OFFERED]
    heads = [{key: value for key, value in texts.head.items() if key != "schema"} for texts in (said, there)]
    return heads[0] == heads[1] and all(_rows(said, name) == _rows(there, name) for name in tables)


def _rows(texts: Texts, name: str) -> Counter[tuple[tuple[str, object], ...]]:
    """What each row of a table says: its values by column, without blank cells."""
    header, rows = texts.tables.get(_TABLES[name].name, ((), ()))
    known = texts.facts.extended(_TABLES[name]).by_name

    def said(row: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        for column, text in zip(header, map(plain, row), strict=True):
            if text:
                try:
                    yield column, known[column].kind.read(text)
                except UnreadableError:
                    yield column, text

    return Counter(tuple(sorted(said(row), key=lambda cell: cell[0])) for row in rows)
