"""Checks of a catalog: its sources, figures, and bytes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from friendshore.catalog import Clash, clash_error, clashing, columns, read_catalogs, review, twins
from friendshore.catalog.convert import Texts, texts_of, write_folder
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog, Material, Offer
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.stages import Stage
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.plugins.isolated import CatalogRef
from friendshore.problem.merged import exchange
from friendshore.reading import kinds

from .check import Check, NotLookedAt


def line_of(file: Path, column: str, value: str, **also: str) -> int | None:
    """Return the line of the first row of a table with a value in a column, and others in `also`. None if there is no such row or table."""
    wanted = {column: value, **also}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            return next((rows.line_num for row in rows if _has(row, wanted)), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _has(row: Mapping[str, str | None], wanted: Mapping[str, str]) -> bool:
    return all((row.get(column) or "").strip() == value for column, value in wanted.items())


def in_row(
    file: Path, of: str, name: str, message: str, column: str, found: str = "", expected: str = "", fix: str = ""
) -> Diagnostic:
    """Return a diagnostic at the row of a table whose column `of` contains a name."""
    return Diagnostic(message, str(file), line_of(file, of, name), column, found, expected, fix)


SAME = Decimal(30)
"""Maximum factor of a price above the most expensive benchmark of the material, or below the cheapest."""
KIN = Decimal(300)
"""The factor for benchmarks of another material of the element, per kilogram of the element: an oxide and a magnet."""
_THOUSAND = (Decimal(200), Decimal(5000))


def off_the_mark(catalog: Catalog, others: Sequence[Catalog], folder: Path) -> Iterator[Diagnostic]:
    """Yield quoted prices far from all known benchmarks of their goods, in the catalog and `others`.

    Prices of offers with inputs are only checked for being too high.
    """
    known = _Known([*others, catalog])
    for offer in catalog.offers:
        price = offer.price
        if price is not None and price.amount is not None and len(offer.outputs) == 1:
            per_kg = price.amount / offer.outputs[0].per_unit
            yield from _compared(known, offer, per_kg, price.currency, folder)
    for benchmark in catalog.prices:
        low, high, bound = known.band(benchmark.material, benchmark.currency, benchmark)
        ratio = _ratio(benchmark.amount, low, high, bound)
        if ratio is not None:
            money = (benchmark.amount, benchmark.currency)
            yield _problem("benchmark", benchmark.id, money, (low, high), ratio, folder / "prices.csv")


def _compared(known: _Known, offer: Offer, per_kg: Decimal, currency: str, folder: Path) -> Iterator[Diagnostic]:
    low, high, bound = known.band(offer.outputs[0].material, currency)
    ratio = _ratio(per_kg, low, high, bound)
    if ratio is None or (offer.inputs and ratio < 1):
        return
    yield _problem("offer", offer.id, (per_kg, currency), (low, high), ratio, folder / "offers.csv")


def _problem(
    what: str,
    name: str,
    money: tuple[Decimal, str],
    band: tuple[Decimal | None, Decimal | None],
    ratio: Decimal,
    file: Path,
) -> Diagnostic:
    (low, high), (amount, currency) = band, money
    times = ratio if ratio > 1 else 1 / ratio
    much = f"{times:,.0f} times {'dearer' if ratio > 1 else 'cheaper'} than any benchmark of it"
    thousand = _THOUSAND[0] < times < _THOUSAND[1]
    units = ("tonne", "kilogram") if ratio > 1 else ("kilogram", "tonne")
    fix = f"money per {units[0]} written as money per {units[1]}?"
    found = f"{amount:,.6g} {currency}/kg"
    expected = f"about {low:,.6g}{'' if low == high else f' to {high:,.6g}'} {currency}/kg"
    fix = fix if thousand else "look the figure and its unit up again"
    return in_row(file, "id", name, f"the price of {what} `{name}` is {much}", "price", found, expected, fix)


def _ratio(amount: Decimal, low: Decimal | None, high: Decimal | None, bound: Decimal) -> Decimal | None:
    """Return the factor above the highest, or the fraction of the lowest. None if it is within the bound, or nothing is known."""
    if low is None or high is None or not amount:
        return None
    if amount > bound * high:
        return amount / high
    return amount / low if amount * bound < low else None


class _Known:
    """Benchmark prices of several catalogs, for comparison."""

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        self._materials: dict[str, Material] = {m.id: m for c in catalogs for m in c.materials}
        self._prices = [price for c in catalogs for price in c.prices]
        self._rates = tuple(rate for c in catalogs for rate in c.rates)

    def band(
        self, material: str, currency: str, but: BenchmarkPrice | None = None
    ) -> tuple[Decimal | None, Decimal | None, Decimal]:
        """Return the lowest and highest benchmark of a material per kilogram in a currency, and the permitted factor.

        Without a benchmark of the material, those of other materials of its element count by content. The series of `but` is left out.
        """
        series = but.id if but else None
        prices = [price for price in self._prices if price.id != series]
        same = [self._in(price, currency) for price in prices if price.material == material]
        if found := [amount for amount in same if amount is not None]:
            return min(found), max(found), SAME
        sold = self._materials.get(material)
        kin = [self._kin(price, sold, currency) for price in prices] if sold else []
        if found := [amount for amount in kin if amount is not None]:
            return min(found), max(found), KIN
        return None, None, KIN

    def _in(self, price: BenchmarkPrice, currency: str) -> Decimal | None:
        rate = exchange(self._rates, price.currency, currency, price.date)
        return None if rate is None else price.amount * rate

    def _kin(self, price: BenchmarkPrice, sold: Material, currency: str) -> Decimal | None:
        priced = self._materials.get(price.material)
        if priced is None or not sold.element or priced.element != sold.element:
            return None
        if not priced.content or not sold.content:
            return None
        amount = self._in(price, currency)
        return None if amount is None else amount / priced.content * sold.content


OLD = timedelta(days=3 * 365)
"""Maximum age of a source's facts on the catalog's day. Older sources are reported, and support no verified capacity."""
OLD_PRICE = timedelta(days=2 * 365)
"""Maximum age of a price, and of the last price of a benchmark that offers follow: metals have risen tenfold in less time."""

_READ = (Confidence.VERIFIED, Confidence.REPORTED)
"""Confidence in facts from published sources, as opposed to known, assumed, or computed ones."""

Figure = tuple[str, str, str, str]
"""Table, its column of names, the name, and the source, which may be empty."""


def figures(catalog: Catalog) -> Iterator[Figure]:
    """Yield every figure of a catalog with its source."""
    for material in catalog.materials:
        if material.content is not None:
            yield ("materials.csv", "id", material.id, material.source or _factor_source(catalog, material.basis))
    for facility in catalog.facilities:
        for step in facility.capacity:
            yield ("capacity.csv", "facility", facility.id, step.source)
    for offer in catalog.offers:
        if offer.price is not None:
            yield ("offers.csv", "id", offer.id, offer.price.source or offer.source)
        bounds = ("min_order", "max_order", "lot", "max_per_year", "total", "onboarding", "take_or_pay")
        if any(getattr(offer, bound) is not None for bound in bounds):
            yield ("offers.csv", "id", offer.id, offer.source)
        yield from (("quotes.csv", "offer", offer.id, quote.source) for quote in offer.quotes)
        yield from (("chain.csv", "offer", offer.id, entry.source) for entry in offer.chain)
        yield from (("lanes.csv", "offer", offer.id, lane.source) for lane in offer.lanes if lane.freight is not None)
        yield from (("recipe.csv", "offer", offer.id, line.source) for line in offer.inputs)
    yield from (("prices.csv", "id", price.id, price.source) for price in catalog.prices)
    yield from (("rates.csv", "currency", rate.currency, rate.source) for rate in catalog.rates)
    yield from (("factors.csv", "compound", factor.compound, factor.source) for factor in catalog.factors)
    yield from (("tiers.csv", "id", schedule.id, schedule.source) for schedule in catalog.schedules)
    yield from (("terms.csv", "id", terms.id, terms.source) for terms in catalog.terms)


def _factor_source(catalog: Catalog, basis: str) -> str:
    """Return the source of a computed content: a factor here or in a required catalog, or the basis, which is the element.

    A gross mass allows no computation, so its content was written down.
    """
    if basis == "gross":
        return ""
    return next((factor.source for factor in catalog.factors if factor.compound == basis), "worked out on reading")


def unsourced(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Yield figures without a source, and sources that can't be looked up."""
    seen: set[Figure] = set()
    for figure in figures(catalog):
        table, column, name, founded = figure
        if not founded and figure not in seen:
            seen.add(figure)
            fix = "add its source to sources.csv and name it here"
            message = f"a figure of `{name}` has no source"
            yield in_row(folder / table, column, name, message, "source", found="a blank cell", fix=fix)
    for source in _own(catalog):
        if not source.reference.strip():
            yield _of_source(
                folder, catalog, source, "says not what it is", "reference", "a title, an address or a document"
            )
        elif source.date is None and source.read is None and source.confidence in _READ:
            missing = f"is {source.confidence}, and has neither the day of its facts nor that on which it was read"
            yield _of_source(folder, catalog, source, missing, "read", "the day on which somebody read it")


def unstated(catalog: Catalog, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    """Yield chain entries marked complete by a source that doesn't name the place of the stage. The source may be a required catalog's."""
    file = folder / "chain.csv"
    for offer in catalog.offers:
        for entry in offer.chain:
            source = sources.get(entry.source)
            if not entry.complete or source is None or source.proves(entry.stage):
                continue
            yield Diagnostic(
                f"offer `{offer.id}` is said to have been {entry.stage} in {', '.join(sorted(entry.countries))} alone, and "
                f"its source does not state where",
                str(file),
                line_of(file, "offer", offer.id, stage=entry.stage),
                "complete",
                found=f"source `{entry.source}` states {', '.join(source.states) or 'no stage'}",
                expected=f"a source that says where all of it was {entry.stage}",
                fix="say complete = no; or, if the source says so, add the stage to its `states` in sources.csv",
            )


def misdated(catalog: Catalog, required: Sequence[Catalog], folder: Path) -> Iterator[Diagnostic]:
    """Yield sources younger than the catalog, and prices too old on its day: an offer's own, or of a benchmark that it follows."""
    if catalog.as_of is None:
        yield Diagnostic(
            "has no day on which it was put together", str(folder / "catalog.toml"), column="as_of", fix="add as_of"
        )
        return
    for source in _own(catalog):
        for column, day in (("date", source.date), ("read", source.read)):
            if day is not None and day > catalog.as_of:
                message = f"is of {day}, after the catalog's day {catalog.as_of}"
                yield _of_source(folder, catalog, source, message, column, "an earlier day, or a later `as_of`")
        if source.date is not None and source.read is not None and source.date > source.read:
            message = f"was read on {source.read}, before the day of its facts, {source.date}"
            yield _of_source(folder, catalog, source, message, "date", "a day up to that on which it was read")
    sources = {source.id: source for one in (*required, catalog) for source in one.sources}
    yield from _old_capacities(catalog, catalog.as_of, sources, folder)
    yield from _old_prices(catalog, catalog.as_of, sources, folder)
    last: dict[str, date] = {}
    for other in (*required, catalog):
        for price in other.prices:
            last[price.id] = max(price.date, last.get(price.id, price.date))
    followed = sorted({offer.price.benchmark for offer in catalog.offers if offer.price and offer.price.benchmark})
    for name in followed:
        if name in last and catalog.as_of - last[name] > OLD_PRICE:
            message = f"offers follow benchmark `{name}`, whose last price is {_years(catalog.as_of - last[name])} old"
            file, fix = str(folder / "offers.csv"), "add a newer price of the benchmark"
            yield Diagnostic(message, file, column="benchmark", found=str(last[name]), fix=fix)


def _old_capacities(catalog: Catalog, today: date, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    for facility in catalog.facilities:
        for step in facility.capacity:
            source = sources.get(step.source)
            if source is None or not source.confidence.reaches(Confidence.COMPUTED) or _fresh(source, today, OLD):
                continue
            message = f"a capacity of `{facility.id}` is {source.confidence}, by a source {_age(source, today)}"
            fix = "find a newer figure; or say `reported`, so that a case counts it only where it asks for that"
            found, expected = f"`{step.source}`", f"one of the {_years(OLD)} before {today}"
            file = folder / "capacity.csv"
            yield in_row(file, "facility", facility.id, message, "source", found, expected, fix)


def _old_prices(catalog: Catalog, today: date, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    for offer in catalog.offers:
        founded = (offer.price.source or offer.source) if offer.price and offer.price.amount is not None else ""
        source = sources.get(founded)
        if source is None or _fresh(source, today, OLD_PRICE):
            continue
        message = f"the price of offer `{offer.id}` rests on a source {_age(source, today)}"
        expected = f"one of the {_years(OLD_PRICE)} before {today}"
        fix = "find a newer price; or leave it blank, so that the offer is a lead and is never counted"
        yield in_row(folder / "offers.csv", "id", offer.id, message, "price", f"`{founded}`", expected, fix)


def _fresh(source: Source, today: date, limit: timedelta) -> bool:
    """Return True if the date of its facts is known and within the limit. An unknown date counts as old."""
    return source.date is not None and today - source.date <= limit


def _age(source: Source, today: date) -> str:
    if source.date is None:
        return "whose facts are of an unknown day"
    return f"of {source.date}, {_years(today - source.date)} before the catalog's day"


def old(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Yield sources that are old on the catalog's day, and those from reading without a date of their facts."""
    for source in _own(catalog):
        if source.date is None and source.read is not None and source.confidence in _READ:
            message = "does not say of which day its facts are, which counts as old"
            yield _of_source(folder, catalog, source, message, "date", "the day they are stated for, or of publication")
        if source.date is not None and catalog.as_of is not None and catalog.as_of - source.date > OLD:
            message = f"is of {source.date}, {_years(catalog.as_of - source.date)} before the catalog's day"
            yield _of_source(folder, catalog, source, message, "date", "a newer figure, if there is one")


def weak(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Yield the number of figures of each table that are only assumed or recalled. A case counts them only if it says so."""
    confidence = {source.id: source.confidence for source in catalog.sources}
    found: dict[tuple[str, Confidence], set[str]] = {}
    for table, _, name, source in figures(catalog):
        held = confidence.get(source)
        if held in (Confidence.ASSUMED, Confidence.RECALLED):
            found.setdefault((table, held), set()).add(name)
    for (table, held), names in sorted(found.items()):
        some = ", ".join(sorted(names)[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield Diagnostic(
            f"figures of {some} are {held}",
            str(folder / table),
            fix=f'find better ones, or let cases say `confidence = "{held}"`',
        )


def _own(catalog: Catalog) -> list[Source]:
    return [source for source in catalog.sources if source.id.startswith(f"{catalog.name}:")]


def _of_source(folder: Path, catalog: Catalog, source: Source, message: str, column: str, expected: str) -> Diagnostic:
    name = source.id.removeprefix(f"{catalog.name}:")
    return in_row(folder / "sources.csv", "id", name, f"source `{name}` {message}", column, expected=expected)


def _years(span: timedelta) -> str:
    return f"{span.days / 365.25:.1f} years"


TONNES = re.compile(r"^([\d.,]+) ?t\b")
_MASSES = (kinds.MASS, kinds.MASS_RATE)


def differences(catalog: Catalog, ref: CatalogRef, registry: Registry) -> Iterator[Diagnostic]:
    """Yield differences of a catalog after rewriting its tables."""
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
    """Return the rows of a table in another order, with masses in kilograms."""
    made = [tuple(in_kilograms(c) if name in masses else c for name, c in zip(head, row, strict=True)) for row in rows]
    return tuple(Random(len(made)).sample(made, len(made)))


def in_kilograms(text: str) -> str:
    """Return a mass with its unit, with tonnes as kilograms."""
    return TONNES.sub(lambda found: f"{Decimal(found[1].replace(',', '')) * 1000:f} kg", text)


_TABLES = {"material": "materials.csv", "benchmark": "prices.csv", "facility": "facilities.csv", "offer": "offers.csv"}
"""Kind of an object that may clash -> table that defines its id."""


@dataclass(frozen=True, eq=False)
class CatalogTrial:
    """A catalog, and the catalogs to compare it with."""

    name: str
    find: Callable[[], CatalogRef]
    registry: Registry
    others: Callable[[], Sequence[Catalog]]
    """Function that returns the installed catalogs."""

    @cached_property
    def read(self) -> dict[str, Catalog]:
        """The catalog and those that it requires, by name.

        Raises:
            InputError, PluginError: With all errors in any of them.
        """
        ref = self.ref
        return {c.name: c for c in read_catalogs([ref], self.registry.catalog_folder)}

    @cached_property
    def ref(self) -> CatalogRef:
        """Its location.

        Raises:
            InputError, PluginError: If it is unavailable.
        """
        return self.find()

    def checks(self) -> tuple[Check, ...]:
        """Return all checks."""
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
        """Return the stages of an offer's goods that neither it nor its inputs perform, in order."""
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
        for clash in clashing([*others, mine]):
            if mine.name in (clash.first.name, clash.second.name):
                yield self._at(clash)

    def _at(self, clash: Clash) -> Diagnostic:
        """Return an error at the place in the catalog's own tables that defines it."""
        if clash.noun not in _TABLES:
            return clash_error(clash)
        file = self._folder / _TABLES[clash.noun]
        return replace(clash_error(clash), file=str(file), row=line_of(file, "id", clash.name), column="id")

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
