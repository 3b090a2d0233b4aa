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
            "Purchases that depend on this country, in place of the countries of concern of the case; may repeat.",
            "COUNTRY",
        ),
    ] = ()
    supplier: Annotated[
        tuple[str, ...],
        Setting("Purchases from this company, or from companies that it owns, of concern or not; may repeat.", "NAME"),
    ] = ()
    material: Annotated[tuple[str, ...], Setting("Only purchases of this material; may repeat.", "MATERIAL")] = ()
    points: Annotated[int, Setting("Most points of the curve, the plan as it is included.", "N", least=2, most=500)] = (
        16
    )


class FrontierQuestion(Question[FrontierOptions, "Frontier"]):
    """The price of independence: the cheapest plan for every cap on money that depends on countries of concern.

    The cap falls from what the plan spends today to zero. Each point is a verified plan with its bound.
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
                raise OptionsError("--country names no country", found=word, expected=str(error)) from None

    def ask(self, opened: Opened, options: FrontierOptions, progress: Progress | None) -> Frontier:
        """Return the frontier."""
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
        """Return every point, with a chart."""
        from .frontier import frontier_document

        return frontier_document(result)


@dataclass(frozen=True)
class RiskOptions:
    """Options of the question."""

    weight: Annotated[
        Decimal,
        Setting(
            "Weight of the worst cases (CVaR) in what is minimised; the rest is that of the expected cost.",
            "SHARE",
            least=0,
            most=1,
        ),
    ] = Decimal(0)
    alpha: Annotated[Decimal, Setting("The worst cases are the worst 1 - ALPHA.", "ALPHA", least=0, most=0.999)] = (
        Decimal("0.9")
    )
    frontier: Annotated[bool, Setting("Also plans between the least expected cost and the least CVaR.")] = False
    check: Annotated[
        Path | None,
        Setting(
            "An answer saved with --json: all of it is derived again from its decisions, and better ones are looked for.",
            "FILE",
        ),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full; 0: all.", "N", least=0)] = 12
    most: Annotated[
        int, Setting("Combinations of events up to which all are planned for; of more, a sample.", "N", least=1)
    ] = 200
    sample: Annotated[int, Setting("Draws of a sample.", "N", least=1)] = 200
    seed: Annotated[str, Setting("What a sample's draws follow from.", "SEED")] = "1"


class RiskQuestion(Question[RiskOptions, "Risk"]):
    """The decisions before a date on which the events of a case become known, and the cost of each combination of events.

    Events are stated in the case, under `[plugin.friendshore-risk]`. Orders, stock, and onboarding before the date are the same for all combinations.
    """

    name = "risk"
    options = RiskOptions
    doing = "planning for"
    counted = "scenarios"

    def ask(self, opened: Opened, options: RiskOptions, progress: Progress | None) -> Risk:
        from friendshore.explain.results import Counted

        from .events import count_of, enumerated, sampled
        from .risk import BATCHES, check_saved, known_from, read_answer, settings_of
        from .risk_answer import RiskSearch, risk_of
        from .twostage import RiskMeasure

        settings = settings_of(opened)
        case = opened.session.problem.case
        day = known_from(settings, case.horizon)
        events, seed, draws = settings.event, "", 0
        batches: list[list[RiskScenario]] = []
        if count_of(events, day, case.horizon, options.most) <= options.most:
            scenarios = enumerated(events, day, case.horizon)
        else:
            seed, draws = options.seed, options.sample
            scenarios = sampled(events, day, case.horizon, draws, seed)
            batches = [
                sampled(events, day, case.horizon, draws, f"{seed}, batch {number}") for number in range(BATCHES)
            ]
        search = RiskSearch(opened.session, events, scenarios, day, Counted(opened.session, progress), batches)
        if options.check is not None:
            saved = read_answer(options.check)
            return saved.but(evaluated=check_saved(search, saved, seed, draws))
        measure = RiskMeasure(float(options.weight), float(options.alpha))
        return risk_of(search, measure, frontier=options.frontier, seed=seed, draws=draws)

    def document(self, result: Risk, options: RiskOptions) -> Document:
        from .risk import risk_document

        return risk_document(result, options.top)

    def notes(self, result: Risk) -> Sequence[str]:
        """Return a note if the case states no event, or the number of verified plans of a saved answer."""
        from friendshore.document.figures import count

        from .losses import unsaid_told
        from .risk import PLUGIN

        if result.evaluated:
            return (
                f"{count(result.evaluated, 'plan')} derived again, in every scenario: all is as it is told, and nothing that costs less was found",
            )
        if any(scenario.events for scenario in result.scenarios):
            return unsaid_told(result.unsaid)
        return (f"the case states no event: state what may happen under [[plugin.{PLUGIN}.event]]",)


@dataclass(frozen=True, slots=True)
class StressOptions:
    """Options of the question."""

    everything: Annotated[
        bool, Setting("Everyone who could deliver, not only those that the plan buys from.", flags=("--all",))
    ] = False
    start: Annotated[
        str,
        Setting("When the loss begins; the plan's start, if not given.", "DATE|PERIOD", flags=("--from",)),
    ] = ""
    decided_before: Annotated[
        str,
        Setting(
            "Keep everything that the plan orders before a day: without it, plans know of a later loss from the start. The loss begins then, if --from does not say otherwise.",
            "DATE|PERIOD",
        ),
    ] = ""
    pairs: Annotated[bool, Setting("Also every two countries that the plan buys from.")] = True
    top: Annotated[int, Setting("Losses shown of each table with --full; 0: all.", "N", least=0)] = 15
    by: Annotated[
        str,
        Setting("What the insured plan survives the loss of: supplier, parent, country, catalog or none.", "KIND"),
    ] = "supplier"
    loss_from: Annotated[
        str,
        Setting("When it survives it: a year after the start or the middle of the plan, if not given.", "DATE|PERIOD"),
    ] = ""


class StressQuestion(Question[StressOptions, "StressAnswer"]):
    """The value of each supplier, parent company, country, and catalog: a new plan without it.

    Also the cost of surviving any one loss: the cheapest plan after which no loss increases the shortage.
    """

    name = "stress"
    options = StressOptions
    doing = "taking away"
    counted = "losses"

    def check(self, options: StressOptions) -> None:
        from .losses import loss_kind

        if options.by != "none":
            loss_kind(options.by)

    def ask(self, opened: Opened, options: StressOptions, progress: Progress | None) -> StressAnswer:
        from friendshore.session.decided import day_of_plan

        from .losses import first_day, loss_kind
        from .stress import StressAnswer
        from .stress_answer import insurance, stress

        session = opened.session
        horizon = session.problem.case.horizon
        start = first_day(horizon, options.start) if options.start else None
        later = first_day(horizon, options.loss_from) if options.loss_from else None
        word = options.decided_before
        decided = day_of_plan(horizon, word, "the day before which all is decided") if word else None
        losses = stress(
            session,
            everything=options.everything,
            pairs=options.pairs,
            start=start,
            decided_before=decided,
            progress=progress,
        )
        if options.by == "none":
            return StressAnswer(losses, None)
        if session.stopped:
            return StressAnswer(losses, None, "the search was ended: what surviving a loss costs is left out")
        if session.problem.objectives:
            why = "the case ranks objectives: what surviving a loss costs is told for cost alone, and left out"
            return StressAnswer(losses, None, why)
        return StressAnswer(losses, insurance(session, by=loss_kind(options.by), start=later, progress=progress))

    def document(self, result: StressAnswer, options: StressOptions) -> Document:
        """Return the losses by cost, then the insured plan."""
        from .stress import stress_document

        return stress_document(result.losses, options.top, result.insurance)

    def data(self, result: StressAnswer, options: StressOptions) -> dict[str, object]:
        """Return the losses, with the insured plan as one entry."""
        insured = None if result.insurance is None else result.insurance.to_dict()
        return {**result.losses.to_dict(), "insurance": insured}

    def notes(self, result: StressAnswer) -> tuple[str, ...]:
        """Return the reason if there is no insured plan."""
        return (result.left_out,) if result.left_out else ()


@dataclass(frozen=True)
class WithstandOptions:
    """Options of the question."""

    losses: Annotated[
        int, Setting("How many losses may come together; what fewer cost is told too.", "N", least=1, most=5)
    ] = 2
    lose: Annotated[
        tuple[str, ...],
        Setting(
            "Who may be lost, named as in a change's `remove` (`supplier:NAME`, `country:CN`, a facility or an offer), a "
            "route, `route:AU>US`, `route:CN>`, `route:>US` or `via:suez`, or a suspended rule, `rule:ID`; may be given several times. Else "
            "everyone who could deliver.",
            "WHO",
        ),
    ] = ()
    by: Annotated[
        str,
        Setting(
            "What everyone is told apart by, several with commas: supplier, parent, country, catalog, route (between two "
            "countries), via (by a place that lanes pass).",
            "KIND",
        ),
    ] = "supplier,parent,country"
    most: Annotated[
        int, Setting("Of everyone, so many: those that the plan spends most with; 0: all.", "N", least=0)
    ] = 100
    start: Annotated[
        str,
        Setting(
            "When losses come; a year after the start or the middle of the plan, if not given.",
            "DATE|PERIOD",
            flags=("--from",),
        ),
    ] = ""
    react: Annotated[
        str,
        Setting(
            "How long after it nothing can be ordered beyond what was planned, such as `6 months`; `0`: not at all.",
            "TIME",
        ),
    ] = "6 months"
    out: Annotated[Path | None, Setting("Also write what proves the answer, to be checked with --check.", "FILE")] = (
        None
    )
    check: Annotated[
        Path | None,
        Setting("Check such a file against the case in place of searching: every combination, and the cost.", "FILE"),
    ] = None
    top: Annotated[int, Setting("Rows shown of each table with --full; 0: all.", "N", least=0)] = 12


class WithstandQuestion(Question[WithstandOptions, "Withstood | WithstandChecked"]):
    """The cheapest mix that meets demand after any few losses together, and the cost of each number of losses.

    Lost offers deliver no orders from a date on. Decisions before that date (orders, stock, onboarding) are the same for all losses. For
    some time after it, orders stay as planned, without the lost ones. All combinations are enumerated, and the plan after each is verified.
    """

    name = "withstand"
    options = WithstandOptions
    doing = "preparing for losses"
    counted = "components"

    def check(self, options: WithstandOptions) -> None:
        """Reject unknown kinds of losses, invalid times, and an existing output file."""
        from friendshore.writing import reject_existing

        from .withstand import _kinds, _months

        if options.out is not None and options.check is not None:
            raise OptionsError("a proof is written, or checked: --out or --check")
        if options.out is not None:
            reject_existing(options.out)
        _kinds(options.by)
        _months(options.react)

    def ask(self, opened: Opened, options: WithstandOptions, progress: Progress | None) -> Withstood | WithstandChecked:
        """Return the verified plans, or the result of checking a proof of them."""
        from .losses import first_day, named_losses, usual_losses
        from .withstand import _kinds, _months
        from .withstand_recheck import check_proof
        from .withstand_search import read_proof, withstand, write_proof

        session = opened.session
        if options.check is not None:
            return check_proof(session, read_proof(options.check), progress)
        start = first_day(session.problem.case.horizon, options.start) if options.start else None
        if options.lose:
            found, left_out = named_losses(session, options.lose), 0
        else:
            found, left_out = usual_losses(session, _kinds(options.by), options.most)
        answer = withstand(
            session,
            found,
            options.losses,
            start=start,
            react=_months(options.react),
            left_out=left_out,
            certify=options.out is not None,
            progress=progress,
        )
        if options.out is not None:
            write_proof(answer.proof, options.out)
        return answer

    def document(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> Document:
        """Return the cost of each number of losses, the sets of losses that no plan withstands, and the changes of the plan."""
        from .withstand import checked_document, withstand_document
        from .withstand_search import Withstood

        if isinstance(result, Withstood):
            return withstand_document(result, options.top)
        return checked_document(result)

    def data(self, result: Withstood | WithstandChecked, options: WithstandOptions) -> dict[str, object]:
        """Return the answer without its plans, which are written with `--out`."""
        return result.model_dump(mode="json", by_alias=True)

    def notes(self, result: Withstood | WithstandChecked) -> tuple[str, ...]:
        """Return notes on omissions."""
        from .losses import unsaid_told
        from .withstand_search import Withstood

        if not isinstance(result, Withstood):
            return ()
        found = []
        if len(result.curve) <= result.most:
            found.append(f"the search was ended: what more than {len(result.curve) - 1} losses cost is not told")
        if result.idle:
            found.append(f"nothing that could arrive from then on is barred at the end of {', '.join(result.idle)}")
        found += unsaid_told(result.unsaid)
        if result.unplanned:
            found.append(f"rules conflict as things are, and nothing is said of {', '.join(result.unplanned)}")
        return tuple(found)
