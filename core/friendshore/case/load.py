"""One case file -> Case, with every mistake of every file at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from ..domain.base import Fault
from ..domain.case import Accept, Assume, Case, OfferAssumption, Scenario
from ..domain.change import Change
from ..domain.facts import Price
from ..domain.suggest import did_you_mean
from ..domain.time import Horizon
from ..errors import Diagnostic, InputError
from ..reading.csvfile import read_table
from ..reading.entry import Entry
from ..reading.order import all_of
from ..reading.textfile import no_file
from ..reading.tomlfile import read_section, read_toml
from ..reading.words import plain
from . import keys
from .holdings import incumbent, licence, order, overlap, stock, store, waiver
from .wants import About, chain_of, demand, money, objective, plain_mass, substance_of

R = TypeVar("R")

CASE_FILE = "case.toml"
_LISTS = (
    "stocks", "orders", "incumbents", "licences", "waivers", "stores", "overlaps", "objectives", "rules", "scenarios"
)  # fmt: skip
"""Fields of a case that are lists of tables: `stocks` of [[stock]]."""


def load_case(path: Path | str) -> Case:
    """Reads a case.

    Masses are kilograms of the material's basis. Where the case names another substance (`5 t WO3`), the record keeps
    it in `substance`: a case by itself knows no materials, so the problem converts by the factors of the catalogs.

    Args:
        path: the case file, or the folder that holds `case.toml`.

    Raises:
        InputError: with every mistake of the case file and of its table of demands.
    """
    path = Path(path)
    file = path / CASE_FILE if path.is_dir() else path
    found: list[Diagnostic] = []
    if path.is_dir() and not file.is_file() and (path / "run.json").is_file():
        message = "this is a run, made by `plan --out`, and no case"
        fix = "name the case that it was planned from; `report`, `verify` and the questions about a plan take the run itself"
        raise InputError(
            Diagnostic(message, str(path), expected="a case file, or a folder that holds `case.toml`", fix=fix)
        )
    if not file.exists():  # what is there and no file, such as a pipe, is told by the reader
        other = no_file(file)
        if other is not None:
            raise InputError(other)
        raise InputError(
            Diagnostic("there is no such case", file=str(file), expected="a case file", fix="check the path")
        )
    toml = read_toml(file, found)
    if toml is None:
        raise all_of(found)
    case = _assemble(read_section(toml, keys.FILE, toml.data), file.parent, found)
    if found or case is None:
        raise all_of(found)
    return case.model_copy(update={"file": file})


def _assemble(top: Entry, folder: Path, found: list[Diagnostic]) -> Case | None:
    head, use = top.part("case"), top.part("use")
    about = _about(head)
    wanted = [*top.parts("demand"), *_demand_table(use, folder, found)]
    entries = _Entries(top, wanted)
    parts: dict[str, Any] = {
        "accept": _accept(top.part("accept")),
        "assume": _assume(top.part("assume"), about),
        "demands": entries.made("demands", lambda entry: demand(entry, about)),
        "stocks": entries.made("stocks", lambda entry: stock(entry, about)),
        "orders": entries.made("orders", order),
        "incumbents": entries.made("incumbents", incumbent),
        "licences": entries.made("licences", licence),
        "waivers": entries.made("waivers", waiver),
        "stores": entries.made("stores", lambda entry: store(entry, about)),
        "overlaps": entries.made("overlaps", overlap),
        "objectives": entries.made("objectives", objective),
        "rules": entries.kept("rules", _rules(top.parts("rule"))),
        "scenarios": entries.made("scenarios", _scenario),
    }
    kept = head.pick(name="name", currency="currency", place="place", discount="discount")
    parts |= _resolution(head) | kept
    entries.tell(Case.faults({**parts, "horizon": about.horizon}), head)
    if found or about.horizon is None:
        return None
    named = use.pick(catalogs="catalogs", packs="packs", blocked="block")
    return Case(horizon=about.horizon, folder=folder, **named, **parts)


class _Entries:
    """The tables of a case's lists, and the records they make."""

    def __init__(self, top: Entry, demands: list[Entry]) -> None:
        self._tables = {field: top.parts(field.removesuffix("s")) for field in _LISTS} | {"demands": demands}
        self._kept: dict[str, list[Entry]] = {}
        """Those that make a record, so that what is wrong with the record can be told of its table."""

    def made(self, field: str, make: Callable[[Entry], R | None]) -> tuple[R, ...]:
        """The records that the tables of a list make."""
        return self.kept(field, [make(entry) for entry in self._tables[field]])

    def kept(self, field: str, records: Sequence[R | None]) -> tuple[R, ...]:
        """The records, without those of tables that make none."""
        pairs = [(e, r) for e, r in zip(self._tables[field], records, strict=True) if r is not None]
        self._kept[field] = [entry for entry, _ in pairs]
        return tuple(record for _, record in pairs)

    def tell(self, faults: Iterable[Fault], head: Entry) -> None:
        """Records what does not fit in the case as a whole, where it stands."""
        for fault in faults:
            entry = self._kept[fault.entry[0]][fault.entry[1]] if fault.entry else head
            stands = fault.field in entry.values or fault.field in head.values
            entry.problem(fault.field if stands else "", fault.message, fault.expected, fault.fix)


def _about(head: Entry) -> About:
    """What other sections must know of the case."""
    values = head.values
    currency = "" if "currency" in head.bad else values.get("currency", "USD")
    horizon = None
    if {"start", "periods", "period"} <= values.keys():
        try:
            planned = Horizon(start=values["start"], count=values["periods"], length=values["period"])
            horizon = planned if planned.periods else None
        except (ValueError, OverflowError):
            head.problem("periods", "the plan ends after the last day of the calendar", fix="plan fewer periods")
    return About(currency, values.get("place", ""), horizon)


def _resolution(head: Entry) -> dict[str, Decimal]:
    mass = head.values.get("resolution")
    if mass is None:
        return {}
    if mass.substance:
        head.problem("resolution", "a plain mass above zero is needed", "a mass like `1 g`")
    return {"resolution": mass.kg}


def _demand_table(use: Entry, folder: Path, found: list[Diagnostic]) -> list[Entry]:
    name = use.values.get("demand")
    if name is None:
        return []
    file = folder / name
    if not file.is_file():
        other = no_file(file)
        if other is not None:
            found.append(other)
            return []
        near = did_you_mean(name, [p.name for p in folder.glob("*.csv")])
        use.problem("demand", "there is no such file beside the case", "a CSV file", near)
        return []
    table = read_table(file, keys.DEMAND, found)
    return [table.entry(row) for row in table.rows]


def _accept(entry: Entry) -> Accept:
    kept = entry.pick(confidence="confidence", rule_status="rule_status", unproven="unproven")
    return Accept(**kept, capacity=entry.part("capacity").values)


def _assume(entry: Entry, about: About) -> Assume | None:
    licence = entry.part("licence")
    made = [_assumption(offer) for offer in entry.parts("offer")]
    given = entry.pick(lead_time="lead_time", holding="holding", priority="priority")
    given |= {"freight": money(entry, "freight", about), "offer": tuple(offer for offer in made if offer is not None)}
    given["licence"] = {name: str(value) for name, value in sorted(licence.others.items())}
    return entry.made(Assume, given)


def _assumption(entry: Entry) -> OfferAssumption | None:
    values = entry.values
    given = entry.pick(id="id", start="from", why="why")
    given |= {"substance": substance_of(entry, ("capacity", "price")), "chain": chain_of(entry)}
    price = entry.pick(benchmark="benchmark", premium="premium")
    if "price" in values:
        price |= {"amount": values["price"].amount, "currency": values["price"].currency}
    if price:
        given["price"] = entry.made(Price, price, {"amount": "price"})
    if "capacity" in values:
        given["capacity"] = values["capacity"].kg
    return entry.made(OfferAssumption, given) if given.get("price", price) or not price else None


def _rules(entries: list[Entry]) -> list[dict[str, Any]]:
    """Rules as plain data; one without an id is called by its kind and number."""
    taken = {entry.values["id"] for entry in entries if "id" in entry.values}
    numbers: dict[str, int] = {}
    rules = []
    for entry in entries:
        kind = entry.values.get("kind", "")
        name = entry.values.get("id")
        while name is None or (name in taken and "id" not in entry.values):
            numbers[kind] = numbers.get(kind, 0) + 1
            name = f"{kind}-{numbers[kind]}"
        rules.append({"kind": kind, "id": name, **plain(entry.others)})
    return rules


def _scenario(entry: Entry) -> Scenario | None:
    changes = tuple(c for c in (_change(part) for part in entry.parts("change")) if c is not None)
    if "name" not in entry.values:
        return None
    return Scenario(**entry.pick(name="name", title="title", inherits="inherits"), change=changes)


def _change(entry: Entry) -> Change | None:
    """One change; what its own rules refuse is reported in their words."""
    if entry.bad:
        return None
    written: dict[str, Any] = dict(entry.values)
    written |= {name: plain_mass(entry, name) for name in ("quantity", "per_year") if name in written}
    if "amount" in written:
        if written["amount"].substance is not None:
            entry.problem("amount", "a change states the price of what the offer delivers", "money per mass alone")
        written |= {"amount": written["amount"].amount, "currency": written["amount"].currency}
    return entry.made(
        Change, {{"from": "start", "until": "end"}.get(name, name): value for name, value in written.items()}
    )
