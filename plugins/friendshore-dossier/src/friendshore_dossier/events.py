"""Transformation events of EPCIS 2.0 and UNTP: where a product was made, and of which inputs, back to the mine."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from graphlib import CycleError, TopologicalSorter

from friendshore.domain.stages import STEPS, Stage, stage_of
from friendshore.errors import Diagnostic, InputError, all_of

from .stage_facts import StageFact
from .templates import StatedFacility, country_in

_CREATES = "TransformationEvent"
# Goods that are first recorded, such as ore at a mine, come from an object event that adds them.
_ADDS = "ObjectEvent"
_WITHOUT_GOODS = frozenset({"AggregationEvent", "AssociationEvent", "TransactionEvent"})
_COUNTRY_KEYS = ("country", "countrycode", "countryofoperation", "addresscountry")
_ID_KEYS = ("id", "epcClass", "productId")
_PROCESS_KEYS = ("processtype", "process", "stage", "bizstep")
_Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GoodsEvent:
    """An event that creates goods, in a path such as `epcisBody.eventList[1]`. Without `stages`, its process isn't known."""

    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stages: tuple[str, ...]
    place: StatedFacility | None
    day: date | None


@dataclass(frozen=True, slots=True)
class EventDocument:
    """The events of a document that create goods."""

    title: str
    day: date | None
    makers: Mapping[str, list[GoodsEvent]]
    """Events by each of their products."""


def read_events(data: _Json, file: str, known: Mapping[str, StatedFacility]) -> EventDocument:
    """Read the events in a document. `known` are the catalog's facilities by identifier.

    Raises:
        InputError: With all unreadable events, and places with two countries, or if the document is of another kind.
    """
    if not {"epcisBody", "credentialSubject"} & data.keys() and _kind(data) not in (_CREATES, _ADDS):
        expected = "a CMRT, EMRT, or AMRT workbook, events of EPCIS or UNTP, or a Catena-X capacity group"
        raise InputError("is of an unknown kind", file, expected=expected, code="FS991")
    reader, makers = _EventReader(file, known), dict[str, list[GoodsEvent]]()
    events = [event for event in [reader.event(*entry) for entry in reader.entries(data)] if event is not None]
    for event in events:
        for item in event.outputs:
            makers.setdefault(item, []).append(event)
    if not makers and not reader.problems:
        reader.report("", "the document has no event that creates goods", "none", f"a {_CREATES}", "FS992")
    if reader.problems:
        raise all_of(reader.problems)
    issuer = data.get("issuer")
    name = _text(issuer.get("name")) if isinstance(issuer, Mapping) else ""
    form = "EPCIS events" if "epcisBody" in data else "UNTP events"
    day = max((event.day for event in events if event.day is not None), default=None)
    return EventDocument(f"{form} of {name}" if name else form, day, makers)


@dataclass
class _EventReader:
    file: str
    facilities: Mapping[str, StatedFacility]
    problems: list[Diagnostic] = field(default_factory=list)

    def report(self, path: str, message: str, found: str, expected: str, code: str = "FS993") -> None:
        fix = "ask the supplier to correct the document"
        self.problems.append(Diagnostic(message, self.file, None, path, f"`{found[:80]}`", expected, fix, code))

    def entries(self, data: _Json) -> Iterator[tuple[str, _Json]]:
        """Yield the events with goods, with their paths. Report unknown types."""
        body, path, found = data.get("epcisBody"), "credentialSubject", data.get("credentialSubject", data)
        if isinstance(body, Mapping):
            path, found = "epcisBody.eventList", body.get("eventList", body.get("event"))
        for number, entry in enumerate(found if isinstance(found, list) else [found], 1):
            kind = _kind(entry) if isinstance(entry, Mapping) else type(entry).__name__
            if isinstance(entry, Mapping) and kind in (_CREATES, _ADDS):
                yield f"{path}[{number}]", entry
            elif kind not in _WITHOUT_GOODS:
                self.report(f"{path}[{number}]", "isn't an event of a known type", kind, f"{_CREATES} or {_ADDS}")

    def event(self, path: str, entry: _Json) -> GoodsEvent | None:
        is_new = _kind(entry) == _ADDS
        if is_new and _text(entry.get("action")).casefold() != "add" or "errorDeclaration" in entry:
            return None
        lists = ("epcList", "quantityList") if is_new else ("outputEPCList", "outputQuantityList")
        inputs = () if is_new else self._items(path, entry, "inputEPCList", "inputQuantityList")
        outputs = self._items(path, entry, *lists)
        if not outputs:
            self.report(path, "the event has no product", "none", "an output with an identifier")
        time, day = _text(entry.get("eventTime")), None
        try:
            day = date.fromisoformat(time[:10]) if time else None
        except ValueError:
            self.report(f"{path}.eventTime", "the time can't be read", time, "a time such as 2026-05-31T12:00:00Z")
        place = self._place(path, entry)
        return GoodsEvent(path, inputs, outputs, tuple(_stages(entry)), place, day)

    def _items(self, path: str, entry: _Json, *keys: str) -> tuple[str, ...]:
        """Return the identifiers in some lists. An item without one is reported, since it may come from anywhere."""
        found: dict[str, None] = {}
        for key in keys:
            listed = entry.get(key) or []
            for item in listed if isinstance(listed, list) else [listed]:
                stated = [item.get(name) for name in _ID_KEYS] if isinstance(item, Mapping) else [item]
                texts = [text for text in map(_text, stated) if text]
                if not texts or not isinstance(listed, list):
                    self.report(f"{path}.{key}", "an item has no identifier", str(item), "a list of items with `id`")
                found |= dict.fromkeys(texts[:1])
        return tuple(found)

    def _place(self, path: str, entry: _Json) -> StatedFacility | None:
        """Return the place of an event: by its own country, or by a facility of the catalog."""
        places = [entry[key] for key in ("bizLocation", "readPoint") if entry.get(key)]
        ids = [_text(place.get("id") if isinstance(place, Mapping) else place) for place in places]
        known = next((self.facilities[name] for name in ids if name in self.facilities), None)
        records = [entry, *(place for place in places if isinstance(place, Mapping))]
        country = next(filter(None, (self._country(path, record) for record in records)), None)
        if known is not None and country not in (None, known.country):
            self.report(path, "the event's country isn't that of its facility", country or "", known.country, "FS995")
        return known or (StatedFacility(next(iter(ids), ""), "", country) if country else None)

    def _country(self, path: str, entry: _Json) -> str | None:
        address = entry.get("address")
        for key, value in [*entry.items(), *(address.items() if isinstance(address, Mapping) else ())]:
            if key.rpartition(":")[2].casefold() in _COUNTRY_KEYS and _text(value):
                country = country_in(_text(value))
                if country is None:
                    expected = "a country by its ISO name or code"
                    self.report(f"{path}.{key}", "the country can't be read", _text(value), expected)
                return country
        return None


def _kind(entry: _Json) -> str:
    stated = entry.get("type", entry.get("isA"))
    names = [str(word).rpartition(":")[2] for word in (stated if isinstance(stated, list) else [stated])]
    return next((name for name in names if name not in ("Event", "VerifiableCredential")), "")


def _text(value: object) -> str:
    stated = value.get("@value") if isinstance(value, Mapping) else value
    return stated.strip() if isinstance(stated, str) else ""


def _stages(entry: _Json) -> Iterator[str]:
    """Yield the stages or steps that a process names exactly. A sentence that only mentions one is no statement about it."""
    for key, value in entry.items():
        if key.rpartition(":")[2].casefold() in _PROCESS_KEYS:
            for text in map(_text, value if isinstance(value, list) else [value]):
                for word in re.split(r"[;,/]| and ", re.split(r"[/#:]", text)[-1] if ":" in text else text):
                    name = word.strip().casefold().replace(" ", "-")
                    if name in STEPS or name in tuple(Stage):
                        yield name


def event_facts(document: EventDocument, product: str, stages: Collection[str]) -> Iterator[StageFact]:
    """Yield the stages that lead to a product. Empty `stages` means all that the events state."""
    makers = document.makers
    words = dict.fromkeys(word for event in _way_back(product, makers)[1] for word in event.stages)
    for word in words:
        if stages and word not in stages and stage_of(word).value not in stages:
            continue
        inputs, events = _way_back(product, makers, word)
        performed = [event for event in events if word in event.stages]
        places = [event.place for event in performed if event.place is not None]
        reasons = [f"{event.path} states no country" for event in performed if event.place is None]
        try:
            TopologicalSorter(inputs).prepare()
        except CycleError:  # goods that are made of each other have no origin
            reasons.append("the events lead in a circle")
        open_inputs = [f"no event states the origin of {item}" for item in inputs if item not in makers]
        open_inputs += [
            f"{event.path} has no inputs, and isn't {word}"
            for event in events
            if not event.inputs and word not in event.stages
        ]
        yield StageFact(
            stage=word,
            countries=frozenset(place.country for place in places),
            cells=", ".join(event.path for event in performed),
            reasons=tuple(reasons),
            unasked=tuple(open_inputs),
            facilities=tuple(dict.fromkeys(places)),
        )


def _way_back(
    product: str, makers: Mapping[str, list[GoodsEvent]], word: str = ""
) -> tuple[dict[str, list[str]], list[GoodsEvent]]:
    """Return each item with its inputs, and the events, on all ways back from a product, as far as the events of a stage."""
    waiting, inputs, events = [product], dict[str, list[str]](), dict[str, GoodsEvent]()
    while waiting:
        item = waiting.pop()
        if item not in inputs:
            made = makers.get(item, ())
            events |= {event.path: event for event in made}
            inputs[item] = [used for event in made if word not in event.stages for used in event.inputs]
            waiting += inputs[item]
    return inputs, list(events.values())
