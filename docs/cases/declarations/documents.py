"""Write the declarations of the made-up suppliers: the cells that friendshore reads of a CMRT and an AMRT, and events of EPCIS."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

FOLDER = Path(__file__).parent / "suppliers"


def write_form(name: str, family: str, version: str, cells: dict[str, dict[str, object]]) -> None:
    """Write a workbook with some cells of each sheet."""
    book = Workbook()
    book.remove(book.active)
    for sheet, values in cells.items():
        page = book.create_sheet(sheet)
        for cell, value in values.items():
            page[cell] = value
    book["Declaration"]["D2"], book["Declaration"]["J3"] = f"Made-up form ({family})", f"Revision {version}"
    book.save(FOLDER / name)


def event(process: str, place: str, country: str, inputs: list[str], output: str, day: str) -> dict[str, object]:
    """Return a transformation event. The process and the country are extensions of EPCIS."""
    return {
        "type": "TransformationEvent",
        "eventTime": f"{day}T08:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "bizLocation": {"id": place, "example:country": country},
        "example:processType": process,
        "inputEPCList": inputs,
        "outputEPCList": [output],
    }


DAY = datetime(2026, 8, 1)  # noqa: DTZ001 - a spreadsheet's day has no zone

write_form(
    "alpine-cmrt.xlsx",
    "CMRT",
    "6.5",
    {
        "Declaration": {
            "D8": "Alpine Tungsten",
            "D9": "B. Product (or List of Products)",
            "D22": DAY,
            "D25": "Answer",
            "B29": "Tungsten",
            "D29": "Yes",
            "D49": "Answer",
            "D53": "No",
            "D55": "Answer",
            "D59": "100%",
            "D61": "Answer",
            "D65": "Yes",
            "D67": "Answer",
            "D71": "Yes",
        },
        "Smelter List": {
            "B4": "Metal",
            "B5": "Tungsten",
            "C5": "Made-up tungsten refinery",
            "E5": "AUSTRIA",
            "O5": "PORTUGAL; AUSTRIA",
            "B6": "Tungsten",
            "C6": "Made-up APT works",
            "E6": "KOREA, REPUBLIC OF",
            "O6": "KOREA, REPUBLIC OF",
        },
        "Product List": {"B5": "Number", "B6": "W-POWDER-4"},
    },
)
write_form(
    "trade-amrt.xlsx",
    "AMRT",
    "1.3",
    {
        "Declaration": {
            "D8": "Trade Magnetics",
            "D9": "B. Product (or List of Products)",
            "D27": DAY,
            "D30": "Answer",
            "B31": "Rare Earth Elements",
            "D31": "Yes",
            "D42": "Answer",
            "D43": "100%",
        },
        "Smelter List": {
            "B4": "Metal",
            "B5": "Rare Earth Elements",
            "C5": "Made-up separation plant",
            "E5": "AUSTRALIA",
            "B6": "Rare Earth Elements",
            "C6": "Smelter not yet identified",
            "E6": "Unknown",
        },
        "Mine List": {"A4": "Metal"},
        "Product List": {"B5": "Number", "B6": "MAG-7"},
    },
)
oxide, metal, magnets = "urn:lot:oxide-2026-05", "urn:lot:metal-2026-06", "urn:lot:magnets-2026-08"
ore = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2026-04-01T08:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "bizLocation": {"id": "urn:site:pit", "example:country": "AU"},
    "example:processType": "mining",
    "epcList": ["urn:lot:ore-2026-04"],
}
events = [
    ore,
    event("refining and separation", "urn:site:oxide-works", "AU", ["urn:lot:ore-2026-04"], oxide, "2026-05-04"),
    event("reduction and alloying", "urn:site:alloy-works", "GB", [oxide], metal, "2026-06-08"),
    event("milling, pressing, sintering, magnetizing", "urn:site:ohio", "US", [metal], magnets, "2026-08-03"),
]
document = {
    "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"example": "https://example.com/"}],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-08-04T08:00:00Z",
    "epcisBody": {"eventList": events},
}
(FOLDER / "ohio-events.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
