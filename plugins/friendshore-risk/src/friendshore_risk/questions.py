"""The four questions and their options. Heavy modules are loaded when a question is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from friendshore.questions import OptionsError, Question, Setting

if TYPE_CHECKING:
    from friendshore.document.elements import Document
    from friendshore.questions import Opened, Progress

    from .events import RiskScenario
    from .frontier import Frontier
    from .risk_answer import Risk
    from .stress import StressAnswer
    from .withstand_recheck import WithstandChecked
    from .withstand_search import Withstood


@dataclass(frozen=True, slots=True)
class FrontierOptions:
    """Options of `frontier`."""

    country: Annotated[
        tuple[str, ...],
        Setting(
            "Country in place of the case's countries of concern. Purchases that depend on it are capped. Repeatable.",
            "COUNTRY",
        ),
    ] = ()
    supplier: Annotated[
        tuple[str, ...],
        Setting(
            "Company whose sales, and those of companies that it owns, are capped, whether of concern or not. Repeatable.",
            "NAME",
        ),
    ] = ()
    material: Annotated[tuple[str, ...], Setting("Cap only purchases of this material. Repeatable.", "MATERIAL")] = ()
    points: Annotated[
        int, Setting("Maximum number of points on the curve, including the current plan.", "N", least=2, most=500)
    ] = 16


class FrontierQuestion(Question[FrontierOptions, "Frontier"]):
    """The price of independence: the cheapest plan for each cap on spending that depends on countries of concern.

    The cap falls from the plan's spend today to zero. Each point is a verified plan with a lower bound on its cost.
    """

    name = "frontier"
    options = FrontierOptions
    doing = "lowering the cap"
    counted = "plans"

    def check(self, options: FrontierOptions) -> None:
        from friendshore.domain.countries import countries_of

        for word in options.country:
            try:
                countries_of(word)
            except ValueError as error:
                raise OptionsError(
                    "the country of --country is unknown", found=word, expected=str(error), code="FS011"
                ) from None

    def ask(self, opened: Opened, options: FrontierOptions, progress: Progress | None) -> Frontier:
        from friendshore.domain.countries import countries_of

        from .frontier import frontier

        countries = frozenset[str]().union(*map(countries_of, options.country))
        return frontier(
            opened.session,
            countries=countries,
            suppliers=options.supplier,
            materials=options.material,
            points=options.points,
            progress=progress,
        )

    def document(self, result: Frontier, options: FrontierOptions) -> Document:
        from .frontier import frontier_document

        return frontier_document(result)


@dataclass(frozen=True)
class RiskOptions:
    """Options of the question."""

    weight: Annotated[
        Decimal,
        Setting(
            "Weight of the worst cases (CVaR) in the objective. The rest is the weight of the expected cost.",
            "SHARE",
            least=0,
            most=1,
        ),
    ] = Decimal(0)
    alpha: Annotated[
        Decimal,
        Setting(
            "The worst cases are the worst 1 - ALPHA of all, such as the worst 10% at 0.9.",
            "ALPHA",
            least=0,
            most=0.999,
        ),
    ] = Decimal("0.9")
    frontier: Annotated[bool, Setting("Add plans between the lowest expected cost and the lowest CVaR.")] = False
    check: Annotated[
        Path | None,
        Setting(
            "Check an answer that was saved with --json. Everything is computed again from its decisions, and cheaper ones are searched for.",
            "FILE",
        ),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full. 0 means all.", "N", least=0)] = 12
    most: Annotated[
        int,
        Setting(
            "Maximum number of combinations of events. If there are more, a sample of them is planned.", "N", least=1
        ),
    ] = 200
    sample: Annotated[int, Setting("Number of draws of the sample.", "N", least=1)] = 200
    seed: Annotated[str, Setting("Seed of the sample. The same seed gives the same sample.", "SEED")] = "1"


class RiskQuestion(Question[RiskOptions, "Risk"]):
    """Decisions before a date on which the events of a case become known, and the cost of each combination of events.

    The case lists its events under `[plugin.friendshore-risk]`. Orders, stock, and onboarding before the date are the same for all combinations.
    """

    name = "risk"
    options = RiskOptions
    doing = "planning for"
    counted = "scenarios"

    def ask(self, opened: Opened, options: RiskOptions, progress: Progress | None) -> Risk:
        from friendshore.explain.results import QuestionCounter

        from .events import count_scenarios, enumerate_scenarios, sample_scenarios
        from .risk import BATCHES, check_saved, known_date, read_answer, settings_of
        from .risk_answer import RiskSearch, risk_of
        from .twostage import RiskMeasure

        settings = settings_of(opened)
        case = opened.session.problem.case
        day = known_date(settings, case.horizon)
        events, seed, draws = settings.event, "", 0
        batches: list[list[RiskScenario]] = []
        if count_scenarios(events, day, case.horizon, options.most) <= options.most:
            scenarios = enumerate_scenarios(events, day, case.horizon)
        else:
            seed, draws = options.seed, options.sample
            scenarios = sample_scenarios(events, day, case.horizon, draws, seed)
            batches = [
                sample_scenarios(events, day, case.horizon, draws, f"{seed}, batch {number}")
                for number in range(BATCHES)
            ]
        search = RiskSearch(opened.session, events, scenarios, day, QuestionCounter(opened.session, progress), batches)
        if options.check is not None:
            saved = read_answer(options.check)
            return saved.but(evaluated=check_saved(search, saved, seed, draws))
        measure = RiskMeasure(float(options.weight), float(options.alpha))
        return risk_of(search, measure, frontier=options.frontier, seed=seed, draws=draws)

    def document(self, result: Risk, options: RiskOptions) -> Document:
        from .risk import risk_document

        return risk_document(result, options.top)

    def notes(self, result: Risk) -> Sequence[str]:
        from friendshore.document.figures import count

        from .losses import unknown_route_notes
        from .risk import PLUGIN

        if result.evaluated:
            return (
                f"{count(result.evaluated, 'plan')} recomputed in every scenario. The saved answer is correct, and no cheaper one was found",
            )
        if any(scenario.events for scenario in result.scenarios):
            return unknown_route_notes(result.unknown_routes)
        return (f"the case has no events. Add what may happen under [[plugin.{PLUGIN}.event]]",)


@dataclass(frozen=True, slots=True)
class StressOptions:
    """Options of the question."""

    everything: Annotated[
        bool, Setting("Remove each possible supplier, not only those that the plan buys from.", flags=("--all",))
    ] = False
    start: Annotated[
        str,
        Setting("First day of the loss. The default is the plan's start.", "DATE|PERIOD", flags=("--from",)),
    ] = ""
    decided_before: Annotated[
        str,
        Setting(
            "Keep all orders before this day. Without this option, plans know of a later loss from the start. This day is also the default of --from.",
            "DATE|PERIOD",
        ),
    ] = ""
    pairs: Annotated[bool, Setting("Add each pair of countries that the plan buys from.")] = True
    top: Annotated[int, Setting("Losses shown of each table with --full. 0 means all.", "N", least=0)] = 15
    by: Annotated[
        str,
        Setting("Kind of loss that the insured plan survives: supplier, parent, country, catalog, or none.", "KIND"),
    ] = "supplier"
    loss_from: Annotated[
        str,
        Setting(
            "First day of the loss that it survives. The default is a year after the start, or the middle of the plan if that is earlier.",
            "DATE|PERIOD",
        ),
    ] = ""


class StressQuestion(Question[StressOptions, "StressAnswer"]):
    """The cost of losing each supplier, parent company, country, or catalog, from a new plan without it.

    Also the cost of insurance: the cheapest plan after which no single loss increases the shortage.
    """

    name = "stress"
    options = StressOptions
    doing = "taking away"
    counted = "losses"

    def check(self, options: StressOptions) -> None:
        from .losses import parse_loss_kind

        if options.by != "none":
            parse_loss_kind(options.by)

    def ask(self, opened: Opened, options: StressOptions, progress: Progress | None) -> StressAnswer:
        from friendshore.session.decided import day_of_plan

        from .losses import first_day, parse_loss_kind
        from .stress import StressAnswer
        from .stress_answer import insurance, stress

        session = opened.session
        horizon = session.problem.case.horizon
        start = first_day(horizon, options.start) if options.start else None
        insured_start = first_day(horizon, options.loss_from) if options.loss_from else None
        word = options.decided_before
        decided_before = day_of_plan(horizon, word, "the day of --decided-before") if word else None
        losses = stress(
            session,
            everything=options.everything,
            pairs=options.pairs,
            start=start,
            decided_before=decided_before,
            progress=progress,
        )
        if options.by == "none":
            return StressAnswer(losses, None)
        if session.stopped:
            return StressAnswer(losses, None, "the search was ended before the cost of surviving a loss was known")
        if session.problem.objectives:
            why = "the cost of surviving a loss isn't shown, because the case ranks objectives"
            return StressAnswer(losses, None, why)
        return StressAnswer(
            losses, insurance(session, by=parse_loss_kind(options.by), start=insured_start, progress=progress)
        )

    def document(self, result: StressAnswer, options: StressOptions) -> Document:
        from .stress import stress_document

        return stress_document(result.losses, options.top, result.insurance)

    def data(self, result: StressAnswer, options: StressOptions) -> dict[str, object]:
        insured = None if result.insurance is None else result.insurance.to_dict()
        return {**result.losses.to_dict(), "insurance": insured}

    def notes(self, result: StressAnswer) -> tuple[str, ...]:
        return (result.left_out,) if result.left_out else ()


@dataclass(frozen=True)
class WithstandOptions:
    """Options of the question."""

    losses: Annotated[
        int, Setting("Maximum number of losses at a time. The cost of fewer is shown too.", "N", least=1, most=5)
    ] = 2
    lose: Annotated[
        tuple[str, ...],
        Setting(
            "Possible loss, named as in `remove` of a change (`supplier:NAME`, `country:CN`, a facility, or an offer), a "
            "route (`route:AU>US`, `route:CN>`, `route:>US`, or `via:suez`), or a suspended rule (`rule:ID`). Repeatable. The default is "
            "every possible supplier.",
            "NAME",
        ),
    ] = ()
    by: Annotated[
        str,
        Setting(
            "Kinds of losses, separated by commas: supplier, parent, country, catalog, route (between two "
            "countries), via (a place that lanes pass).",
            "KIND",
        ),
    ] = "supplier,parent,country"
    most: Annotated[
        int,
        Setting("Maximum number of possible losses. Those with the highest spend are kept. 0 means all.", "N", least=0),
    ] = 100
    start: Annotated[
        str,
        Setting(
            "First day of losses. The default is a year after the start, or the middle of the plan if that is earlier.",
            "DATE|PERIOD",
            flags=("--from",),
        ),
    ] = ""
    react: Annotated[
        str,
        Setting(
            "Time after a loss without additional orders, such as `6 months`. `0` means that orders can change at once.",
            "TIME",
        ),
    ] = "6 months"
    out: Annotated[Path | None, Setting("Also write a proof of the answer, for --check.", "FILE")] = None
    check: Annotated[
        Path | None,
        Setting("Check a proof against the case instead of searching: every combination, and the cost.", "FILE"),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full. 0 means all.", "N", least=0)] = 12


class WithstandQuestion(Question[WithstandOptions, "Withstood | WithstandChecked"]):
    """The cheapest plan that meets demand after any few losses, and the cost of each number of losses.

    Lost offers deliver no orders from a date on. Decisions before that date (orders, stock, onboarding) are the same for all losses. For some time after
    it, orders stay as planned, without the lost ones. All combinations are checked, and the plan after each is verified.
    """

    name = "withstand"
    options = WithstandOptions
    doing = "preparing for losses"
    counted = "components"

    def check(self, options: WithstandOptions) -> None:
        from friendshore.writing import reject_existing

        from .withstand import parse_kinds, parse_months

        if options.out is not None and options.check is not None:
            raise OptionsError("--out and --check exclude each other", code="FS501")
        if options.out is not None:
            reject_existing(options.out)
        parse_kinds(options.by)
        parse_months(options.react)

    def ask(self, opened: Opened, options: WithstandOptions, progress: Progress | None) -> Withstood | WithstandChecked:
        from .losses import default_losses, first_day, named_losses
        from .withstand import parse_kinds, parse_months
        from .withstand_recheck import check_proof
        from .withstand_search import read_proof, withstand, write_proof

        session = opened.session
        if options.check is not None:
            return check_proof(session, read_proof(options.check), progress)
        start = first_day(session.problem.case.horizon, options.start) if options.start else None
        if options.lose:
            losses, left_out = named_losses(session, options.lose), 0
        else:
            losses, left_out = default_losses(session, parse_kinds(options.by), options.most)
        answer = withstand(
            session,
            losses,
            options.losses,
            start=start,
            react=parse_months(options.react),
            left_out=left_out,
            certify=options.out is not None,
            progress=progress,
        )
        if options.out is not None:
            write_proof(answer.proof, options.out)
        return answer

    def document(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> Document:
        from .withstand import checked_document, withstand_document
        from .withstand_search import Withstood

        if isinstance(result, Withstood):
            return withstand_document(result, options.top)
        return checked_document(result)

    def data(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> dict[str, object]:
        return result.model_dump(mode="json", by_alias=True)

    def notes(self, result: Withstood | WithstandChecked) -> tuple[str, ...]:
        from .losses import unknown_route_notes
        from .withstand_search import Withstood

        if not isinstance(result, Withstood):
            return ()
        notes = []
        if len(result.curve) <= result.max_losses:
            notes.append(f"the search was ended before the cost of more than {len(result.curve) - 1} losses was known")
        if result.idle:
            notes.append(f"the end of {', '.join(result.idle)} prohibits nothing that could arrive from then on")
        notes += unknown_route_notes(result.unknown_routes)
        if result.unplanned:
            notes.append(f"left out because rules conflict even without a loss: {', '.join(result.unplanned)}")
        return tuple(notes)
