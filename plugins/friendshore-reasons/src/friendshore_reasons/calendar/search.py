"""The calendar: the dates on which compliance and law change, the supply between them, and the start and end of each shortage."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from friendshore.domain.base import Number, Record, grouped
from friendshore.domain.time import Span, stretches_between
from friendshore.domain.unmet import RunSupplyCause
from friendshore.errors import InputError
from friendshore.explain.results import Effort, QuestionCounter, QuestionResult, names_of
from friendshore.plugins import attributed
from friendshore.problem import Problem
from friendshore.recommend import PlanSource, session_of
from friendshore.rules.base import PhaseStatus, Rule
from friendshore.session import Session
from friendshore.solve import Progress

from .stretches import Concerned, Snapshot, StretchPlan, Subject, breakpoints, concerned

UNKNOWN = "unknown"
_BECOMES = {
    PhaseStatus.ENACTED: "in force",
    PhaseStatus.UNKNOWN: UNKNOWN,
    PhaseStatus.SUSPENDED: "suspended",
    PhaseStatus.PENDING: "pending",
}


class LawChange(Record):
    """A day on which the status of a rule changes."""

    day: date
    rule: str
    title: str
    clause: str
    effect: str
    """Status from that day: `in force`, `unknown`, `suspended`, `pending`, or `over`."""
    until: date | None
    """Last day with this status. None if no last day is set, or if the rule is over."""
    note: str
    """Reason, in the words of the rule."""


def law_changes(problem: Problem, first: date, last: date) -> list[LawChange]:
    limiting = {rule.id for rule, _ in problem.limit_rows}
    rules = [rule for rule in problem.rules if rule.id in limiting or _is_about(problem, rule)]
    changes = [
        change
        for rule in rules
        for change in _status_changes(rule)
        if first <= change.day <= last or (change.effect == UNKNOWN and _applies_on(change, first))
    ]
    return sorted(changes, key=lambda change: (change.day, change.rule))


def _applies_on(change: LawChange, day: date) -> bool:
    return change.day <= day and (change.until is None or day <= change.until)


def _status_changes(rule: Rule) -> Iterator[LawChange]:
    starts = {phase.start for phase in rule.phases}
    for phase in rule.phases:
        if phase.start is not None:
            yield _status_change(rule, phase.start, _BECOMES[phase.status], phase.end, phase.note)
        if phase.end is not None and phase.end < date.max and phase.end + timedelta(1) not in starts:
            yield _status_change(rule, phase.end + timedelta(1), "over", None, "")


def _status_change(rule: Rule, day: date, effect: str, until: date | None, note: str) -> LawChange:
    return LawChange(
        day=day, rule=rule.id, title=rule.title, clause=rule.citation, effect=effect, until=until, note=note
    )


def _is_about(problem: Problem, rule: Rule) -> bool:
    if not rule.verbs & {"judge", "charge"}:
        return False
    covers = getattr(rule, "covers", None)
    materials = sorted({material for material, _ in problem.network.nodes})
    with attributed(rule):
        if covers is not None and not any(covers(problem.merged.materials[name]) for name in materials):
            return False
        return any(rule.concerns(demand.use) for demand in problem.demands)


class Cause(Record):
    """A fact that changed on a date."""

    kind: str
    """`rule`, `offer`, `facility` (its capacity), `demand`, `waiver`, `license`, `price schedule`, or `terms`."""
    name: str
    alone: bool
    """True if this change suffices alone. False if it takes all the changes listed with it."""


class Stretch(Record):
    """A demand over days without relevant changes, at the yearly rates of these days."""

    demand: str
    material: str
    start: date
    end: date
    wanted: Number
    """Kilograms per year."""
    short: Number
    """Kilograms per year."""
    causes: tuple[RunSupplyCause, ...]
    """Causes of the shortage. Empty if there is none."""
    spent: Number
    """Yearly spend without shortage penalties on all demands in its group."""
    group: tuple[str, ...]
    """Demands in its group, including itself."""


class Interval(Record):
    """All demands over days without relevant changes."""

    start: date
    end: date
    changed: tuple[str, ...]
    """Changes on its first day that may affect demand."""
    spent: Number
    """Money per year."""
    short: tuple[str, ...]


class MissedFloor(Record):
    """A floor of deliveries (`min-delivered`) on days on which it can't be kept."""

    rule: str
    start: date
    end: date
    lack: Number
    """Kilograms per year that deliveries lack to reach the floor."""


class Cliff(Record):
    """A demand with a shortage that starts on a date."""

    demand: str
    material: str
    start: date
    from_start: bool
    """True if the demand is short from its first day."""
    short: Number
    """Kilograms per year short on that day."""
    wanted: Number
    """Kilograms per year wanted on that day."""
    causes: tuple[RunSupplyCause, ...]
    caused_by: tuple[Cause, ...]
    """Changes of that day without which the demand would be met, confirmed by another solve. Empty if none was found."""
    resolved: date | None
    """First day on which the demand is met again or no longer wanted. None if not by the last day."""
    ends_unwanted: bool
    """True if it ends only because the demand ends."""
    resolved_by: tuple[Cause, ...]
    """Changes of that day with which the demand would have been met the day before, confirmed by another solve."""


class Calendar(QuestionResult):
    """Supply by date, at steady yearly rates."""

    TABLES: ClassVar[tuple[str, ...]] = ("stretches", "intervals", "cliffs", "law", "affected")
    DOCUMENT_FUNCTION: ClassVar[str] = "friendshore_reasons.calendar.document:calendar_document"

    currency: str
    start: date
    until: date
    days: int
    """Number of days with relevant changes."""
    intervals: tuple[Interval, ...]
    stretches: tuple[Stretch, ...]
    """Stretches by demand and date."""
    cliffs: tuple[Cliff, ...]
    """Shortages by date."""
    law: tuple[LawChange, ...] = ()
    """Every change of law from the first day to the last, by date, including those that affect no purchase, and earlier ones by which a status is unknown on the first day."""
    affected: tuple[Concerned, ...]
    """Offers, orders, and stock that a rule prohibits or frees on a date, by date."""
    stopped: bool
    """True if the user ended the search. `until` is then the last day that was planned, and causes may be missing."""
    floors: tuple[MissedFloor, ...] = ()
    """Floors of deliveries on days on which they can't be kept, which are planned without them."""
    rules_not_considered: tuple[str, ...]
    """Rules about stock alone, which are left out because no stock is carried."""
    beyond_budget: tuple[Span, ...] = ()
    """Days on which other rules conflict. They are planned without budgets, which would leave everything that they pay for unplanned too."""
    effort: Effort


def calendar(source: PlanSource, *, until: date | None = None, progress: Progress | None = None) -> Calendar:
    """Plan every stretch between two dates on which facts change, as a year at its rates, without stock and orders.

    The default of `until` is the end of the plan. After the plan, demand continues at its rate. Raises InputError if `until` is before the plan, or if a
    rule doesn't fit the facts of a stretch, and SolverError or VerificationError if a solver or a check fails.
    """
    session = session_of(source)
    first = session.problem.case.horizon.start
    last = until or session.problem.case.horizon.periods[-1].end
    if last < first:
        raise InputError(
            "the calendar ends before the plan begins",
            found=str(last),
            expected=f"{first} or later",
            fix=f"write a later date, such as `--until {first.year + 1}-12-31`",
            code="FS925",
        )
    return _Calendar(session, first, last, progress).result()


class _Calendar:
    def __init__(self, session: Session, first: date, last: date, progress: Progress | None) -> None:
        self.session, self.first, self.last = session, first, last
        self.snapshot = Snapshot.of(session.inputs, session.problem, last)
        self.law = law_changes(session.problem, first, last)
        suspension_ends = {
            (rule.id, phase.end + timedelta(1))
            for rule in session.problem.rules
            for phase in rule.phases
            if phase.status is PhaseStatus.SUSPENDED and phase.end is not None and phase.end < date.max
        }
        self.lapses = grouped(
            (change.day, ("rule", change.rule))
            for change in self.law
            if change.day > first and (change.effect == UNKNOWN or (change.rule, change.day) in suspension_ends)
        )
        """Days on which suspensions end or a status becomes unknown. Each is a date of the calendar, even if the case doesn't apply such rules."""
        changes = breakpoints(self.snapshot)
        self.changes_by_day = {day: changes.get(day, ()) for day in sorted({*changes, *self.lapses})}
        self.spans = stretches_between(first, last, list(self.changes_by_day))
        self.counted = QuestionCounter(session, progress)
        self.without: dict[Span, frozenset[str]] = {}
        """Rules that a stretch is planned without, because they conflict or others do."""
        self._planned_stretches: dict[tuple[Span, tuple[tuple[Subject, Span], ...], frozenset[str]], StretchPlan] = {}

    def result(self) -> Calendar:
        planned = self._plan_all()
        self.last = _day(planned[-1].days.end)
        demands = {demand.id: demand.use.material.id for demand in self.session.problem.demands}
        stretches = [
            stretch for demand, material in demands.items() for stretch in _stretches(planned, demand, material)
        ]
        cliffs = [cliff for demand, material in demands.items() for cliff in self._cliffs(planned, demand, material)]
        intervals = self._intervals(planned, list(demands))
        rule_ids = {rule.id for rule in self.snapshot.inputs.rules}
        affected = list(concerned(self.session.problem, planned, self.changes_by_day))
        causes = (cause for cliff in cliffs for cause in (*cliff.caused_by, *cliff.resolved_by))
        offer_ids = [goods.id for goods in affected] + [cause.name for cause in causes if cause.kind == "offer"]
        return Calendar(
            currency=self.session.problem.case.currency,
            start=self.first,
            until=self.last,
            stopped=self.session.stopped,
            days=len(intervals) - 1,
            intervals=tuple(intervals),
            stretches=tuple(stretches),
            cliffs=tuple(sorted(cliffs, key=lambda cliff: (cliff.start, cliff.demand))),
            law=tuple(law for law in self.law if law.day <= self.last),
            affected=tuple(affected),
            names=names_of(self.session.problem, offer_ids),
            beyond_budget=_merged(
                [each.days for each in planned if self.snapshot.budgets & self.without.get(each.days, frozenset())]
            ),
            floors=tuple(self._missed_floors(planned)),
            rules_not_considered=tuple(rule.id for rule in self.session.inputs.rules if rule.id not in rule_ids),
            effort=self.counted.effort,
        )

    def _plan_all(self) -> list[StretchPlan]:
        planned: list[StretchPlan] = []
        for number, span in enumerate(self.spans, 1):
            stretch = self._stretch_plan(span)
            # This solves the stretch. The user may end the search meanwhile, which is checked below.
            conflicting = _conflicting_rules(stretch)
            if floors := conflicting & {floor.id for floor in self.snapshot.floors}:
                self.without[span] = floors
                stretch = self._stretch_plan(span)
                conflicting = _conflicting_rules(stretch)
            budgets = self.snapshot.budgets
            if budgets and conflicting and budgets.isdisjoint(conflicting):
                self.without[span] = self.without.get(span, frozenset()) | budgets
                stretch = self._stretch_plan(span)
                _ = stretch.session
            if self.session.stopped:
                if not planned:
                    self.session.raise_if_stopped(0, len(self.spans), "stretches of time")
                break
            planned.append(stretch)
            self.counted.report_progress(number, len(self.spans))
        return planned

    def _missed_floors(self, planned: Sequence[StretchPlan]) -> Iterator[MissedFloor]:
        for floor in self.snapshot.floors:
            spans = [
                (stretch.days, stretch.lack_of(floor))
                for stretch in planned
                if floor.id in self.without.get(stretch.days, ())
            ]
            for lack, days in grouped((lack, days) for days, lack in spans).items():
                for span in _merged(days):
                    yield MissedFloor(rule=floor.id, start=_day(span.start), end=_day(span.end), lack=lack)

    def _stretch_plan(self, span: Span, days_by_subject: Mapping[Subject, Span] | None = None) -> StretchPlan:
        without = self.without.get(span, frozenset[str]())
        key = span, tuple(sorted((days_by_subject or {}).items(), key=lambda item: item[0])), without
        if key not in self._planned_stretches:
            self.counted.questions += 1
            self._planned_stretches[key] = StretchPlan(
                span, self.snapshot.on(span, days_by_subject, without), self.session
            )
        return self._planned_stretches[key]

    def _intervals(self, planned: Sequence[StretchPlan], demands: Sequence[str]) -> list[Interval]:
        runs = _equal_runs(planned, demands, self.lapses)
        previous = [None, *(run[-1] for run in runs)]
        return [
            Interval(
                start=_day(run[0].days.start),
                end=_day(run[-1].days.end),
                changed=() if last_before is None else tuple(self._affecting_changes(last_before, run[0], demands)),
                spent=run[0].session.verified.cost.total,
                short=tuple(sorted(run[0].short)),
            )
            for run, last_before in zip(runs, previous, strict=False)
        ]

    def _affecting_changes(self, before: StretchPlan, after: StretchPlan, demands: Sequence[str]) -> Iterator[str]:
        day = _day(after.days.start)
        lapses = self.lapses.get(day, [])
        subjects = dict.fromkeys((*lapses, *self.changes_by_day[day]))
        for subject in sorted(subjects, key=lambda subject: subject[0] != "rule"):
            kind, name = subject
            if kind in _COST_ONLY or self.session.stopped or subject in lapses:
                yield f"{kind} {name}"
                continue
            reverted = self._stretch_plan(after.days, {subject: before.days})
            if not all(reverted.has_same_facts(after, demand) for demand in demands):
                yield f"{kind} {name}"

    def _cliffs(self, planned: Sequence[StretchPlan], demand: str, material: str) -> list[Cliff]:
        cliffs: list[Cliff] = []
        start: int | None = None
        for number in range(len(planned) + 1):
            short = number < len(planned) and demand in planned[number].short
            if short and start is None:
                start = number
            elif not short and start is not None:
                cliffs.append(self._cliff(planned, demand, material, start, number))
                start = None
        return cliffs

    def _cliff(self, planned: Sequence[StretchPlan], demand: str, material: str, start: int, end: int) -> Cliff:
        first, first_after = planned[start], planned[end] if end < len(planned) else None
        unwanted = first_after is not None and demand not in first_after.wanted
        # A demand that begins is no reason for a lack of supply.
        before = planned[start - 1] if start and demand in planned[start - 1].wanted else None
        return Cliff(
            demand=demand,
            material=material,
            start=_day(first.days.start),
            from_start=before is None,
            short=first.short[demand],
            wanted=first.wanted[demand],
            causes=first.causes_of(demand),
            caused_by=() if before is None else self._deciding_changes(first, before, demand, _day(first.days.start)),
            resolved=None if first_after is None else _day(first_after.days.start),
            ends_unwanted=unwanted,
            resolved_by=()
            if first_after is None or unwanted
            else self._deciding_changes(planned[end - 1], first_after, demand, _day(first_after.days.start)),
        )

    def _deciding_changes(self, short: StretchPlan, met: StretchPlan, demand: str, day: date) -> tuple[Cause, ...]:
        """Return the changes that each alone decide if a demand is short or met. If none does, return a minimal set of changes that together do."""
        subjects = [subject for subject in self.changes_by_day[day] if subject[0] not in _COST_ONLY]
        if self.session.stopped:
            return ()

        def suffices(changed: Sequence[Subject]) -> bool:
            return demand not in self._stretch_plan(short.days, dict.fromkeys(changed, met.days)).short

        sufficient = [subject for subject in subjects if suffices([subject])]
        if sufficient:
            return tuple(Cause(kind=kind, name=name, alone=True) for kind, name in sufficient)
        if not suffices(subjects):
            return ()
        needed = subjects
        for subject in subjects:
            fewer = [other for other in needed if other != subject]
            if suffices(fewer):
                needed = fewer
        return tuple(Cause(kind=kind, name=name, alone=False) for kind, name in needed)


_COST_ONLY = ("price", "exchange rate")
"""Kinds of changes that affect costs but not supply. They are listed with the dates without another solve."""


def _conflicting_rules(stretch: StretchPlan) -> frozenset[str]:
    return frozenset(rule for conflict in stretch.session.verified.plan.infeasible for rule in conflict.rules)


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if joined and _day(joined[-1].end) + timedelta(days=1) == span.start:
            joined[-1] = joined[-1].but(end=span.end)
        else:
            joined.append(span)
    return tuple(joined)


def _equal_runs(
    planned: Sequence[StretchPlan], demands: Sequence[str], separate: Collection[date] = ()
) -> list[list[StretchPlan]]:
    """Return runs of stretches with the same facts for some demands. A run begins on each of the separate days."""
    runs: list[list[StretchPlan]] = []
    for stretch in planned:
        if (
            runs
            and stretch.days.start not in separate
            and all(stretch.has_same_facts(runs[-1][-1], name) for name in demands)
        ):
            runs[-1].append(stretch)
        else:
            runs.append([stretch])
    return runs


def _stretches(planned: Sequence[StretchPlan], demand: str, material: str) -> list[Stretch]:
    return [_stretch(run, demand, material) for run in _equal_runs(planned, [demand]) if demand in run[0].wanted]


def _stretch(run: Sequence[StretchPlan], demand: str, material: str) -> Stretch:
    first = run[0]
    group = first.groups[demand]
    return Stretch(
        demand=demand,
        material=material,
        start=_day(first.days.start),
        end=_day(run[-1].days.end),
        wanted=first.wanted[demand],
        short=first.short.get(demand, Decimal(0)),
        causes=first.causes_of(demand),
        spent=first.spent(group),
        group=group.demands,
    )


def _day(day: date | None) -> date:
    assert day is not None
    return day


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"`{text}` isn't a date",
            found=text,
            expected="a date like 2031-12-31",
            fix="write the date as year-month-day",
            code="FS011",
        ) from None
