"""Test vectors of a rule pack: worked examples of the law, stored with the rules and run as tests.

`vectors.toml` contains `[[vector]]` tables (see `Vector`). A chain is a table of stages and countries:

    chain = { mined = "AU", refined = "CN MY ?", produced = "" }

`?` means that the list may be incomplete, and an empty text means that the country is unknown. `recycled` before the countries marks recycled
feed. `[[material]]` tables add materials that no catalog has.
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
from friendshore.rules.verdicts import possible_origins, representative_countries, worst

VECTORS_FILE = "vectors.toml"


def _chain_entries(value: object) -> object:
    if not isinstance(value, dict):
        return value
    entries = []
    for key, text in value.items():
        stage, _, element = key.partition(" ")  # `mined Co`: where the cobalt was mined
        words = str(text).split()
        feed = Feed.RECYCLED if "recycled" in words or stage == COLLECTION else Feed.PRIMARY
        countries = [word for word in words if word not in ("recycled", "?")]
        complete = bool(countries) and "?" not in words
        entries.append(
            ChainEntry(stage=stage, countries=frozenset(countries), complete=complete, feed=feed, element=element)
        )
    return tuple(entries)


class VectorUse(Record):
    """Final use."""

    material: str
    """Material of the final demand."""
    end_use: str = "defense"
    """`defense`, `civil`, or another end use of a case."""
    place: str = "US"
    """Country of the demand."""
    buyer: str = ""
    """Buyer."""
    facts: dict[str, Fact] = Field(default_factory=dict)
    """Facts about the item."""


class VectorOffer(Record):
    """Offer to judge."""

    material: str = ""
    """Material that it delivers. Empty means the material of the use."""
    country: str
    """Country of its facility."""
    operator: str = ""
    """Company that runs the facility."""
    parent: str = ""
    """Company that owns the operator. Empty if unknown."""
    chain: Annotated[tuple[ChainEntry, ...], BeforeValidator(_chain_entries)] = ()
    """Stages that it performs itself."""
    inputs: bool = False
    """True if it has inputs. They cover all stages but the material's last, unless `missing` says otherwise."""
    missing: tuple[Stage, ...] = ()
    """Stages that neither it nor its inputs cover. An offer without inputs lacks all stages that aren't in its chain."""
    customs_origin: str = ""
    """Customs origin. Empty means the country of the last stage."""


class Vector(Record):
    """One worked example: an offer, moved to a place for a use, on a date, and the result under the law."""

    id: str
    """Name of the example."""
    why: str = ""
    """Purpose of the example."""
    citation: str = ""
    """Source of the answer."""
    rule: str = ""
    """Rule to judge by. Empty means all rules of the pack."""
    use: VectorUse
    """Use that it is bought for."""
    offer: VectorOffer
    """Offer that is bought."""
    to: str = ""
    """Destination country of the move. Empty means the place of the use."""
    to_operator: str = ""
    """Operator of the destination."""
    delivered: date
    """Day of the final delivery."""
    ordered: date | None = None
    """Order day of the final good. None means the day of delivery."""
    arrives: date | None = None
    """Day on which this move arrives. None means the day of delivery."""
    enable: tuple[str, ...] = ()
    """Bills and rules to enable."""
    strict: bool = False
    """True if phases of unknown status apply."""
    expect: Literal["pass", "fail", "unproven", ""] = ""
    """Verdict: the worst among the rules."""
    by: str = ""
    """Rule that must decide."""
    stage: str = ""
    """Stage that must decide."""
    country: str = ""
    """Country that must be among those that decide."""
    clause: str = ""
    """Words that the citation of the deciding clause must contain."""
    license: bool | None = None
    """True if it must depend on a license alone, False if not. None skips this test."""
    duty: Number | None = None
    """Charges on a kilogram worth 1, the maximum over its possible origins."""

    @model_validator(mode="after")
    def _expects_something(self) -> Vector:
        if not self.expect and self.duty is None:
            raise ValueError("a vector needs `expect` or `duty`")
        return self


class VectorFile(Record):
    """Contents of `vectors.toml`."""

    schema_: Literal[1] = Field(alias="schema")
    """Version of the format."""
    material: tuple[Material, ...] = ()
    """Materials that the vectors need and no catalog has."""
    vector: tuple[Vector, ...] = ()
    """The examples."""


@dataclass(frozen=True, slots=True)
class VectorAnswer:
    """Verdict and charges of the rules on a vector."""

    verdict: Verdict
    duty: Decimal


def read_vectors(folder: Path) -> VectorFile:
    path = folder / VECTORS_FILE
    problems: list[Diagnostic] = []
    text = read_text(path, problems)
    if text is None:
        raise InputError(problems)
    return record(VectorFile, toml_data(text, str(path), float), str(path))


ErrorContext = Callable[[Rule], AbstractContextManager[None]]
"""Context of each call to a rule, which attributes exceptions to its plugin."""


def _no_context(_: Rule) -> AbstractContextManager[None]:
    return nullcontext()


def failures(
    vector: Vector,
    rules: Sequence[Rule],
    materials: Mapping[str, Material],
    bills: Sequence[LegislativeBill] = (),
    context: ErrorContext = _no_context,
) -> list[str]:
    """Return the expectations of a vector that the rules don't meet. Raises InputError if it names an unknown rule, bill, or material."""
    answer = answered(vector, rules, materials, bills, context)
    verdict = answer.verdict
    comparisons: tuple[tuple[str, object, object, bool], ...] = (
        ("verdict", vector.expect, verdict.result.value, verdict.result.value == vector.expect),
        ("rule", vector.by, verdict.rule, verdict.rule == vector.by),
        ("stage", vector.stage, verdict.stage, verdict.stage == vector.stage),
        ("country", vector.country, verdict.countries, vector.country in verdict.countries),
        ("clause", vector.clause, verdict.clause, vector.clause in verdict.clause),
        ("license", vector.license, verdict.license, verdict.license == vector.license),
        ("duty", vector.duty, answer.duty, answer.duty == vector.duty),
    )
    reason = verdict.reason or "no rule applies"
    differences = (
        (field, expected, actual)
        for field, expected, actual, is_equal in comparisons
        if expected not in ("", None) and not is_equal
    )
    return [
        f"{vector.id}: expected {field} {expected}, got {actual} ({reason})" for field, expected, actual in differences
    ]


def answered(
    vector: Vector,
    rules: Sequence[Rule],
    materials: Mapping[str, Material],
    bills: Sequence[LegislativeBill] = (),
    context: ErrorContext = _no_context,
) -> VectorAnswer:
    in_force = amended(rules, [Change(enable=name) for name in vector.enable], bills)
    if vector.rule:
        in_force = tuple(rule for rule in in_force if rule.id == vector.rule)
        if not in_force:
            message = f"worked example {vector.id} names rule `{vector.rule}`, which isn't in the pack"
            raise InputError(message, fix="correct `rule`", code="FS957")
    statuses = frozenset({PhaseStatus.ENACTED} | ({PhaseStatus.UNKNOWN} if vector.strict else set()))
    use, offer, move = _use(vector, materials), _offer(vector, materials), _move(vector)
    applying = [rule for rule in in_force if rule.applies(_span(vector, rule), statuses)]

    def judged(rule: Rule) -> Verdict:
        with context(rule):
            return as_verdict(rule.judge(offer, move, use))

    def charged(rule: Rule, origin: str) -> Decimal:
        with context(rule):
            return as_charge(rule.charge(offer, move, use, origin, Decimal(1)))

    verdicts = [judged(rule) for rule in applying if "judge" in rule.verbs]
    # An exception that lets a good pass has its own clause, which is shown if nothing else decides.
    verdict = max([worst(verdicts), *verdicts], key=lambda v: (v.result.rank, bool(v.rule)))
    charging = [rule for rule in applying if "charge" in rule.verbs]
    origins = possible_origins(offer, representative_countries(charging))
    duty = max(sum((charged(rule, origin) for rule in charging), Decimal(0)) for origin in origins)
    return VectorAnswer(verdict=verdict, duty=duty)


def _span(vector: Vector, rule: Rule) -> Span:
    day = vector.delivered
    if rule.dated_by == "order":
        day = vector.ordered or day
    elif rule.judge_scope == "trade" or "charge" in rule.verbs:
        day = vector.arrives or day
    return Span(start=day, end=day)


def _material(vector: Vector, name: str, materials: Mapping[str, Material]) -> Material:
    if name not in materials:
        message = f"worked example {vector.id} names material `{name}`, which doesn't exist"
        raise InputError(message, found=name, fix="correct the id, or add a `[[material]]`", code="FS957")
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
    stated = vector.offer
    material = _material(vector, stated.material or vector.use.material, materials)
    performed = {entry.main_stage for entry in stated.chain if not entry.element}
    uncovered = frozenset(stage for stage in material.stages if stage not in performed)
    missing = frozenset(stated.missing) if stated.inputs else uncovered
    line = RecipeLine(material=material.id, per_unit=Decimal(1))
    return Chained(
        offer=Offer(
            id="the offer",
            facility="the facility",
            outputs=(line,),
            inputs=(RecipeLine(material="an input", per_unit=Decimal(1)),) if stated.inputs else (),
            chain=stated.chain,
            customs_origin=stated.customs_origin,
        ),
        material=material,
        facility=Facility(id="the facility", country=stated.country, operator=stated.operator, parent=stated.parent),
        performed=stated.chain,
        missing=missing,
        supplied=frozenset(material.stages[:-1]) - missing if stated.inputs else frozenset(),
        source=not stated.inputs,
    )


def _move(vector: Vector) -> Move:
    to = vector.to or vector.use.place
    site = f"{to} ({vector.to_operator})" if vector.to_operator else to
    return Move(
        origin=Place(id=vector.offer.country, country=vector.offer.country),
        to=Place(id=site, country=to, operator=vector.to_operator),
    )
