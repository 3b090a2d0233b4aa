"""Test vectors of a rule pack: worked examples of the law, kept beside the rules and run as tests.

`vectors.toml` holds `[[vector]]` tables (see `Vector`). A chain is written as a table of stage and countries:

    chain = { mined = "AU", refined = "CN MY ?", produced = "" }

`?` says that the list is not known to be complete, an empty text that nobody knows; `recycled` before the countries
says that the feed is recycled. `[[material]]` tables add materials that no catalog has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from friendshore.domain.base import Number, Record
from friendshore.domain.change import Change
from friendshore.domain.facts import ChainEntry, Facility, Feed, Material, Offer, Place, RecipeLine
from friendshore.domain.stages import COLLECTION, Stage
from friendshore.domain.time import Span
from friendshore.domain.use import Chained, Fact, Move, Use, Verdict
from friendshore.errors import Diagnostic, InputError
from friendshore.reading.records import record
from friendshore.reading.textfile import read_text
from friendshore.reading.tomlfile import toml_data
from friendshore.rules.amend import amended
from friendshore.rules.answers import as_charge, as_verdict
from friendshore.rules.base import PhaseStatus, Rule
from friendshore.rules.pack import LegislativeBill
from friendshore.rules.verdicts import possible_origins, told_apart, worst

VECTORS_FILE = "vectors.toml"
"""The file in a pack's folder that holds its vectors."""


def _entries(value: object) -> object:
    """Chain entries from a table of stage and countries."""
    if not isinstance(value, dict):
        return value
    entries = []
    for stage, text in value.items():
        words = str(text).split()
        feed = Feed.RECYCLED if "recycled" in words or stage == COLLECTION else Feed.PRIMARY
        countries = [word for word in words if word not in ("recycled", "?")]
        complete = bool(countries) and "?" not in words
        entries.append(ChainEntry(stage=stage, countries=frozenset(countries), complete=complete, feed=feed))
    return tuple(entries)


class VectorUse(Record):
    """The final use."""

    material: str
    """What is demanded in the end."""
    end_use: str = "defense"
    """`defense`, `civil`, or another word of a case."""
    place: str = "US"
    """Country in which it is wanted."""
    buyer: str = ""
    """Who buys."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """What is stated of the item."""


class VectorOffer(Record):
    """The offer asked about."""

    material: str = ""
    """What it delivers; empty: the material of the use."""
    country: str
    """Where its facility stands."""
    operator: str = ""
    """The company that runs it."""
    parent: str = ""
    """The company that owns the operator; empty: nobody says."""
    chain: Annotated[tuple[ChainEntry, ...], BeforeValidator(_entries)] = ()
    """The stages it performs itself."""
    inputs: bool = False
    """Whether it has inputs. They are taken to cover all stages but the material's last, unless `missing` says not."""
    missing: tuple[Stage, ...] = ()
    """Stages that neither it nor its inputs cover. An offer without inputs misses all that its chain does not hold."""
    customs_origin: str = ""
    """Origin for customs; empty: where the last stage was performed."""


class Vector(Record):
    """One worked example: an offer, moved to a place for a use, on a date, and what the law says of it."""

    id: str
    """What it is called."""
    why: str = ""
    """What it shows."""
    citation: str = ""
    """Where the answer is read from."""
    rule: str = ""
    """The rule asked; empty: all rules of the pack."""
    use: VectorUse
    """What it is bought for."""
    offer: VectorOffer
    """What is bought."""
    to: str = ""
    """Country the move leads to; empty: the place of the use."""
    to_operator: str = ""
    """Who runs the site it leads to."""
    delivered: date
    """Day of the final delivery."""
    ordered: date | None = None
    """Day on which the final good was ordered; None: the day of delivery."""
    arrives: date | None = None
    """Day on which this move arrives; None: the day of delivery."""
    enable: tuple[str, ...] = ()
    """Bills and rules that are switched on."""
    strict: bool = False
    """Whether phases of unknown status apply."""
    expect: Literal["pass", "fail", "unproven", ""] = ""
    """The verdict: the worst over the rules asked."""
    by: str = ""
    """The rule that must decide."""
    stage: str = ""
    """The stage that must decide."""
    country: str = ""
    """A country that must be among those that decide."""
    clause: str = ""
    """Words that the citation of the deciding clause must hold."""
    licence: bool | None = None
    """Whether it must hang on a licence alone."""
    duty: Number | None = None
    """Charges on a kilogram worth 1, the dearest over its possible origins."""

    @model_validator(mode="after")
    def _expects_something(self) -> Vector:
        if not self.expect and self.duty is None:
            raise ValueError("a vector needs `expect` or `duty`")
        return self


class VectorFile(Record):
    """`vectors.toml` as it is written."""

    schema_: Literal[1] = Field(alias="schema")
    """Version of the format."""
    material: tuple[Material, ...] = ()
    """Materials that the vectors need and no catalog has."""
    vector: tuple[Vector, ...] = ()
    """The examples."""


@dataclass(frozen=True, slots=True)
class VectorAnswer:
    """What the rules say of a vector."""

    verdict: Verdict
    duty: Decimal


def read_vectors(folder: Path) -> VectorFile:
    """Reads the vectors of the pack in `folder`.

    Raises:
        InputError: with everything that is wrong with the file.
    """
    path = folder / VECTORS_FILE
    found: list[Diagnostic] = []
    text = read_text(path, found)
    if text is None:
        raise InputError(found)
    return record(VectorFile, toml_data(text, str(path), float), str(path))


Guard = Callable[[Rule], AbstractContextManager[None]]
"""What is put around each question to a rule, to say whose mistake it is if it raises."""


def _unguarded(_: Rule) -> AbstractContextManager[None]:
    return nullcontext()


def failures(
    vector: Vector,
    rules: Sequence[Rule],
    materials: Mapping[str, Material],
    bills: Sequence[LegislativeBill] = (),
    guard: Guard = _unguarded,
) -> list[str]:
    """What a vector expects and the rules and bills of the pack do not say; empty if they agree.

    The vector may name the materials given; `guard` is put around each question to a rule.

    Raises:
        InputError: if the vector names a rule, bill or material that there is not.
    """
    answer = answered(vector, rules, materials, bills, guard)
    verdict = answer.verdict
    told: tuple[tuple[str, object, object, bool], ...] = (
        ("verdict", vector.expect, verdict.result.value, verdict.result.value == vector.expect),
        ("rule", vector.by, verdict.rule, verdict.rule == vector.by),
        ("stage", vector.stage, verdict.stage, verdict.stage == vector.stage),
        ("country", vector.country, verdict.countries, vector.country in verdict.countries),
        ("clause", vector.clause, verdict.clause, vector.clause in verdict.clause),
        ("licence", vector.licence, verdict.licence, verdict.licence == vector.licence),
        ("duty", vector.duty, answer.duty, answer.duty == vector.duty),
    )
    why = verdict.reason or "nothing bears on it"
    wrong = ((what, expected, got) for what, expected, got, agrees in told if expected not in ("", None) and not agrees)
    return [f"{vector.id}: expected {what} {expected}, got {got}; {why}" for what, expected, got in wrong]


def answered(
    vector: Vector,
    rules: Sequence[Rule],
    materials: Mapping[str, Material],
    bills: Sequence[LegislativeBill] = (),
    guard: Guard = _unguarded,
) -> VectorAnswer:
    """What the rules say of a vector, dates, bills and statuses considered.

    Raises:
        InputError: if the vector names a rule, bill or material that there is not.
    """
    in_force = amended(rules, [Change(enable=name) for name in vector.enable], bills)
    if vector.rule:
        in_force = tuple(rule for rule in in_force if rule.id == vector.rule)
        if not in_force:
            raise InputError(f"vector {vector.id} asks rule `{vector.rule}`, which the pack has not")
    statuses = frozenset({PhaseStatus.ENACTED} | ({PhaseStatus.UNKNOWN} if vector.strict else set()))
    use, offer, move = _use(vector, materials), _offer(vector, materials), _move(vector)
    applying = [rule for rule in in_force if rule.applies(_day(vector, rule), statuses)]

    def judged(rule: Rule) -> Verdict:
        with guard(rule):
            return as_verdict(rule.judge(offer, move, use))

    def charged(rule: Rule, origin: str) -> Decimal:
        with guard(rule):
            return as_charge(rule.charge(offer, move, use, origin, Decimal(1)))

    verdicts = [judged(rule) for rule in applying if "judge" in rule.verbs]
    # An exception that lets a good pass has a clause of its own: it is shown where nothing else decides.
    verdict = max([worst(verdicts), *verdicts], key=lambda v: (v.result.rank, bool(v.rule)))
    charging = [rule for rule in applying if "charge" in rule.verbs]
    origins = possible_origins(offer, told_apart(charging))
    duty = max(sum((charged(rule, origin) for rule in charging), Decimal(0)) for origin in origins)
    return VectorAnswer(verdict=verdict, duty=duty)


def _day(vector: Vector, rule: Rule) -> Span:
    day = vector.delivered
    if rule.dated_by == "order":
        day = vector.ordered or day
    elif rule.bears_on == "trade" or "charge" in rule.verbs:
        day = vector.arrives or day
    return Span(start=day, end=day)


def _material(vector: Vector, name: str, materials: Mapping[str, Material]) -> Material:
    if name not in materials:
        raise InputError(f"vector {vector.id} names material `{name}`, which there is not", found=name)
    return materials[name]


def _use(vector: Vector, materials: Mapping[str, Material]) -> Use:
    use = vector.use
    return Use(
        material=_material(vector, use.material, materials),
        end_use=use.end_use,
        place=Place(id=use.place, country=use.place),
        buyer=use.buyer,
        facts=tuple(sorted(use.facts.items())),
    )


def _offer(vector: Vector, materials: Mapping[str, Material]) -> Chained:
    given = vector.offer
    material = _material(vector, given.material or vector.use.material, materials)
    performed = {entry.main_stage for entry in given.chain}
    left = frozenset(stage for stage in material.stages if stage not in performed)
    missing = frozenset(given.missing) if given.inputs else left
    line = RecipeLine(material=material.id, per_unit=Decimal(1))
    return Chained(
        offer=Offer(
            id="the offer",
            facility="the facility",
            outputs=(line,),
            inputs=(RecipeLine(material="an input", per_unit=Decimal(1)),) if given.inputs else (),
            chain=given.chain,
            customs_origin=given.customs_origin,
        ),
        material=material,
        facility=Facility(id="the facility", country=given.country, operator=given.operator, parent=given.parent),
        performed=given.chain,
        missing=missing,
        supplied=frozenset(material.stages[:-1]) - missing if given.inputs else frozenset(),
        source=not given.inputs,
    )


def _move(vector: Vector) -> Move:
    to = vector.to or vector.use.place
    site = f"{to} ({vector.to_operator})" if vector.to_operator else to
    return Move(
        origin=Place(id=vector.offer.country, country=vector.offer.country),
        to=Place(id=site, country=to, operator=vector.to_operator),
    )
