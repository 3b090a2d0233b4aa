"""The checks of a catalog: read without a mistake, complete, founded, and in keeping with what else is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from friendshore.catalog import clashes, columns, read_catalogs, review, twins
from friendshore.catalog.convert import Texts, texts_of, write_folder
from friendshore.domain.facts import Catalog, Material, Offer
from friendshore.domain.stages import Stage
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.plugins.elsewhere import CatalogRef
from friendshore.reading import kinds

from .check import Check, NotLookedAt
from .evidence import misdated, old, unsourced, unstated, weak
from .figures import in_row, line_of, off_the_mark

TONNES = re.compile(r"^([\d.,]+) ?t\b")
_MASSES = (kinds.MASS, kinds.MASS_RATE)


def differences(catalog: Catalog, ref: CatalogRef, registry: Registry) -> Iterator[Diagnostic]:
    """What a catalog says otherwise once its tables are written anew."""
    texts = texts_of(ref.place, ref.columns)
    masses = {layout.name: {f.name for f in layout.fields if f.kind in _MASSES} for layout in columns.TABLES}
    tables = {name: (head, _anew(head, rows, masses[name])) for name, (head, rows) in texts.tables.items()}
    with TemporaryDirectory() as made:
        folder = Path(made, "catalog")
        write_folder(Texts(texts.head, tables), folder)
        again = read_catalogs([CatalogRef(name=ref.name, folder=folder, columns=ref.columns)], registry.catalog_folder)
    other = next(c for c in again if c.name == ref.name)
    if other.digest != catalog.digest:
        named = [name for name in Catalog.model_fields if name not in ("digest", "distribution")]
        changed = [name for name in named if getattr(other, name) != getattr(catalog, name)]
        fix = "write every mass with its unit, and make no row rest on the one before it"
        text = f"{', '.join(changed)} change with the order of rows, or with kilograms for tonnes"
        yield Diagnostic(text, str(ref.folder), fix=fix)


def _anew(head: Sequence[str], rows: Sequence[tuple[str, ...]], masses: set[str]) -> tuple[tuple[str, ...], ...]:
    """The rows of a table in another order, its masses in kilograms."""
    made = [tuple(in_kilograms(c) if name in masses else c for name, c in zip(head, row, strict=True)) for row in rows]
    return tuple(Random(len(made)).sample(made, len(made)))


def in_kilograms(text: str) -> str:
    """A mass with its unit, tonnes as kilograms."""
    return TONNES.sub(lambda found: f"{Decimal(found[1].replace(',', '')) * 1000:f} kg", text)


_TABLES = {"material": "materials.csv", "benchmark": "prices.csv", "facility": "facilities.csv", "offer": "offers.csv"}
"""Where each thing that may clash is defined by its id."""


@dataclass(frozen=True, eq=False)
class CatalogTrial:
    """A catalog, and what it is compared with."""

    name: str
    find: Callable[[], CatalogRef]
    registry: Registry
    others: Callable[[], Sequence[Catalog]]
    """The installed catalogs."""

    @cached_property
    def read(self) -> dict[str, Catalog]:
        """The catalog, and those that it requires, by name.

        Raises:
            InputError, PluginError: with everything that is wrong with any of them.
        """
        ref = self.ref
        return {c.name: c for c in read_catalogs([ref], self.registry.catalog_folder)}

    @cached_property
    def ref(self) -> CatalogRef:
        """Where it is.

        Raises:
            InputError, PluginError: if it is unavailable.
        """
        return self.find()

    def checks(self) -> tuple[Check, ...]:
        """All checks."""
        given = (
            ("read", "Every table can be read, with known units, names and sources.", self._read, False),
            ("stages", "Every offer says of each stage that its material needs where it happened, or that nobody knows.", self._stages, False),
            ("evidence", "Every figure has a source, and every source can be looked up.", lambda: unsourced(self._catalog(), self._folder), False),
            ("stated", "Where a list of countries is complete, the source states where that stage was done.", self._stated, False),
            ("prices", "Prices are of the order of the benchmarks of what they buy.", lambda: off_the_mark(self._catalog(), [*self.others(), *self._required()], self._folder), False),
            ("clashes", "No installed catalog defines the same thing, or differently.", self._clashes, False),
            ("rewritten", "With rows in another order, and tonnes as kilograms, the facts are the same.", lambda: differences(self._catalog(), self.ref, self.registry), False),
            ("dates", "No source is younger than the catalog; prices are of the two years before its day, verified capacities of three.", lambda: misdated(self._catalog(), self._required(), self._folder), False),
            ("old", "Sources say of which day their facts are, and it lies in the three years before its day.", lambda: old(self._catalog(), self._folder), True),
            ("weak", "Figures are more than assumed or recalled.", lambda: weak(self._catalog(), self._folder), True),
            ("doubles", "No plant is in another installed catalog under another name.", self._doubles, True),
            ("review", "Everything published can be used.", lambda: review(self._catalog(), self._required()), True),
        )  # fmt: skip
        return tuple(Check(f"catalog `{self.name}`", name, says, look, note) for name, says, look, note in given)

    @property
    def _folder(self) -> Path:
        return self.ref.folder

    def _catalog(self) -> Catalog:
        """The catalog, once it can be read."""
        try:
            return self.read[self.ref.name]
        except FriendshoreError as error:
            raise NotLookedAt("the catalog cannot be read: see `read`") from error

    def _read(self) -> Iterator[Diagnostic]:
        if not self.read:
            yield Diagnostic("holds nothing", str(self._folder))

    @cached_property
    def _materials(self) -> dict[str, Material]:
        return {material.id: material for catalog in self.read.values() for material in catalog.materials}

    def _required(self) -> list[Catalog]:
        return [catalog for name, catalog in self.read.items() if name != self.ref.name]

    def _stages(self) -> Iterator[Diagnostic]:
        for offer in self._catalog().offers:
            missing = self._missing(offer)
            if missing:
                message = f"offer `{offer.id}` says nothing of the {'stage' if len(missing) == 1 else 'stages'} {', '.join(missing)}"
                expected = f"a row for every stage of {', '.join(line.material for line in offer.outputs)}"
                fix = "add the row; leave `countries` blank where nobody knows"
                file = self._folder / "chain.csv"
                yield in_row(file, "offer", offer.id, message, "stage", expected=expected, fix=fix)

    def _missing(self, offer: Offer) -> list[Stage]:
        """Stages of what it delivers that neither it nor its inputs perform, in order."""
        done = {entry.main_stage for entry in offer.chain}
        for line in offer.inputs:
            done |= set(self._materials[line.material].stages)
        needed = {stage for line in offer.outputs for stage in self._materials[line.material].stages}
        return sorted(needed - done, key=lambda stage: stage.rank)

    def _stated(self) -> Iterator[Diagnostic]:
        catalog = self._catalog()
        sources = {source.id: source for one in self.read.values() for source in one.sources}
        return unstated(catalog, sources, self._folder)

    def _clashes(self) -> Iterator[Diagnostic]:
        mine = self._catalog()
        others = [c for c in self.others() if c.name != mine.name]
        yield from map(self._at, (p for p in clashes([*others, mine]) if f"`{mine.name}`" in p.found))

    def _at(self, clash: Diagnostic) -> Diagnostic:
        """A clash with the place in the catalog's own tables where what clashes is defined."""
        if clash.column not in _TABLES:
            return clash
        file = self._folder / _TABLES[clash.column]
        name = clash.message.split("`")[1]
        return replace(clash, file=str(file), row=line_of(file, "id", name), column="id")

    def _doubles(self) -> Iterator[Diagnostic]:
        mine = self._catalog()
        fix = "leave it to that catalog; a case that uses both says which one to keep by [[overlap]], or its capacity counts twice"
        for other in self.others():
            for pair in twins([other, mine]) if other.name != mine.name else ():
                both = (pair.first, pair.second)
                facility, theirs = both[::-1] if pair.second_catalog == mine.name else both
                message = (
                    f"`{facility.id}` and `{theirs.id}` of catalog `{other.name}` look like one facility: {pair.why}"
                )
                yield in_row(self._folder / "facilities.csv", "id", facility.id, message, "", fix=fix)
