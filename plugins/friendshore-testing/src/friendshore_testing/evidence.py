"""Whether every figure of a catalog is founded: on a source, one that can be looked up, and one of its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog
from friendshore.errors import Diagnostic

from .figures import in_row, line_of

OLD = timedelta(days=3 * 365)
"""A source whose facts are of earlier than this before the catalog's day is told, and founds no verified capacity."""
OLD_PRICE = timedelta(days=2 * 365)
"""The same of a price, and of the last one of a benchmark that offers follow: metals have risen tenfold in less."""

_READ = (Confidence.VERIFIED, Confidence.REPORTED)
"""What somebody read somewhere, rather than knew, assumed or worked out."""

Figure = tuple[str, str, str, str]
"""Table, its column of names, the name, and the source: empty for none."""


def figures(catalog: Catalog) -> Iterator[Figure]:
    """Every figure of a catalog, with its source."""
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
    """What a content that was worked out rests on: a factor here or in a required catalog, or the basis, which is the element.

    Of a gross mass nothing can be worked out: its content was written down.
    """
    if basis == "gross":
        return ""
    return next((factor.source for factor in catalog.factors if factor.compound == basis), "worked out on reading")


def unsourced(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Figures without a source, and sources that nobody could look up."""
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
    """Chain entries said to be complete by a source, the catalog's own or a required one's, that does not say where that stage was done."""
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
    """Sources younger than the catalog, and prices too old on its day to be paid: an offer's own, or of a benchmark that it follows."""
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
    """Capacities that count as verified or computed, though their sources are old or of an unknown day."""
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
    """Offers' own prices by sources that are old or of an unknown day."""
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
    """Whether the day of its facts is known and within the limit; an unknown day counts as old."""
    return source.date is not None and today - source.date <= limit


def _age(source: Source, today: date) -> str:
    if source.date is None:
        return "whose facts are of an unknown day"
    return f"of {source.date}, {_years(today - source.date)} before the catalog's day"


def old(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """Sources that are old on the catalog's day, and those that were read without a day for their facts."""
    for source in _own(catalog):
        if source.date is None and source.read is not None and source.confidence in _READ:
            message = "does not say of which day its facts are, which counts as old"
            yield _of_source(folder, catalog, source, message, "date", "the day they are stated for, or of publication")
        if source.date is not None and catalog.as_of is not None and catalog.as_of - source.date > OLD:
            message = f"is of {source.date}, {_years(catalog.as_of - source.date)} before the catalog's day"
            yield _of_source(folder, catalog, source, message, "date", "a newer figure, if there is one")


def weak(catalog: Catalog, folder: Path) -> Iterator[Diagnostic]:
    """How many figures of each table are no more than assumed or recalled: a case counts them only if it says so."""
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
