"""Bans by stage, country and end use, along the chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.facts import ChainEntry, Material
from friendshore.domain.stages import COLLECTION, STEPS, Stage, stage_of
from friendshore.domain.use import Chained, Result, Use
from friendshore.rules.kinds import OriginBan

from .samples import ALL, ALLOY, CLEAN, MAGNET, OXIDE, ban, judged, offer, use

OF_REDUCTION = ban(stages=["produced"], steps={"reduction": "produced"})
OPEN = ban(steps={"reduction": "produced"}, whole=[{"steps": ["reduction"]}])
ALLOWED = ban(countries=[], allow=["US", "JP"], stages=["melted"])
MADE = {"melted": "JP", "produced": "JP"}
ORE = {"mined": "AU", "refined": "MY", "separated": "MY"}
DECIDED = {
    "every stage is known to lie elsewhere": (ban(), offer(CLEAN), ""),
    "an allow list, listed": (ALLOWED, offer(CLEAN), ""),
    "an allow list, not listed": (ALLOWED, offer({**CLEAN, "melted": "KR"}), "melted"),
    "a maker answers for its own stages": (ban(), offer(MADE, inputs=True), ""),
    "a gap that its inputs leave is the maker's": (ban(), offer(MADE, inputs=True, missing=[Stage.SEPARATED]), "separated"),
    "an oxide plant does not produce a magnet": (ban(), offer(ORE, OXIDE), ""),
    "an oxide plant mines and refines": (ban(), offer({**ORE, "refined": "CN"}, OXIDE), "refined"),
    "up the chain `produced` is not asked": (ban(stages=["produced"]), offer({"produced": "CN"}, OXIDE.but(stages=ALL)), ""),
    "melting is barred whoever does it": (ban(stages=["melted", "produced"]), offer({**ORE, "melted": "CN"}, ALLOY), "melted"),
    "a step of another stage": (ban(stages=["produced"]), offer({**CLEAN, "reduction": "CN"}), ""),
    "a step that the rule counts as production": (OF_REDUCTION, offer({**CLEAN, "reduction": "CN"}), "produced"),
    "such a step up the chain": (OF_REDUCTION, offer({"mined": "AU", "reduction": "CN"}, OXIDE), "produced"),
    "a step counted elsewhere leaves its own stage open": (OPEN, offer({"mined": "AU", "reduction": "US", "separated": "MY", "melted": "JP"}), "refined"),
    "which inputs may cover": (OPEN, offer({"reduction": "US", "melted": "US"}, inputs=True), ""),
    "or leave open": (OPEN, offer({"reduction": "US", "melted": "US"}, inputs=True, supplied=()), "refined"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "chained", "stage"), DECIDED.values(), ids=DECIDED)
def test_the_stage_that_decides(rule: OriginBan, chained: Chained, stage: str) -> None:
    """The stage at which the offer fails or is unproven. Without one, it passes."""
    verdict = judged(rule, chained)
    assert (verdict.passes, verdict.stage) == (not stage, stage)


def test_the_deciding_stage_country_and_clause_are_named() -> None:
    """A failure says where, at which stage and by which clause, in a sentence a planner can read."""
    verdict = judged(ban(), offer({**CLEAN, "refined": "CN"}))
    assert (verdict.result, verdict.stage, verdict.countries) == (Result.FAIL, "refined", ("CN",))
    assert (verdict.rule, verdict.clause) == ("ban", "the clause")
    assert verdict.reason == "magnet of o is refined in CN, which the clause bars"


@pytest.mark.parametrize("of", [use(end_use="civil"), use(material=OXIDE)])
def test_other_uses_are_not_concerned(of: Use) -> None:
    """A use of another end use or material passes, whatever the chain."""
    assert judged(ban(), offer({**CLEAN, "mined": "CN"}), of).passes
    assert not ban().concerns(of)


def test_a_ban_without_end_uses_covers_all() -> None:
    """An empty list of end uses means every end use."""
    assert not judged(ban(end_uses=[]), offer({**CLEAN, "mined": "CN"}), use(end_use="civil")).passes


def test_a_ban_may_name_buyers() -> None:
    """A ban on certain buyers leaves the others alone, and a suffix to the name does not help."""
    rule, chained = ban(buyers=["Acme"]), offer({**CLEAN, "mined": "CN"})
    assert judged(rule, chained, use(buyer="Other")).passes
    assert judged(rule, chained, use(buyer="ACME, Inc.")).result is Result.FAIL


def test_a_ban_may_hold_for_some_countries_of_delivery_only() -> None:
    """The law of one country bears on what is delivered there; who delivers elsewhere has other law."""
    rule, chain = ban(places=["EU"]), offer({**CLEAN, "mined": "CN"})
    assert judged(rule, chain, use(place="DE")).result is Result.FAIL
    assert judged(rule, chain, use(place="US")).passes
    assert "delivered in the EU must not be" in rule.sentence()


@pytest.mark.parametrize(
    ("mined", "expected"),
    [("AU", "pass"), ("", "pass"), ("AU ?", "pass"), ("AU CN", "unproven"), ("CN ?", "unproven"), ("CN", "fail")],
)
def test_a_ban_that_asks_for_no_proof_counts_named_countries_alone(mined: str, expected: str) -> None:
    """Sanctions bar the goods of a country; they do not ask where all others come from. What is named stays in doubt."""
    rule = ban(asks_proof=False)
    assert judged(rule, offer({**CLEAN, "mined": mined})).result.value == expected
    assert judged(rule, offer({stage: there for stage, there in CLEAN.items() if stage != "mined"})).passes


@pytest.mark.parametrize(
    ("collected", "mines", "smelters"),
    [
        ("recycled", "pass", "pass"),
        ("recycled JP", "pass", "pass"),
        ("recycled JP ?", "pass", "pass"),
        ("recycled JP CN", "unproven", "unproven"),
        ("recycled CN ?", "unproven", "unproven"),
        ("recycled CN", "fail", "unproven"),
    ],
)
def test_a_ban_that_asks_for_no_proof_asks_where_scrap_was_collected(collected: str, mines: str, smelters: str) -> None:
    """Scrap is of the country in which it arose; where its metal was refined before nobody says, and no proof of that is asked."""
    scrap = offer({**CLEAN, "mined": collected})
    assert judged(ban(asks_proof=False), scrap).result.value == mines
    assert judged(ban(asks_proof=False, stages=["refined", "produced"]), scrap).result.value == smelters
    assert judged(ban(), scrap).result is Result.UNPROVEN, "a ban that asks for proof takes no scrap"
    told = judged(ban(asks_proof=False, stages=["refined"]), offer({**CLEAN, "mined": "recycled CN"})).reason
    assert told.endswith(
        "is made from scrap that was collected in CN, whose goods the clause bars, and nobody says where its metal was refined before"
    )


LANDS = st.lists(st.sampled_from(["AU", "CN", "JP", "?"]), max_size=3, unique=True).map(" ".join)
CHAINS = st.dictionaries(
    st.sampled_from(["mined", "collection", "refined", "separated", "melted", "produced"]),
    st.tuples(st.sampled_from(["", "recycled "]), LANDS).map("".join),
)


@given(CHAINS, st.sets(st.sampled_from(ALL), min_size=1))
def test_without_proof_passes_just_what_names_no_barred_country(chain: dict[str, str], stages: set[Stage]) -> None:
    """Whatever is told of a chain: nothing that names China where it counts passes, all else does, and asking for proof never lets more pass."""
    chain = {
        stage: "recycled " + lands.removeprefix("recycled ") if stage == "collection" else lands
        for stage, lands in chain.items()
    }
    scrap = {"mined", "refined", "separated"} & set(stages)
    counts = (
        bool(scrap)
        if stage in ("mined", "collection") and lands.startswith("recycled")
        else stage.replace("collection", "mined") in stages
        for stage, lands in chain.items()
    )
    named = any("CN" in lands and count for lands, count in zip(chain.values(), counts, strict=True))
    given_stages = sorted(stages)
    lax, strict = (judged(ban(asks_proof=proof, stages=given_stages), offer(chain)).result for proof in (False, True))
    assert (lax is Result.PASS) == (not named)
    assert lax is Result.PASS or strict is not Result.PASS


def test_a_stage_nobody_states_is_unproven() -> None:
    """A stage that the material must have, and that no entry covers, is unproven, never a pass."""
    chain = {stage: text for stage, text in CLEAN.items() if stage != "mined"}
    verdict = judged(ban(), offer(chain))
    assert (verdict.result, verdict.stage) == (Result.UNPROVEN, "mined")
    assert verdict.reason == "nobody says where magnet of o is mined, which the clause asks"


def test_an_entry_without_countries_is_no_entry() -> None:
    """An entry that names no country is unproven, even if it claims to be complete."""
    chained = offer(CLEAN)
    empty = ChainEntry.model_construct(stage="mined", complete=True)
    assert judged(ban(), chained.but(performed=(empty, *chained.performed[1:]))).stage == "mined"


def test_steps_of_one_stage_are_judged_one_by_one() -> None:
    """Sintering in China fails although milling took place in Japan."""
    chain = {k: v for k, v in CLEAN.items() if k != "produced"} | {"milling": "JP", "sintering": "CN"}
    verdict = judged(ban(), offer(chain))
    assert (verdict.result, verdict.stage) == (Result.FAIL, "produced")
    assert "produced (sintering) in CN" in verdict.reason


def test_a_source_that_declares_no_gap_is_still_asked() -> None:
    """A source without an entry for a stage is unproven even if nobody computed what is missing."""
    assert judged(ban(), offer({"produced": "JP"}, missing=())).result is Result.UNPROVEN


def test_a_covered_material_without_stages_must_have_all_of_the_ban() -> None:
    """A covered material whose stages nobody wrote down is not waved through."""
    bare = MAGNET.but(stages=())
    assert judged(ban(), offer({}, bare), use(bare)).result is Result.UNPROVEN


@given(data=st.data())
def test_a_wider_ban_never_turns_into_a_pass(data: st.DataObject) -> None:
    """Barring more countries or stages never makes any chain better."""
    codes = st.sampled_from(["AU", "CN", "JP", "RU", "US", "?"])
    text = st.lists(codes, max_size=3, unique=True).map(" ".join)
    chain = data.draw(st.dictionaries(st.sampled_from([s.value for s in ALL]), text))
    countries = data.draw(st.sets(st.sampled_from(["CN", "RU", "US"]), min_size=1))
    stages = data.draw(st.sets(st.sampled_from(ALL), min_size=1))
    narrow = ban(countries=sorted(countries), stages=sorted(stages))
    wide = ban(countries=sorted(countries | {"AU"}), stages=sorted(stages | {Stage.MINED}))
    chained = offer(chain)
    assert judged(wide, chained).result.rank >= judged(narrow, chained).result.rank


@given(data=st.data())
def test_more_possible_countries_never_turn_into_a_pass(data: st.DataObject) -> None:
    """Adding a country to what is possible at a stage never lets a magnet pass that did not."""
    stage = data.draw(st.sampled_from([s.value for s in ALL]))
    before = data.draw(st.sampled_from(["AU", "CN", "CN RU", "AU CN", "AU ?", "CN ?"]))
    more = data.draw(st.sampled_from(["AU", "CN", "US"]))
    first = judged(ban(), offer({**CLEAN, stage: before}))
    if not first.passes:
        assert not judged(ban(), offer({**CLEAN, stage: f"{before} {more}"})).passes


@pytest.mark.parametrize(
    ("element", "stages", "passes"),
    [
        ("NdFeB", (), False),
        ("", (), False),
        ("premix", (), False),
        ("NdFeB", (Stage.MELTED,), False),
        ("Fe", (), True),
        ("Fe", (Stage.MELTED,), True),
        ("NdFeB", ALL[:4], True),
    ],
)
def test_what_is_bought_on_the_way_came_out_of_a_mine_whatever_is_stated_of_it(
    element: str, stages: tuple[Stage, ...], passes: bool
) -> None:
    """A charge of alloy under another name, with no stage stated or melting alone: a grain of oxide beside it answered for its mine."""
    charge = Material(id="premix", element=element, form="alloy", stages=stages)
    chain = {stage: CLEAN[stage] for stage in stages}
    verdict = judged(ban(), offer(chain, charge))
    assert verdict.passes == passes
    assert verdict.stage == ("" if passes else "mined")
    if not stages:  # one made of inputs answers for what it does; they are asked themselves
        assert judged(ban(), offer({}, charge, inputs=True, supplied=ALL[:3])).passes


@pytest.mark.parametrize("word", sorted({*STEPS, *Stage} - {COLLECTION}))
def test_a_lone_step_leaves_its_stage_unproven_unless_it_is_the_whole_of_it(word: str) -> None:
    """Who magnetizes in Japan has not said who sintered; where an input answers for the stage, the step is what is left of it."""
    stage = stage_of(word)
    whole = word in {*Stage, "mining", "refining", "separation", "melting", "alloying"}
    recorded = {known: where for known, where in CLEAN.items() if known != stage.value} | {word: "JP"}
    assert judged(ban(), offer(recorded)).result is (Result.PASS if whole else Result.UNPROVEN)
    assert whole or judged(ban(), offer(recorded)).stage == stage.value
    assert judged(ban(), offer({word: "JP"}, inputs=True, supplied=ALL)).passes
    assert judged(ban(asks_proof=False), offer(recorded)).passes


@pytest.mark.parametrize("left_out", ["", "milling", "pressing", "sintering", "magnetizing"])
def test_all_steps_together_are_the_whole_of_a_stage(left_out: str) -> None:
    """Milling, pressing, sintering and magnetizing are how a magnet is produced; with any of them left out, it is unproven."""
    steps = {step: "JP" for step in ("milling", "pressing", "sintering", "magnetizing") if step != left_out}
    recorded = {known: where for known, where in CLEAN.items() if known != "produced"} | steps
    assert judged(ban(), offer(recorded)).passes == (not left_out)


@pytest.mark.parametrize(
    ("form", "steps", "passes"),
    [
        ("powder", ("reduction",), True),
        ("metal", ("reduction",), False),
        ("metal", ("reduction", "consolidation"), True),
        ("metal", ("consolidation",), False),
    ],
)
def test_a_rule_says_which_steps_are_the_whole_of_a_stage(form: str, steps: tuple[str, ...], passes: bool) -> None:
    """By the form of what is made: powder is done once it is reduced, metal is not."""
    rule = ban(
        elements=["Ta"],
        forms=[],
        steps={"reduction": "produced"},
        whole=[{"steps": ["reduction"], "forms": ["powder"]}, {"steps": ["reduction", "consolidation"]}],
    )
    good = Material(id="tantalum", element="Ta", form=form, stages=ALL)
    recorded = {known: where for known, where in CLEAN.items() if known != "produced"} | dict.fromkeys(steps, "US")
    verdict = judged(rule, offer(recorded, good), use(good))
    assert verdict.result is (Result.PASS if passes else Result.UNPROVEN)


@pytest.mark.parametrize(("where", "result"), [("CN", Result.FAIL), ("", Result.UNPROVEN), ("JP", Result.PASS)])
def test_a_block_that_is_sold_as_such_is_judged_on_who_produced_it(where: str, result: Result) -> None:
    """Made in China, sold as segments and magnetized in Japan: the ban covers magnets, and reaches what they are made of."""
    segment = Material(id="segment", element="NdFeB", form="segment", stages=ALL)
    assert judged(ban(), offer({**CLEAN, "produced": where}, segment)).result is result
