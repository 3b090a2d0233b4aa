"""One case file -> Case, with every mistake of every file at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..domain.case import Accept, Assume, Case, OfferAssumption, Scenario
from ..domain.change import Change
from ..domain.facts import Price
from ..domain.time import Horizon
from ..errors import InputError, Problem
from ..reading.csvfile import read_table
from ..reading.entry import Entry
from ..reading.order import all_of
from ..reading.suggest import did_you_mean
from ..reading.tomlfile import read_section, read_toml
from ..reading.words import plain
from . import keys
from .holdings import incumbents, licences, orders, overlaps, stocks, stores, waivers
from .wants import About, chain_of, demand, distinct, money, objectives, plain_mass, substance_of

CASE_FILE = "case.toml"


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
    found: list[Problem] = []
    if path.is_dir() and not file.is_file() and (path / "run.json").is_file():
        message = "this is a run, made by `plan --out`, and no case"
        fix = "name the case that it was planned from; `report`, `verify` and the questions about a plan take the run itself"
        raise InputError(
            Problem(message, str(path), expected="a case file, or a folder that holds `case.toml`", fix=fix)
        )
    if not file.is_file():
        raise InputError(Problem("there is no such case", file=str(file), expected="a case file", fix="check the path"))
    toml = read_toml(file, found)
    if toml is None:
        raise all_of(found)
    case = _assemble(read_section(toml, keys.FILE, toml.data), file.parent, found)
    if found or case is None:
        raise all_of(found)
    return case.model_copy(update={"file": file})


def _assemble(top: Entry, folder: Path, found: list[Problem]) -> Case | None:
    head, use = top.part("case"), top.part("use")
    about = _about(head)
    wanted = [*top.parts("demand"), *_demand_table(use, folder, found)]
    parts: dict[str, Any] = {
        "accept": _accept(top.part("accept")),
        "assume": _assume(top.part("assume"), about),
        "demands": distinct(wanted, [demand(entry, about) for entry in wanted], "id"),
        "stocks": stocks(top.parts("stock"), about),
        "orders": orders(top.parts("order")),
        "incumbents": incumbents(top.parts("incumbent")),
        "licences": licences(top.parts("licence")),
        "waivers": waivers(top.parts("waiver")),
        "stores": stores(top.parts("store"), about),
        "overlaps": overlaps(top.parts("overlap")),
        "objectives": objectives(top.parts("objective")),
        "rules": _rules(top.parts("rule")),
        "scenarios": _scenarios(top.parts("scenario")),
    }
    resolution = _resolution(head)
    if found or about.horizon is None:
        return None
    kept = head.pick(name="name", currency="currency", place="place", discount="discount")
    named = use.pick(catalogs="catalogs", packs="packs", blocked="block")
    return Case(horizon=about.horizon, resolution=resolution, folder=folder, **kept, **named, **parts)


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


def _resolution(head: Entry) -> Decimal:
    mass = head.values.get("resolution")
    if mass is None:
        return Decimal("0.001")
    if mass.substance or mass.kg <= 0:
        head.problem("resolution", "a plain mass above zero is needed", "a mass like `1 g`")
    return Decimal(mass.kg)


def _demand_table(use: Entry, folder: Path, found: list[Problem]) -> list[Entry]:
    name = use.values.get("demand")
    if name is None:
        return []
    file = folder / name
    if not file.is_file():
        near = did_you_mean(name, [p.name for p in folder.glob("*.csv")])
        use.problem("demand", "there is no such file beside the case", "a CSV file", near)
        return []
    table = read_table(file, keys.DEMAND, found)
    return [table.entry(row) for row in table.rows]


def _accept(entry: Entry) -> Accept:
    kept = entry.pick(confidence="confidence", rule_status="rule_status", unproven="unproven")
    return Accept(**kept, capacity=entry.part("capacity").values)


def _assume(entry: Entry, about: About) -> Assume:
    licence = entry.part("licence")
    for end_use, value in licence.others.items():
        if value != "granted":
            licence.problem(
                end_use, "a licence is either assumed or not", '"granted"', 'write "granted" or delete the line'
            )
    offers = entry.parts("offer")
    return Assume(
        **entry.pick(lead_time="lead_time", holding="holding", priority="priority"),
        freight=money(entry, "freight", about),
        licence={name: str(value) for name, value in sorted(licence.others.items())},
        offer=distinct(offers, [_assumption(offer) for offer in offers], "id"),
    )


def _assumption(entry: Entry) -> OfferAssumption | None:
    values = entry.values
    price = None
    substance = substance_of(entry, ("capacity", "price"))
    if "premium" in values and "benchmark" not in values:
        entry.problem("premium", "a premium on no benchmark", fix="name the benchmark")
    if "price" in values:
        if "benchmark" in values:
            entry.problem("price", "a price and a benchmark are both given", "one of the two", "delete one")
        price = Price(amount=values["price"].amount, currency=values["price"].currency)
    elif "benchmark" in values:
        price = Price(benchmark=values["benchmark"], premium=values.get("premium", Decimal(0)))
    capacity = values["capacity"].kg if "capacity" in values else None
    chain = chain_of(entry)
    if not (capacity is not None or price or chain or entry.bad):
        entry.problem("", "nothing is assumed of the offer", "a capacity, a price or a chain")
    if entry.bad:
        return None
    kept = entry.pick(id="id", start="from", why="why")
    return OfferAssumption(capacity=capacity, price=price, substance=substance, chain=chain, **kept)


def _rules(entries: list[Entry]) -> tuple[dict[str, Any], ...]:
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
    return distinct(entries, rules, "id", lambda rule: str(rule["id"]))


def _scenarios(entries: list[Entry]) -> tuple[Scenario, ...]:
    names = {entry.values["name"]: entry for entry in entries if "name" in entry.values}
    scenarios: list[Scenario | None] = []
    for entry in entries:
        for parent in entry.values.get("inherits", ()):
            if parent not in names:
                fix = did_you_mean(parent, names)
                entry.problem("inherits", f"there is no scenario `{parent}`", "the name of a scenario of the case", fix)
        _refuse_circle(entry, names)
        changes = tuple(c for c in (_change(part) for part in entry.parts("change")) if c is not None)
        if "name" in entry.values:
            scenarios.append(Scenario(**entry.pick(name="name", title="title", inherits="inherits"), change=changes))
        else:
            scenarios.append(None)
    return distinct(entries, scenarios, "name", lambda scenario: scenario.name)


def _refuse_circle(entry: Entry, names: dict[str, Entry]) -> None:
    own, seen = entry.values.get("name"), set()
    open_ = list(entry.values.get("inherits", ()))
    while open_:
        name = open_.pop()
        if name == own:
            entry.problem(
                "inherits", "the scenario inherits from itself", fix="delete one of the scenarios in the circle"
            )
            return
        if name in names and name not in seen:
            seen.add(name)
            open_ += names[name].values.get("inherits", ())


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
    if entry.bad:
        return None
    values = {{"from": "start", "until": "end"}.get(name, name): value for name, value in written.items()}
    try:
        return Change(**values)
    except ValidationError as error:
        for detail in error.errors():
            entry.problem("", detail["msg"].removeprefix("Value error, "), "one change")
        return None
