"""The answer to `screen` as it is told to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, mass
from friendshore.rules.base import Phase

from .barred import OwnedBy
from .law import ListLaw
from .matching import ListHit
from .names.score import Band
from .ownership import OwnerStanding
from .records import PlanWithout, Screening

MATERIALS = 2
UNKNOWN = 6
"""Companies that are named of those of which nobody states all owners."""


def screening_document(found: Screening, top: int) -> doc.Document:
    """Matches, reviews and what was decided; what they bar; the plan without them, and by threshold."""
    return doc.document(
        f"{found.case}: screening",
        _headline(found),
        _hits("Matches", found, found.of(Band.MATCH), top),
        _without(found) if found.lists else None,
        _hits("To be looked at", found, found.of(Band.REVIEW), top),
        _owned(found),
        _decided(found),
        _law(found),
        _lists(found) if found.lists else None,
        doc.section_if_any("To be known", doc.notes([*_unknown(found), *found.notes])),
    )


def _headline(found: Screening) -> doc.Element:
    if not found.lists:
        return doc.sentence("Nobody was screened: the case names no list", tone=doc.Tone.DOUBTFUL, strong=True)
    matches, reviews = ({hit.party.name for hit in found.of(band)} for band in (Band.MATCH, Band.REVIEW))
    tone = doc.Tone.BAD if matches else doc.Tone.DOUBTFUL if reviews else doc.Tone.GOOD
    told = f"Of {found.parties} names behind {count(found.facilities, 'facility', 'facilities')}, {len(matches)} match a listed name, and "
    return doc.sentence(told + f"{len(reviews - matches)} are to be looked at", tone=tone, strong=True)


def _hits(title: str, found: Screening, hits: Sequence[ListHit], top: int) -> doc.Section | None:
    if not hits:
        return None
    columns = [doc.Column("Name"), doc.Column("On list", whole=True), doc.Column("As"), doc.figures("Score")]
    columns += [doc.Column("Why"), doc.Column("At stake")]
    shown = hits[: top or None]
    rows = [
        [
            f"{hit.party.name} ({', '.join(hit.party.roles)})",
            f"{hit.entry.list} {hit.entry.id}"[:40],
            hit.listed_as if hit.listed_as == hit.entry.name else f"{hit.listed_as} (alias of {hit.entry.name})",
            f"{hit.score:.2f}",
            _why(hit),
            _stakes(found, hit),
        ]
        for hit in shown
    ]
    more = len(hits) - len(shown)
    return doc.section(title, doc.table(columns, rows), doc.notes([f"{more} more: --top 0"] if more else []))


def _why(hit: ListHit) -> str:
    """What agrees; and where the two lie in other countries, that they do."""
    where = [one for one in hit.entry.countries if len(one) == len("US")]
    apart = where and hit.party.countries and not set(where) & set(hit.party.countries)
    told = f"; listed in {', '.join(where[:3])}, here in {', '.join(hit.party.countries[:3])}" if apart else ""
    return f"{hit.why}{told}"


def _stakes(found: Screening, hit: ListHit) -> str:
    stakes = found.at_stake[hit.party.name]
    if not stakes.kilograms:
        return "nothing is bought"
    return f"{_masses(stakes.kilograms)}; {large_money(stakes.money, found.currency)}"


def _masses(kilograms: Mapping[str, Decimal]) -> str:
    by_mass = sorted(kilograms.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{material} {mass(kg)}" for material, kg in by_mass[:MATERIALS]]
    more = len(by_mass) - MATERIALS
    return ", ".join([*told, *([f"{more} more"] if more > 0 else [])])


def _decided(found: Screening) -> doc.Section | None:
    decided = [hit for hit in found.hits if hit.decision is not None]
    columns = [
        doc.Column("Name"),
        doc.Column("Entry"),
        doc.Column("Decided"),
        doc.Column("By", whole=True),
        doc.Column("Why"),
    ]
    rows = [
        [hit.party.name, f"{hit.entry.list} {hit.entry.id}", hit.decision.decision, f"{hit.decision.by}, {hit.decision.day}", hit.decision.reason]
        for hit in decided
        if hit.decision is not None
    ]  # fmt: skip
    return doc.section("Decided", doc.table(columns, rows)) if rows else None


def _law(found: Screening) -> doc.Section | None:
    """What each list bars on which anybody was found."""
    told = list(dict.fromkeys(hit.entry.list for hit in found.hits))
    known: dict[str, list[ListLaw]] = {one: [law for law in found.laws if law.list == one] for one in told}
    columns = [
        doc.Column("List", whole=True),
        doc.Column("What it bars"),
        doc.Column("For"),
        doc.Column("When"),
        doc.Column("Clause"),
    ]
    rows: list[list[doc.Cell]] = []
    for one, laws in known.items():
        for law in laws:
            what = law.title if law.id else f"nothing that is bought: {law.says}"
            uses = (
                f"{', '.join(law.buyers) or 'all'} buyers, {', '.join(law.end_uses) or 'all'} uses"
                if law.id
                else doc.NOTHING
            )
            when = _phases(law.phases)
            rows.append([one, what, uses, when if law.id or not when else f"what they own: {when}", law.citation])
        if not laws:
            rows.append([one, "not known here", doc.NOTHING, doc.NOTHING, doc.NOTHING])
    return doc.section("What the lists bar", doc.table(columns, rows)) if rows else None


def _phases(phases: Sequence[Phase]) -> str:
    told = []
    for phase in phases:
        days = " ".join(
            filter(None, (f"from {phase.start}" if phase.start else "", f"until {phase.end}" if phase.end else ""))
        )
        status = "" if phase.status.value == "enacted" else f" ({phase.status.value})"
        told.append(f"{days or 'always'}{status}")
    return "; ".join(told)


def _owned(found: Screening) -> doc.Section | None:
    """Operators that listed parties own, or may."""
    shown = [one for one in found.consequences.owned if one.finding.standing is not OwnerStanding.CLEAR]
    columns = [
        doc.Column("Company"),
        doc.Column("Rule"),
        doc.Column("Listed parties hold"),
        doc.Column("Through"),
        doc.Column("So it is", whole=True),
    ]
    rows = []
    for one in shown:
        least, most = float(one.finding.least), float(one.finding.most)
        share = f"{least:.1%}" if least == most else f"{least:.1%} to {most:.1%}"
        rows.append(
            [
                one.company,
                _rule(one),
                share,
                ", ".join(one.finding.through),
                one.finding.standing.value,
            ]
        )
    return doc.section("Owned by listed parties, or perhaps", doc.table(columns, rows)) if rows else None


def _rule(one: OwnedBy) -> str:
    """A rule of ownership, with what is known of it on the day that is asked about."""
    status = one.law.status(one.start) or "not in force"
    told = "" if status == "enacted" else f", {status} on {one.start}"
    return f"{one.law.list} {one.law.ownership}{told}"


def _without(found: Screening) -> doc.Section:
    """The plan without those that are barred, and what each threshold costs."""
    lines = [("matches barred", found.without)]
    if found.with_reviews is not None:
        lines.append(("all under review barred as well", found.with_reviews))
    columns = [
        doc.Column("With"),
        doc.figures("Facilities barred"),
        doc.Column("Dearer by", found.currency, "right"),
        doc.Column("Short in addition"),
    ]
    rows = [
        [told, str(len(plan.facilities)), _rise(plan), _masses(plan.short) if plan.short else doc.NOTHING]
        for told, plan in lines
    ]
    rows += [
        [
            f"names from {step.threshold:.2f} on barred",
            str(len(step.facilities)),
            _rise(step),
            _masses(step.short) if step.short else doc.NOTHING,
        ]
        for step in found.steps
        if step.threshold is not None
    ]
    head = f"As it is, the plan spends {large_money(found.spent, found.currency)} in cash. What being without them adds is spend and penalty together (present value)."
    return doc.section("The plan without them", doc.sentence(head), doc.table(columns, rows))


def _rise(plan: PlanWithout) -> doc.Cell:
    if plan.conflict:
        return "rules conflict"
    return doc.Amount(plan.rise, form="signed") if plan.rise else "nothing"


def _lists(found: Screening) -> doc.Section:
    columns = [
        doc.Column("File"),
        doc.Column("Format", whole=True),
        doc.Column("Edition", whole=True),
        doc.figures("Entries"),
        doc.Column("Age"),
    ]
    rows = [
        [one.file, one.format, one.edition.isoformat(), f"{one.entries:,}", _age(one.age) + (", older than allowed" if one.old else "")]
        for one in found.lists
    ]  # fmt: skip
    return doc.section("Screened against", doc.table(columns, rows))


def _age(days: int) -> str:
    return "after today" if days < 0 else count(days, "day")


def _unknown(found: Screening) -> Iterator[str]:
    """Of whom nobody states all owners: no rule of ownership clears them."""
    doubtful = {one.law.note for one in found.consequences.owned if one.finding.standing is OwnerStanding.UNPROVEN}
    yield from sorted(doubtful - {""})
    unknown = found.consequences.unknown
    if unknown:
        named = "; ".join(unknown[:UNKNOWN]) + (f"; {len(unknown) - UNKNOWN} more" if len(unknown) > UNKNOWN else "")
        yield f"not proved to be clear, since nobody states all owners of {count(len(unknown), 'company', 'companies')}: {named}"
