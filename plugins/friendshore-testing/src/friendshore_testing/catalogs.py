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

from friendshore.catalog import Clash, clash_error, columns, find_clashes, likely_duplicates, read_catalogs, review
from friendshore.catalog.convert import Texts, texts_of, write_folder
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog, Material, Offer
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.stages import Stage
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.plugins.isolated import CatalogRef
from friendshore.problem.merged import exchange
from friendshore.questions.wording import first_few
from friendshore.reading import kinds

from .check import Check, CheckSkipped


def line_of_row(file: Path, column: str, value: str, **other_values: str) -> int | None:
    wanted = {column: value, **other_values}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            return next((rows.line_num for row in rows if _matches(row, wanted)), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _matches(row: Mapping[str, str | None], wanted: Mapping[str, str]) -> bool:
    return all((row.get(column) or "").strip() == value for column, value in wanted.items())


def problem_in_row(
    file: Path,
    key: tuple[str, str],
    message: str,
    column: str,
    found: str = "",
    expected: str = "",
    fix: str = "",
    *,
    code: str,
) -> Diagnostic:
    return Diagnostic(message, str(file), line_of_row(file, *key), column, found, expected, fix, code)


MAX_FACTOR = Decimal(30)
"""Maximum factor of a price above the most expensive benchmark of the material, or below the cheapest."""
MAX_FACTOR_OF_ELEMENT = Decimal(300)
"""The factor for benchmarks of another material of the element, per kilogram of the element: an oxide and a magnet."""
_ABOUT_A_THOUSAND = (Decimal(200), Decimal(5000))


def implausible_prices(catalog: Catalog, others: Sequence[Catalog], folder: Path) -> Iterator[Diagnostic]:
    """Yield prices far from all benchmarks of their goods. Prices of offers with inputs are fees, and can only be too high."""
    known_prices = _KnownPrices([*others, catalog])
    for offer in catalog.offers:
        price = offer.price
        if price is not None and price.amount is not None and len(offer.outputs) == 1:
            per_kg = price.amount / offer.outputs[0].per_unit
            yield from _implausible_offer(known_prices, offer, per_kg, price.currency, folder)
    for benchmark in catalog.prices:
        low, high, max_factor = known_prices.band(benchmark.material, benchmark.currency, benchmark)
        ratio = _deviation(benchmark.amount, low, high, max_factor)
        if ratio is not None:
            money = (benchmark.amount, benchmark.currency)
            yield _problem("benchmark", benchmark.id, money, (low, high), ratio, folder / "prices.csv")


def _implausible_offer(
    known_prices: _KnownPrices, offer: Offer, per_kg: Decimal, currency: str, folder: Path
) -> Iterator[Diagnostic]:
    low, high, max_factor = known_prices.band(offer.outputs[0].material, currency)
    ratio = _deviation(per_kg, low, high, max_factor)
    if ratio is None or (offer.inputs and ratio < 1):
        return
    yield _problem("offer", offer.id, (per_kg, currency), (low, high), ratio, folder / "offers.csv")


def _problem(
    noun: str,
    name: str,
    money: tuple[Decimal, str],
    band: tuple[Decimal | None, Decimal | None],
    ratio: Decimal,
    file: Path,
) -> Diagnostic:
    (low, high), (amount, currency) = band, money
    times = ratio if ratio > 1 else 1 / ratio
    message = (
        f"the price of {noun} `{name}` is {times:,.0f} times {'higher' if ratio > 1 else 'lower'} than any benchmark"
    )
    found = f"{amount:,.6g} {currency}/kg"
    expected = f"about {low:,.6g}{'' if low == high else f' to {high:,.6g}'} {currency}/kg"
    fix = "check the figure and its unit"
    if _ABOUT_A_THOUSAND[0] < times < _ABOUT_A_THOUSAND[1]:
        actual, written = ("tonne", "kilogram") if ratio > 1 else ("kilogram", "tonne")
        fix += f": a price per {actual} may be written as a price per {written}"
    return problem_in_row(file, ("id", name), message, "price", found, expected, fix, code="FS952")


def _deviation(amount: Decimal, low: Decimal | None, high: Decimal | None, max_factor: Decimal) -> Decimal | None:
    """Return the factor above the highest, or the fraction of the lowest. None if it is within the limit, or no benchmark is known."""
    if low is None or high is None or not amount:
        return None
    if amount > max_factor * high:
        return amount / high
    return amount / low if amount * max_factor < low else None


class _KnownPrices:
    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        self._materials: dict[str, Material] = {m.id: m for c in catalogs for m in c.materials}
        self._prices = [price for c in catalogs for price in c.prices]
        self._rates = tuple(rate for c in catalogs for rate in c.rates)

    def band(
        self, material: str, currency: str, excluded: BenchmarkPrice | None = None
    ) -> tuple[Decimal | None, Decimal | None, Decimal]:
        """Return the lowest and highest benchmark per kilogram, and the permitted factor. Benchmarks of the element count if the material has none."""
        series = excluded.id if excluded else None
        prices = [price for price in self._prices if price.id != series]
        own = [self._converted(price, currency) for price in prices if price.material == material]
        if amounts := [amount for amount in own if amount is not None]:
            return min(amounts), max(amounts), MAX_FACTOR
        good = self._materials.get(material)
        related = [self._by_content(price, good, currency) for price in prices] if good else []
        if amounts := [amount for amount in related if amount is not None]:
            return min(amounts), max(amounts), MAX_FACTOR_OF_ELEMENT
        return None, None, MAX_FACTOR_OF_ELEMENT

    def _converted(self, price: BenchmarkPrice, currency: str) -> Decimal | None:
        rate = exchange(self._rates, price.currency, currency, price.date)
        return None if rate is None else price.amount * rate

    def _by_content(self, price: BenchmarkPrice, good: Material, currency: str) -> Decimal | None:
        benchmark_material = self._materials.get(price.material)
        if benchmark_material is None or not good.element or benchmark_material.element != good.element:
            return None
        if not benchmark_material.content or not good.content:
            return None
        amount = self._converted(price, currency)
        return None if amount is None else amount / benchmark_material.content * good.content


MAX_AGE = timedelta(days=3 * 365)
"""Maximum age of a source's facts on the catalog's day. Older sources are reported, and support no verified capacity."""
MAX_PRICE_AGE = timedelta(days=2 * 365)
"""Maximum age of a price, and of the last price of a benchmark that offers follow: metals have risen tenfold in less time."""

_PUBLISHED = (Confidence.VERIFIED, Confidence.REPORTED)

SourcedFigure = tuple[str, str, str, str]
"""Table, its column of names, the name, and the source, which may be empty."""


def figures(catalog: Catalog) -> Iterator[SourcedFigure]:
    for material in catalog.materials:
        if material.content is not None:
            yield ("materials.csv", "id", material.id, material.source or _factor_source(catalog, material.basis))
    for facility in catalog.facilities:
        for step in facility.capacity:
            yield ("capacity.csv", "facility", facility.id, step.source)
        yield from (("owners.csv", "facility", facility.id, owner.source) for owner in facility.owners)
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
    """Return the source of a computed content: a factor, or the basis. A gross mass allows no computation, so it has none."""
    if basis == "gross":
        return ""
    return next((factor.source for factor in catalog.factors if factor.compound == basis), "worked out on reading")


def missing_sources(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Yield figures without a source, and sources that can't be looked up."""
    seen: set[SourcedFigure] = set()
    for figure in figures(catalog):
        table, column, name, source_id = figure
        if not source_id and figure not in seen:
            seen.add(figure)
            fix = "add its source to sources.csv and name it here"
            message = f"a figure of `{name}` has no source"
            file, key = folder / table, (column, name)
            yield problem_in_row(file, key, message, "source", found="a blank cell", fix=fix, code="FS104")
    for source in _own_sources(catalog):
        if not source.reference.strip():
            expected = "a title, a web address, or a document"
            yield _source_problem(folder, catalog, source, "has no reference", "reference", expected, code="FS950")
        elif source.date is None and source.read is None and source.confidence in _PUBLISHED:
            message = f"is {source.confidence}, but has neither the date of its facts nor the date on which it was read"
            expected = "the date on which you read it, such as 2026-11-30"
            yield _source_problem(folder, catalog, source, message, "read", expected, code="FS950")


def unsupported_chains(catalog: Catalog, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    """Yield chain entries marked complete whose source doesn't state the place of the stage. `sources` includes those of required catalogs."""
    file = folder / "chain.csv"
    for offer in catalog.offers:
        for entry in offer.chain:
            source = sources.get(entry.source)
            if not entry.complete or source is None or source.proves(entry.stage):
                continue
            yield Diagnostic(
                f"the source of offer `{offer.id}` doesn't state that it was {entry.stage} only in {', '.join(sorted(entry.countries))}",
                str(file),
                line_of_row(file, "offer", offer.id, stage=entry.stage),
                "complete",
                found=f"source `{entry.source}` states {', '.join(source.states) or 'no stage'}",
                expected=f"a source that states where all of it was {entry.stage}",
                fix="write complete = no, or add the stage to the source's `states` in sources.csv if it does state this",
                code="FS950",
            )


def date_problems(catalog: Catalog, required: Sequence[Catalog], folder: Path) -> Iterator[Diagnostic]:
    if catalog.as_of is None:
        fix = "add the date of its facts, such as `as_of = 2026-11-30`"
        yield Diagnostic("the catalog has no date", str(folder / "catalog.toml"), column="as_of", fix=fix, code="FS951")
        return
    for source in _own_sources(catalog):
        for column, day in (("date", source.date), ("read", source.read)):
            if day is not None and day > catalog.as_of:
                message = f"is dated {day}, after the catalog's date {catalog.as_of}"
                expected = "an earlier date, or a later `as_of` of the catalog"
                yield _source_problem(folder, catalog, source, message, column, expected, code="FS951")
        if source.date is not None and source.read is not None and source.date > source.read:
            message = f"was read on {source.read}, before the date of its facts, {source.date}"
            expected = f"a date up to {source.read}"
            yield _source_problem(folder, catalog, source, message, "date", expected, code="FS951")
    sources = {source.id: source for other in (*required, catalog) for source in other.sources}
    yield from _old_capacities(catalog, catalog.as_of, sources, folder)
    yield from _old_prices(catalog, catalog.as_of, sources, folder)
    last: dict[str, date] = {}
    for other in (*required, catalog):
        for price in other.prices:
            last[price.id] = max(price.date, last.get(price.id, price.date))
    followed = sorted({offer.price.benchmark for offer in catalog.offers if offer.price and offer.price.benchmark})
    for name in followed:
        if name in last and catalog.as_of - last[name] > MAX_PRICE_AGE:
            message = f"the last price of benchmark `{name}`, which offers follow, is {_years_text(catalog.as_of - last[name])} old"
            file, fix = str(folder / "offers.csv"), "add a newer price of the benchmark"
            yield Diagnostic(message, file, column="benchmark", found=str(last[name]), fix=fix, code="FS951")


def _old_capacities(catalog: Catalog, today: date, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    for facility in catalog.facilities:
        for step in facility.capacity:
            source = sources.get(step.source)
            if (
                source is None
                or not source.confidence.reaches(Confidence.COMPUTED)
                or _is_recent(source, today, MAX_AGE)
            ):
                continue
            message = (
                f"a capacity of `{facility.id}` is {source.confidence}, but its source is {_age_text(source, today)}"
            )
            fix = "find a newer figure, or a source of confidence `reported`, which counts only in cases that accept it"
            found, expected = f"`{step.source}`", f"a source from the {_years_text(MAX_AGE)} before {today}"
            file, key = folder / "capacity.csv", ("facility", facility.id)
            yield problem_in_row(file, key, message, "source", found, expected, fix, code="FS951")


def _old_prices(catalog: Catalog, today: date, sources: Mapping[str, Source], folder: Path) -> Iterator[Diagnostic]:
    for offer in catalog.offers:
        source_id = (offer.price.source or offer.source) if offer.price and offer.price.amount is not None else ""
        source = sources.get(source_id)
        if source is None or _is_recent(source, today, MAX_PRICE_AGE):
            continue
        message = f"the source of the price of offer `{offer.id}` is {_age_text(source, today)}"
        expected = f"a source from the {_years_text(MAX_PRICE_AGE)} before {today}"
        fix = "find a newer price, or leave the cell blank, which makes the offer a lead"
        file, key = folder / "offers.csv", ("id", offer.id)
        yield problem_in_row(file, key, message, "price", f"`{source_id}`", expected, fix, code="FS951")


def _is_recent(source: Source, today: date, limit: timedelta) -> bool:
    """Return True if the date of its facts is known and within the limit. An unknown date counts as old."""
    return source.date is not None and today - source.date <= limit


def _age_text(source: Source, today: date) -> str:
    if source.date is None:
        return "undated"
    return f"of {source.date}, {_years_text(today - source.date)} before the catalog's date"


def old_sources(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Yield sources that are old on the catalog's day, and those from reading without a date of their facts."""
    for source in _own_sources(catalog):
        if source.date is None and source.read is not None and source.confidence in _PUBLISHED:
            message = "doesn't date its facts, so they count as old"
            expected = "the date of its facts, or of publication"
            yield _source_problem(folder, catalog, source, message, "date", expected, code="FS951")
        if source.date is not None and catalog.as_of is not None and catalog.as_of - source.date > MAX_AGE:
            message = f"is dated {source.date}, {_years_text(catalog.as_of - source.date)} before the catalog's date"
            expected = "a newer source, if there is one"
            yield _source_problem(folder, catalog, source, message, "date", expected, code="FS951")


def weak_figures(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    confidence_by_source = {source.id: source.confidence for source in catalog.sources}
    names_by_table: dict[tuple[str, Confidence], set[str]] = {}
    for table, _, name, source in figures(catalog):
        confidence = confidence_by_source.get(source)
        if confidence in (Confidence.ASSUMED, Confidence.RECALLED):
            names_by_table.setdefault((table, confidence), set()).add(name)
    for (table, confidence), names in sorted(names_by_table.items()):
        yield Diagnostic(
            f"figures of {first_few(sorted(names), 4, ' and ')} are {confidence}",
            str(folder / table),
            fix=f'find better sources, or write `confidence = "{confidence}"` under `[accept]` in cases',
            code="FS950",
        )


def _own_sources(catalog: Catalog) -> list[Source]:
    return [source for source in catalog.sources if source.id.startswith(f"{catalog.name}:")]


def _source_problem(
    folder: Path, catalog: Catalog, source: Source, message: str, column: str, expected: str, *, code: str
) -> Diagnostic:
    name = source.id.removeprefix(f"{catalog.name}:")
    file, message = folder / "sources.csv", f"source `{name}` {message}"
    return problem_in_row(file, ("id", name), message, column, expected=expected, code=code)


def _years_text(span: timedelta) -> str:
    return f"{span.days / 365.25:.1f} years"


_TONNES = re.compile(r"^([\d.,]+) ?t\b")
_MASSES = (kinds.MASS, kinds.MASS_RATE)


def rewriting_differences(catalog: Catalog, ref: CatalogRef, registry: Registry) -> Iterator[Diagnostic]:
    """Yield the facts that change if the tables are rewritten with other row orders and units."""
    texts = texts_of(ref.place, ref.columns)
    masses = {layout.name: {f.name for f in layout.fields if f.kind in _MASSES} for layout in columns.TABLES}
    tables = {name: (head, _rewritten_rows(head, rows, masses[name])) for name, (head, rows) in texts.tables.items()}
    with TemporaryDirectory() as scratch:
        folder = Path(scratch, "catalog")
        write_folder(Texts(texts.head, tables), folder)
        reread = read_catalogs([CatalogRef(name=ref.name, folder=folder, columns=ref.columns)], registry.catalog_folder)
    rewritten = next(c for c in reread if c.name == ref.name)
    if rewritten.digest != catalog.digest:
        fields = [name for name in Catalog.model_fields if name not in ("digest", "distribution")]
        changed = [name for name in fields if getattr(rewritten, name) != getattr(catalog, name)]
        fix = "write every mass with its unit, and don't let a row depend on the previous one"
        message = f"{', '.join(changed)} change with the order of rows, or with kilograms for tonnes"
        yield Diagnostic(message, str(ref.folder), fix=fix, code="FS953")


def _rewritten_rows(
    head: Sequence[str], rows: Sequence[tuple[str, ...]], masses: set[str]
) -> tuple[tuple[str, ...], ...]:
    converted = [
        tuple(in_kilograms(c) if name in masses else c for name, c in zip(head, row, strict=True)) for row in rows
    ]
    return tuple(Random(len(converted)).sample(converted, len(converted)))


def in_kilograms(text: str) -> str:
    return _TONNES.sub(lambda match: f"{Decimal(match[1].replace(',', '')) * 1000:f} kg", text)


_TABLES = {"material": "materials.csv", "benchmark": "prices.csv", "facility": "facilities.csv", "offer": "offers.csv"}


@dataclass(frozen=True, eq=False)
class CatalogTrial:
    """A catalog, and the catalogs to compare it with."""

    name: str
    find: Callable[[], CatalogRef]
    registry: Registry
    others: Callable[[], Sequence[Catalog]]

    @cached_property
    def read(self) -> dict[str, Catalog]:
        """The catalog and those that it requires, by name. Raises InputError or PluginError with all errors in any of them."""
        ref = self.ref
        return {c.name: c for c in read_catalogs([ref], self.registry.catalog_folder)}

    @cached_property
    def ref(self) -> CatalogRef:
        return self.find()

    def checks(self) -> tuple[Check, ...]:
        checks = (
            ("read", "Every table can be read, with known units, names, and sources.", self._read, False),
            ("stages", "Every offer has a country, or a blank, for each stage of its material.", self._stages, False),
            ("evidence", "Every figure has a source, and every source can be looked up.", lambda: missing_sources(self._catalog(), self._folder), False),
            ("stated", "If a list of countries is complete, its source states where that stage took place.", self._stated, False),
            ("prices", "Prices have the magnitude of the benchmarks of their goods.", lambda: implausible_prices(self._catalog(), [*self.others(), *self._required()], self._folder), False),
            ("clashes", "No installed catalog defines the same thing.", self._clashes, False),
            ("rewritten", "With rows in another order and tonnes as kilograms, the facts are the same.", lambda: rewriting_differences(self._catalog(), self.ref, self.registry), False),
            ("dates", "No source is newer than the catalog. Prices are at most two years older, verified capacities three.", lambda: date_problems(self._catalog(), self._required(), self._folder), False),
            ("old", "Sources are dated, at most three years before the catalog.", lambda: old_sources(self._catalog(), self._folder), True),
            ("weak", "Figures are better than assumed or recalled.", lambda: weak_figures(self._catalog(), self._folder), True),
            ("doubles", "No facility is in another installed catalog under another name.", self._doubles, True),
            ("review", "Everything in the catalog can be used.", lambda: review(self._catalog(), self._required()), True),
        )  # fmt: skip
        return tuple(
            Check(f"catalog `{self.name}`", name, requirement, find, note) for name, requirement, find, note in checks
        )

    @property
    def _folder(self) -> Path:
        return self.ref.folder

    def _catalog(self) -> Catalog:
        try:
            return self.read[self.ref.name]
        except FriendshoreError as error:
            raise CheckSkipped("the catalog can't be read, see check `read`") from error

    def _read(self) -> Iterator[Diagnostic]:
        if not self.read:
            yield Diagnostic("the folder contains no catalog", str(self._folder), code="FS958")

    @cached_property
    def _materials(self) -> dict[str, Material]:
        return {material.id: material for catalog in self.read.values() for material in catalog.materials}

    def _required(self) -> list[Catalog]:
        return [catalog for name, catalog in self.read.items() if name != self.ref.name]

    def _stages(self) -> Iterator[Diagnostic]:
        for offer in self._catalog().offers:
            missing = self._missing_stages(offer)
            if missing:
                message = f"offer `{offer.id}` has no row for the {'stage' if len(missing) == 1 else 'stages'} {', '.join(missing)}"
                expected = f"a row for every stage of {', '.join(line.material for line in offer.outputs)}"
                fix = "add the row, and leave `countries` blank if they are unknown"
                file, key = self._folder / "chain.csv", ("offer", offer.id)
                yield problem_in_row(file, key, message, "stage", expected=expected, fix=fix, code="FS950")

    def _missing_stages(self, offer: Offer) -> list[Stage]:
        performed = {entry.main_stage for entry in offer.chain if not entry.element}
        for line in offer.inputs:
            performed |= set(self._materials[line.material].stages)
        needed = {stage for line in offer.outputs for stage in self._materials[line.material].stages}
        return sorted(needed - performed, key=lambda stage: stage.rank)

    def _stated(self) -> Iterator[Diagnostic]:
        catalog = self._catalog()
        sources = {source.id: source for other in self.read.values() for source in other.sources}
        return unsupported_chains(catalog, sources, self._folder)

    def _clashes(self) -> Iterator[Diagnostic]:
        mine = self._catalog()
        others = [c for c in self.others() if c.name != mine.name]
        for clash in find_clashes([*others, mine]):
            if mine.name in (clash.first.name, clash.second.name):
                yield self._clash_in_own_row(clash)

    def _clash_in_own_row(self, clash: Clash) -> Diagnostic:
        if clash.noun not in _TABLES:
            return clash_error(clash)
        file = self._folder / _TABLES[clash.noun]
        return replace(clash_error(clash), file=str(file), row=line_of_row(file, "id", clash.name), column="id")

    def _doubles(self) -> Iterator[Diagnostic]:
        mine = self._catalog()
        fix = "delete it here, or tell cases that use both catalogs to keep one with [[overlap]], since its capacity counts twice otherwise"
        for other in self.others():
            for pair in likely_duplicates([other, mine]) if other.name != mine.name else ():
                both = (pair.first, pair.second)
                facility, theirs = both[::-1] if pair.second_catalog == mine.name else both
                message = f"`{facility.id}` and `{theirs.id}` of catalog `{other.name}` look like the same facility: {pair.why}"
                file, key = self._folder / "facilities.csv", ("id", facility.id)
                yield problem_in_row(file, key, message, "", fix=fix, code="FS954")
