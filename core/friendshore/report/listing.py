"""Lists of plugins, catalogs, rules, and packs, each as a table and as JSON."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeGuard

from ..document import elements as doc
from ..document.figures import count
from ..domain.used import aged, days_since
from ..domain.written import keys, paths_by_record
from ..plugins import PluginInfo, PluginStatus
from ..rules.pack import LegislativeBill, RulePack

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..domain.facts import Catalog, Facility, Offer
    from ..plugins.loading import Loaded
    from ..rules.base import Rule

EFFECTS = {"judge": "forbids", "charge": "charges", "rows": "limits"}


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under one name. `columns` are keys of the rows, with their titles."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Mapping[str, object], ...]
    notes: tuple[str, ...] = ()

    def data(self) -> dict[str, object]:
        return {self.name: [dict(row) for row in self.rows]}

    def document(self) -> doc.Document:
        return doc.document(self.name, *self.parts())

    def parts(self) -> list[doc.Element | None]:
        if not self.rows:
            return [doc.sentence(f"no {self.name}")]
        columns = [doc.Column(title) for _, title in self.columns]
        table = doc.table(columns, [[_cell(row.get(key)) for key, _ in self.columns] for row in self.rows])
        return [table, doc.notes(self.notes, doc.Tone.DOUBTFUL)]


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def plugin_listing(plugins: Iterable[PluginInfo], loaded: Sequence[Loaded] = ()) -> Listing:
    infos = list(plugins)
    import_by_plugin = {result.info: result for result in loaded}
    rows = [plugin_data(info, import_by_plugin.get(info)) for info in infos]
    columns = [
        ("label", "Plugin"), ("status", "Status"), ("catalogs", "Catalogs"), ("packs", "Rule packs"), ("kinds", "Kinds of rules"),
    ]  # fmt: skip
    if any(info.readers for info in infos):
        columns.append(("readers", "Readers"))
    if loaded:
        columns.insert(2, ("imported", "Imported in"))
        rows = [
            {**row, "imported": _imported(import_by_plugin.get(info))} for row, info in zip(rows, infos, strict=True)
        ]
    notes = [f"{info.label} {_fault(info)}" for info in infos if info.status is not PluginStatus.OK]
    notes += [f"{info.label}: {', '.join(info.withheld)} blocked" for info in infos if info.withheld]
    notes += [f"{info.label} {info.notice}" for info in infos if info.notice]
    notes += [str(result.problem) for result in loaded if result.problem is not None]
    return Listing("plugins", tuple(columns), tuple(rows), tuple(notes))


def _fault(info: PluginInfo) -> str:
    return f"is {info.error}" if info.status is PluginStatus.BLOCKED else f"is {info.status}: {info.error}"


def _imported(result: Loaded | None) -> str:
    if result is None:
        return "not imported"
    return result.how.value if result.seconds is None else f"{result.seconds:.2f} s"


def plugin_data(info: PluginInfo, loaded: Loaded | None = None) -> dict[str, object]:
    data = {**info.model_dump(mode="json"), "label": info.label, "notice": info.notice}
    if loaded is not None:
        data |= {"seconds": loaded.seconds, "import_error": str(loaded.problem) if loaded.problem else ""}
    return data


def plugin_document(info: PluginInfo) -> doc.Document:
    rows = [
        ("version", info.version or "unknown"),
        ("status", str(info.status)),
        ("entry point", f"{info.name} = {info.package}" if info.name else info.package),
        ("manifest", info.file or "none"),
        ("interface", _interface(info)),
        ("catalogs", ", ".join(info.catalogs) or "none"),
        ("rule packs", ", ".join(info.packs) or "none"),
        ("kinds of rules", ", ".join(info.kinds) or "none"),
        *([("readers", ", ".join(info.readers))] if info.readers else []),
        *([("columns", _columns(info))] if info.columns else []),
        *([("settings", f"[plugin.{info.distribution}] of a case")] if info.settings else []),
        *([("makes", "rule packs from its settings, for each case")] if info.case_packs else []),
        *(
            (title, ", ".join(item.name for item in items))
            for title, items in (
                ("questions", info.questions),
                ("commands", info.commands),
                ("output formats", info.formats),
                ("checks of runs", info.checks),
                ("case formats", info.case_formats),
            )
            if items
        ),
        *([("blocked", ", ".join(info.withheld))] if info.withheld else []),
    ]
    problems = doc.notes((text for text in (info.error, info.notice) if text), doc.Tone.DOUBTFUL)
    return doc.document(
        info.distribution, doc.sentence(info.distribution, strong=True), doc.Pairs(tuple(rows)), problems
    )


def _columns(info: PluginInfo) -> str:
    columns = ((f"{declared.table}.csv {declared.name}", declared.column) for declared in info.columns)
    return "; ".join(
        f"{name}: {column.type}{f' in {column.unit}' if column.unit else ''}, {column.meaning}"
        for name, column in columns
    )


def _interface(info: PluginInfo) -> str:
    return "unknown" if info.api is None else f"version {info.api}" + (f", {info.api_end}" if info.api_end else "")


def catalog_listing(rows: Iterable[Mapping[str, object]], day: date) -> Listing:
    columns = (("name", "Catalog"), ("title", "Title"), ("as_of", "As of"))
    further = (("age", "Age"), ("license", "License"), ("from", "From"))
    dated_rows = tuple({**row, "age": _age(str(row["as_of"]), day)} for row in rows)
    notes = tuple(f"{row['name']}: {row['error']}" for row in dated_rows if row.get("error"))
    return Listing("catalogs", columns + further, dated_rows, notes)


def _age(as_of: str, day: date) -> str:
    try:
        return days_since(date.fromisoformat(as_of), day)
    except ValueError:
        return ""  # blank, or invalid, which the row's own `error` reports


def catalog_data(catalog: Catalog) -> dict[str, object]:
    return catalog.model_dump(mode="json", by_alias=True)


def catalog_document(catalog: Catalog, day: date) -> doc.Document:
    head: list[str | doc.Quoted] = [
        f"{catalog.title or catalog.name}, {aged(catalog.as_of, day)}, {catalog.license or 'no license'}",
        f"from {catalog.distribution or 'a folder'}; {_counts(catalog)}; data {catalog.digest[:12]}",
        *([f"needs {', '.join(catalog.requires)}"] if catalog.requires else []),
        *([doc.Quoted(catalog.note)] if catalog.note else []),
    ]
    facilities = {facility.id: facility for facility in catalog.facilities}
    rows = []
    for offer in catalog.offers:
        facility, products = facilities.get(offer.facility), ", ".join(line.material for line in offer.outputs)
        rows.append([offer.id, products, facility.country if facility else "?", _price(offer), _capacity(facility)])
    columns = map(doc.Column, ("Offer", "Material", "In", "Price", "Capacity"))
    offers = doc.table(columns, rows) if rows else doc.sentence("no offers")
    materials = [[m.id, m.name, m.form, m.basis, "; ".join(m.stages)] for m in catalog.materials]
    material_columns = [doc.Column(title) for title in ("Material", "Name", "Form", "Basis", "Stages")]
    tables = [doc.table(material_columns, materials), offers] if materials else [offers]
    return doc.document(catalog.name, doc.sentence(catalog.name, strong=True), doc.notes(head), *map(doc.apart, tables))


def _counts(catalog: Catalog) -> str:
    return ", ".join(
        count(len(items), noun)
        for items, noun in (
            (catalog.materials, "material"),
            (catalog.facilities, "plant"),
            (catalog.offers, "offer"),
            *([(catalog.schedules, "price schedule")] if catalog.schedules else []),
            *([(catalog.terms, "order term")] if catalog.terms else []),
            (catalog.prices, "benchmark price"),
            (catalog.sources, "source"),
        )
    )


def _price(offer: Offer) -> str:
    price = offer.price
    if offer.quotes:
        amounts = sorted({(quote.currency, quote.amount) for quote in offer.quotes})
        return ", ".join(f"{amount:f} {currency}/kg" for currency, amount in amounts) + " quoted"
    if price is None:
        return "unknown"
    if price.amount is not None:
        return f"{price.amount:f} {price.currency}/kg"
    return f"{price.benchmark} {price.premium * 100:+f}%" if price.premium else price.benchmark


def _capacity(facility: Facility | None) -> str:
    steps = [
        f"{'unlimited' if step.per_year is None else f'{step.per_year:,f} kg/year'} {step.status}"
        + (f" from {step.start}" if step.start else "")
        for step in (facility.capacity if facility is not None else ())
    ]
    return "; ".join(steps) or "unknown"


_COLUMNS = (("id", "Rule"), ("kind", "Kind"), ("status", "Status"), ("title", "Title"), ("pack", "Pack"))


def rule_row(rule: Mapping[str, object], pack: str = "", distribution: str = "") -> dict[str, object]:
    data = {key: _json_ready(value) for key, value in rule.items()}
    return {**data, "status": _status(rule), "pack": pack, "distribution": distribution}


def bill_row(bill: LegislativeBill, pack: str, distribution: str = "") -> dict[str, object]:
    """Return a bill like a rule. A bill is pending unless it states another status."""
    stated = bill.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**rule_row(stated, pack, distribution), "kind": "bill", "status": bill.status.value}


def rule_listing(
    rows: Iterable[Mapping[str, object]], packs: Iterable[RulePack] = (), day: date | None = None
) -> Listing:
    listed = tuple(rows)
    notes = [f"pack {pack.id}, {aged(pack.as_of, day)}" for pack in packs]
    notes += [f"pack {row['pack']}: {row['error']}" for row in listed if row.get("error")]
    return Listing("rules", _COLUMNS, listed, tuple(notes))


def pack_data(pack: RulePack, distribution: str = "") -> dict[str, object]:
    return {**pack.model_dump(mode="json", by_alias=True), "distribution": distribution}


def pack_document(pack: RulePack, day: date, distribution: str = "") -> doc.Document:
    head: list[str | doc.Quoted] = [
        pack.title,
        f"{pack.authority or 'unknown authority'}; {aged(pack.as_of, day)}; {pack.license or 'no license stated'}",
        f"from {distribution or 'a folder'}; {count(len(pack.rules), 'rule')}, {count(len(pack.bills), 'bill')}; "
        f"data {pack.digest[:12]}",
        *([doc.Quoted(pack.note)] if pack.note else []),
    ]
    scenario_texts = [f"{scenario.name}: {scenario.title or 'no title'}" for scenario in pack.scenarios]
    bills = [f"{bill.id} ({bill.status}): {bill.title}" for bill in pack.bills]
    scenarios = "Scenarios, for --scenario of any case that uses the pack"
    return doc.document(
        pack.id,
        doc.sentence(pack.id, strong=True),
        doc.notes(head),
        doc.apart(*rule_listing(rule_row(rule, pack.id) for rule in pack.rules).parts()),
        doc.section_if_any("Bills, enabled by a scenario", doc.notes(bills), tone=doc.Tone.PLAIN),
        doc.section_if_any(scenarios, doc.notes(scenario_texts), tone=doc.Tone.PLAIN),
    )


def rule_document(row: Mapping[str, object]) -> doc.Document:
    head_keys = ("title", "citation", "source", "pack", "distribution", "kind", "status")
    order = [*(key for key in head_keys if row.get(key)), *(key for key in row if key not in (*head_keys, "id"))]
    name = str(row.get("id", ""))
    fields = doc.Pairs(tuple((key, _as_text(row[key])) for key in order if row[key] != ""))
    return doc.document(name, doc.sentence(name, strong=True), fields)


def kind_data(kind: type[Rule], distribution: str) -> dict[str, object]:
    name = str(kind.model_fields["kind"].default)
    tables: list[tuple[list[str], type[BaseModel]]] = [([""], kind)]
    tables += [(paths, inner) for inner, paths in paths_by_record(kind).items()]
    described = [
        {"within": paths, "keys": [{"key": k.name, "default": k.default, "meaning": k.meaning} for k in keys(inner)]}
        for paths, inner in tables
    ]
    effects = [word for verb, word in EFFECTS.items() if verb in kind.verbs]
    return {
        "id": name,
        "distribution": distribution,
        "does": effects,
        "about": inspect.getdoc(kind) or "",
        "tables": described,
    }


def kind_document(kind: type[Rule], distribution: str) -> doc.Document:
    name = str(kind.model_fields["kind"].default)
    effects = ", ".join(word for verb, word in EFFECTS.items() if verb in kind.verbs)
    about = [" ".join(part.split()) for part in (inspect.getdoc(kind) or "").split("\n\n")]
    head: list[str | doc.Quoted] = [f"kind of rule, from {distribution}; it {effects}", *map(doc.Quoted, about)]
    tables = [
        doc.section(f"In each of {', '.join(paths)}", _keys(inner), tone=doc.Tone.PLAIN)
        for inner, paths in paths_by_record(kind).items()
    ]
    return doc.document(name, doc.sentence(name, strong=True), doc.notes(head), doc.apart(_keys(kind)), *tables)


def _keys(record: type[BaseModel]) -> doc.Element:
    columns = map(doc.Column, ("Key", "Default", "Meaning"))
    return doc.table(columns, [[key.name, key.default, key.meaning] for key in keys(record)])


def _status(rule: Mapping[str, object]) -> str:
    phases = rule.get("phases", ())
    statuses = [str(p.get("status", "enacted")) for p in phases if isinstance(p, Mapping)] if _is_list(phases) else []
    return ", ".join(dict.fromkeys(statuses)) or "enacted"


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _json_ready(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _json_ready(item) for key, item in value.items()}
    if _is_list(value):
        return [_json_ready(item) for item in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_as_text(item)}" for key, item in value.items())
    if _is_list(value):
        between = "\n" if any(isinstance(item, Mapping) for item in value) else ", "
        return between.join(_as_text(item) for item in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
