"""Transformation events and Catena-X files as facts: what they state, and what they leave open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.building import refused

from friendshore.readers import ReadRequest
from friendshore_dossier.catenax import CatenaReader

from .test_declarations import HEAD, chain, read
from .workbooks import suppliers


def event(stage: str, country: str | None, inputs: list[str], output: str, **more: Any) -> dict[str, Any]:
    """Return an event of EPCIS 2.0 with a process and a country in extensions."""
    place = {"id": f"urn:site:{stage}-{country}", **({"example:country": country} if country else {})}
    made = {"outputQuantityList": [{"epcClass": output, "quantity": 10, "uom": "KGM"}]}
    used = {"inputEPCList": inputs}
    time = {"eventTime": "2026-04-01T08:00:00Z", "eventTimeZoneOffset": "+00:00"}
    return {
        "type": "TransformationEvent",
        **time,
        "example:process": stage,
        "bizLocation": place,
        **used,
        **made,
        **more,
    }


def mined(country: str | None, output: str = "ore") -> dict[str, Any]:
    entry = {"type": "ObjectEvent", "action": "ADD", "eventTime": "2026-03-01T08:00:00Z", "example:process": "mining"}
    return {**entry, "example:country": country, "quantityList": [{"epcClass": output}]}


def epcis(*events: dict[str, Any]) -> dict[str, Any]:
    return {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}


def untp(*events: dict[str, Any]) -> dict[str, Any]:
    kind = ["DigitalTraceabilityEvent", "VerifiableCredential"]
    return {"type": kind, "issuer": {"name": "Example Metals"}, "credentialSubject": list(events)}


def declared(tmp_path: Path, data: object, product: str = "apt", more: str = ",,,") -> Any:
    folder = suppliers(tmp_path / "suppliers", f"{HEAD}events.json,acme-apt,,{product},{more}\n")
    (folder / "events.json").write_text(json.dumps(data), encoding="utf-8")
    return read(folder)


WHOLE = (mined("PT"), event("refining", "AT", ["ore"], "apt"))


def test_events_state_stages_back_to_the_mine(tmp_path: Path) -> None:
    catalog = declared(tmp_path, epcis(*WHOLE))
    refining, mining = chain(catalog, "refining"), chain(catalog, "mining")
    assert refining is not None
    assert refining.complete
    assert refining.countries == {"AT"}
    assert mining is not None
    assert mining.complete
    assert mining.countries == {"PT"}
    (source,) = (source for source in catalog.sources if source.id == refining.source)
    assert "events.json, epcisBody.eventList[2]; sha256 " in source.reference
    assert str(source.date) == "2026-04-01"


@pytest.mark.parametrize(
    ("events", "refined", "ore"),
    [
        # An input without an event may come from anywhere.
        ((mined("PT"), event("refining", "AT", ["ore", "other ore"], "apt")), "yes", "no"),
        # Two makers of the same goods count both.
        ((*WHOLE, event("refining", "CN", ["ore"], "apt")), "yes", "yes"),
        # A place without a country is an unknown one.
        ((mined("PT"), event("refining", None, ["ore"], "apt")), None, "yes"),
        ((mined(None), event("refining", "AT", ["ore"], "apt")), "yes", None),
        # A blend with one part that no event refines.
        ((*WHOLE[:1], event("refining", "AT", ["ore"], "a"), event("blending", "US", ["a", "b"], "apt")), "no", "no"),
        # Goods that are made of each other have no origin.
        (
            (*WHOLE, event("blending", "US", ["loop", "apt"], "loop"), event("blending", "US", ["loop"], "apt")),
            "no",
            "no",
        ),
        # An event that was declared wrong made nothing.
        (
            (
                mined("PT"),
                event("refining", "AT", ["ore"], "a", errorDeclaration={}),
                event("refining", "US", ["a"], "apt"),
            ),
            "yes",
            None,
        ),
        # A sentence that mentions a stage isn't a statement about it.
        ((mined("PT"), event("no refining here", "AT", ["ore"], "apt")), None, "yes"),
    ],
)
def test_a_way_without_the_stage_leaves_it_open(
    tmp_path: Path, events: tuple[dict[str, Any], ...], refined: str | None, ore: str | None
) -> None:
    catalog = declared(tmp_path, epcis(*events))
    for stage, expected in {"refining": refined, "mining": ore}.items():
        entry = chain(catalog, stage)
        found = None if entry is None or not entry.countries else "yes" if entry.complete else "no"
        assert found == expected, stage


def test_both_makers_count(tmp_path: Path) -> None:
    entry = chain(declared(tmp_path, epcis(*WHOLE, event("refining", "CN", ["ore"], "apt"))), "refining")
    assert entry is not None
    assert entry.countries == {"AT", "CN"}


def test_a_letter_closes_missing_events_but_no_circle(tmp_path: Path) -> None:
    more, blend = ",refining,letter of 2026-06-01,", event("refining", "AT", ["ore"], "apt")
    entry = chain(
        declared(tmp_path / "one", epcis(blend, event("blending", "US", ["other"], "apt")), more=more), "refining"
    )
    assert entry is not None
    assert entry.complete
    entry = chain(
        declared(tmp_path / "two", epcis(blend, event("blending", "US", ["apt"], "apt")), more=more), "refining"
    )
    assert entry is not None
    assert not entry.complete


def test_untp_events_find_countries_in_addresses_and_in_the_catalog(tmp_path: Path) -> None:
    pit = {"id": "urn:mine", "address": {"addressCountry": "PT"}}
    dug = {"type": ["ObjectEvent", "Event"], "action": "add", "processType": "Mining", "bizLocation": pit}
    made = {"type": ["TransformationEvent", "Event"], "processType": "https://example.com/steps/refining"}
    made |= {"bizLocation": "urn:plant", "inputEPCList": [{"id": "ore"}], "outputEPCList": [{"id": "apt"}]}
    catalog = declared(tmp_path, untp({**dug, "epcList": [{"id": "ore"}]}, made))
    mining, refining = chain(catalog, "mining"), chain(catalog, "refining")
    assert mining is not None
    assert mining.complete
    assert mining.countries == {"PT"}
    assert refining is not None
    assert refining.complete
    assert refining.countries == {"AT"}
    assert any("UNTP events of Example Metals" in source.reference for source in catalog.sources)


BAD: dict[str, tuple[object, str]] = {
    "unknown kind": ({"hello": 1}, "FS991"),
    "unknown event": (epcis({"type": "FlyingEvent"}), "FS993"),
    "facility": (untp({"type": "Facility", "id": "urn:pit", "countryOfOperation": "PT"}, *WHOLE), "FS993"),
    "no creation": (epcis({"type": "AggregationEvent"}), "FS992"),
    "no events": (epcis(), "FS992"),
    "no product": (epcis({"type": "TransformationEvent"}), "FS993"),
    "country": (epcis(event("refining", "Atlantis", [], "apt")), "FS993"),
    "time": (epcis(event("refining", "AT", [], "apt", eventTime="soon")), "FS993"),
    "unnamed input": (epcis(event("refining", "AT", [{"name": "ore"}], "apt")), "FS993"),  # type: ignore[list-item]
    "inputs without a list": (epcis(event("refining", "AT", "ore", "apt")), "FS993"),  # type: ignore[arg-type]
    "not an event": (epcis("event"), "FS993"),  # type: ignore[arg-type]
    "other product": (epcis(event("refining", "AT", [], "else")), "FS994"),
    "two countries": (
        untp(event("refining", "CN", ["ore"], "apt", bizLocation={"id": "urn:plant", "country": "CN"})),
        "FS995",
    ),
    "a list": ([], "FS006"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_events_are_refused(tmp_path: Path, name: str) -> None:
    data, code = BAD[name]
    assert {problem.code for problem in refused(declared, tmp_path, data)} == {code}


# ------------------------------------------------------------------------------------------------------------- Catena-X


def group(**more: Any) -> dict[str, Any]:
    weeks = [{"pointInTime": f"2027-01-{day:02}", "actualCapacity": 10, "agreedCapacity": 9} for day in (4, 11)]
    weeks.append({"pointInTime": "2027-02-01", "actualCapacity": 5})
    return {"capacityGroupId": "g", "unitOfMeasure": "unit:kilogram", "capacities": weeks, **more}


def capacity(tmp_path: Path, data: object, product: str = "") -> Any:
    folder = suppliers(
        tmp_path / "suppliers", f"{HEAD}group.json,acme-apt,,{product},,,,\n", extra={"capacity.csv": ""}
    )
    (folder / "capacity.csv").unlink()
    (folder / "group.json").write_text(json.dumps(data), encoding="utf-8")
    return read(folder)


def test_a_capacity_group_is_the_capacity_of_the_plant(tmp_path: Path) -> None:
    (plant,) = (f for f in capacity(tmp_path, group()).facilities if f.id == "plant")
    steps = [(str(step.start), None if step.per_year is None else float(step.per_year)) for step in plant.capacity]
    # Weeks without a figure have no capacity.
    weeks = [("2027-01-04", 468), ("2027-01-11", 468), ("2027-01-18", 0), ("2027-02-01", 260), ("2027-02-08", 0)]
    assert steps == weeks


def test_what_a_product_loads_counts(tmp_path: Path) -> None:
    series = [{"materialNumberCustomer": "x", "loadFactor": 2}, {"materialNumberCustomer": "y", "loadFactor": 1}]
    (plant,) = (f for f in capacity(tmp_path, group(linkedDemandSeries=series), "x").facilities if f.id == "plant")
    assert plant.capacity[0].per_year == 234


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"unitOfMeasure": "unit:piece"}, "FS993"),
        ({"capacityGroupIsInactive": True}, "FS993"),
        ({"capacities": [{"pointInTime": "2027-01-04"}]}, "FS002"),
        ({"capacities": [{"pointInTime": "2027-01-04", "actualCapacity": -1}]}, "FS011"),
        ({"linkedDemandSeries": [{"loadFactor": 2}, {"loadFactor": 1}]}, "FS993"),
    ],
)
def test_a_capacity_that_can_not_be_used_is_refused(tmp_path: Path, more: dict[str, Any], code: str) -> None:
    assert {problem.code for problem in refused(capacity, tmp_path, group(**more))} == {code}


PARTS = "number,material,content,end_use,place\nmagnet-7,ndfeb-magnet,50 g,defense,US\nscrew,,,,\n"


def needs(tmp_path: Path, parts: str = PARTS, **files: object) -> list[dict[str, Any]]:
    (tmp_path / "parts.csv").write_text(parts, encoding="utf-8")
    for name, data in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    table = CatenaReader().demand(ReadRequest(".", tmp_path))
    return [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows]


def weekly(number: str, unit: str = "unit:piece", **amounts: float) -> dict[str, Any]:
    demands = [{"pointInTime": day.strip("d").replace("_", "-"), "demand": amount} for day, amount in amounts.items()]
    return {"materialNumberCustomer": number, "unitOfMeasure": unit, "demandSeries": [{"demands": demands}]}


def test_weekly_demand_is_summed_by_month(tmp_path: Path) -> None:
    rows = needs(tmp_path, demand=weekly("magnet-7", d2027_04_05=100, d2027_04_12=200, d2027_05_03=10))
    assert [(row["id"], row["from"], row["until"], row["end_use"], row["place"]) for row in rows] == [
        ("part-2/2027-04", "2027-04-01", "2027-04-30", "defense", "US"),
        ("part-2/2027-05", "2027-05-01", "2027-05-31", "defense", "US"),
    ]
    assert rows[0]["per_year"] == "182500 g/year"  # 15 kg in 30 days


def test_a_bill_of_materials_leads_to_the_parts(tmp_path: Path) -> None:
    def child(number: str, value: float, **more: Any) -> dict[str, Any]:
        return {"globalAssetId": number, "quantity": {"value": value, "unit": "unit:piece"}, **more}

    old = {"validityPeriod": {"validTo": "2026-12-31T00:00:00Z"}}
    motor = {
        "globalAssetId": "MOTOR",
        "childItems": [child("magnet-7", 4), child("screw", 9), child("magnet-7", 99, **old)],
    }
    rows = needs(tmp_path, demand=weekly("motor", d2027_04_05=100), bill=motor)
    assert [(row["material"], row["per_year"]) for row in rows] == [("ndfeb-magnet", "243334 g/year")]
    motor["childItems"].append(child("unheard-of", 1))
    assert [p.code for p in refused(needs, tmp_path, demand=weekly("motor", d2027_04_05=100), bill=motor)] == ["FS994"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "FS992"),
        ({"demand": {"x": 1}}, "FS991"),
        ({"demand": weekly("unheard-of", d2027_04_05=1)}, "FS994"),
        ({"demand": weekly("magnet-7", "unit:litre", d2027_04_05=1)}, "FS994"),
        ({"demand": weekly("magnet-7", d2027_13_05=1)}, "FS011"),
        ({"demand": weekly("magnet-7", d2027_04_05=-1)}, "FS011"),
        ({"demand": weekly("magnet-7", d2027_04_05=float("inf"))}, "FS011"),
        ({"demand": weekly("a", d2027_04_05=1), "bill": {"globalAssetId": "a", "childItems": [{"globalAssetId": "a", "quantity": {"value": 1, "unit": "unit:piece"}}]}}, "FS995"),
    ],
)  # fmt: skip
def test_bad_demand_is_refused(tmp_path: Path, files: dict[str, object], code: str) -> None:
    assert code in {problem.code for problem in refused(needs, tmp_path, **files)}


def test_a_part_listed_twice_is_refused(tmp_path: Path) -> None:
    twice = PARTS + "MAGNET-7,ndfeb-magnet,1 g,,\n"
    assert [p.code for p in refused(needs, tmp_path, twice, demand=weekly("magnet-7", d2027_04_05=1))] == ["FS994"]


def test_a_huge_demand_is_a_number(tmp_path: Path) -> None:
    (row,) = needs(tmp_path, demand=weekly("magnet-7", d2027_04_05=1e200))
    assert str(row["per_year"]).endswith("g/year")
