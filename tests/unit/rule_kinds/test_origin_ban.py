"""Bans by stage, country and end use, along the chain."""

from __future__ import annotations

from typing import Any

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
    assert verdict.reason == "magnet of o is refined in CN, which the clause prohibits"


BARE = MAGNET.but(stages=())
SEGMENT = Material(id="segment", element="NdFeB", form="segment", stages=ALL)
EMPTY = ChainEntry.model_construct(stage="mined", complete=True)
UNMINED = {stage: text for stage, text in CLEAN.items() if stage != "mined"}
STEPS_APART = {k: v for k, v in CLEAN.items() if k != "produced"} | {"milling": "JP", "sintering": "CN"}


@pytest.mark.parametrize(
    ("chained", "of", "result", "stage"),
    [
        pytest.param(offer(UNMINED), use(), Result.UNPROVEN, "mined", id="a stage that nobody states"),
        pytest.param(offer({"produced": "JP"}, missing=()), use(), Result.UNPROVEN, "mined", id="a gap that nobody declares"),
        # An entry that names no country, even if it claims to be complete.
        pytest.param(offer(CLEAN).but(performed=(EMPTY, *offer(CLEAN).performed[1:])), use(), Result.UNPROVEN, "mined", id="no country"),
        pytest.param(offer(STEPS_APART), use(), Result.FAIL, "produced", id="one step of a stage in China"),
        pytest.param(offer({}, BARE), use(BARE), Result.UNPROVEN, "mined", id="a material without stages has all of the ban"),
        # Blocks made in China, sold as segments and magnetized in Japan: the ban covers magnets, and reaches what they are made of.
        pytest.param(offer({**CLEAN, "produced": "CN"}, SEGMENT), use(), Result.FAIL, "produced", id="a segment made in China"),
        pytest.param(offer({**CLEAN, "produced": ""}, SEGMENT), use(), Result.UNPROVEN, "produced", id="made nobody knows where"),
        pytest.param(offer({**CLEAN, "produced": "JP"}, SEGMENT), use(), Result.PASS, "", id="made in Japan"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_never_a_pass(chained: Chained, of: Use, result: Result, stage: str) -> None:
    """The result, and the stage on which it hangs."""
    verdict = judged(ban(), chained, of)
    assert (verdict.result, verdict.stage) == (result, stage)


@pytest.mark.parametrize(
    ("fields", "of", "passes"),
    [
        ({}, use(end_use="civil"), True), ({}, use(material=OXIDE), True),
        ({"end_uses": []}, use(end_use="civil"), False), ({"buyers": ["Acme"]}, use(buyer="Other"), True),
        ({"buyers": ["Acme"]}, use(buyer="ACME, Inc."), False), ({"places": ["EU"]}, use(place="US"), True),
        ({"places": ["EU"]}, use(place="DE"), False),
    ],
    ids=["end use", "material", "all end uses", "other buyer", "buyer", "delivered elsewhere", "place of delivery"],
)  # fmt: skip
def test_other_uses_are_not_concerned(fields: dict[str, Any], of: Use, passes: bool) -> None:
    """A use of another end use, material, buyer or country of delivery passes, whatever the chain; a suffix to a name does not help."""
    rule = ban(**fields)
    assert judged(rule, offer({**CLEAN, "mined": "CN"}), of).passes is passes
    assert rule.concerns(of) is not passes
    assert "places" not in fields or "delivered in the EU must not be" in rule.sentence()


@pytest.mark.parametrize(
    ("mined", "mines", "smelters"),
    [
        ("AU", "pass", "pass"), ("", "pass", "pass"), ("AU ?", "pass", "pass"),
        ("AU CN", "unproven", "pass"), ("CN ?", "unproven", "pass"), ("CN", "fail", "pass"),
        # Scrap is of the country in which it arose; where its metal was refined before nobody says, and no proof of that is asked.
        ("recycled", "pass", "pass"), ("recycled JP", "pass", "pass"), ("recycled JP ?", "pass", "pass"),
        ("recycled JP CN", "unproven", "unproven"), ("recycled CN ?", "unproven", "unproven"), ("recycled CN", "fail", "unproven"),
    ],
)  # fmt: skip
def test_a_ban_that_asks_for_no_proof_counts_named_countries_alone(mined: str, mines: str, smelters: str) -> None:
    """Sanctions bar the goods of a country; they do not ask where all others come from. What is named stays in doubt."""
    chained = offer({**CLEAN, "mined": mined})
    assert judged(ban(asks_proof=False), chained).result.value == mines
    assert judged(ban(asks_proof=False, stages=["refined", "produced"]), chained).result.value == smelters
    if mined.startswith("recycled"):
        assert judged(ban(), chained).result is Result.UNPROVEN, "a ban that asks for proof takes no scrap"
    assert judged(ban(asks_proof=False), offer(UNMINED)).passes


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
        ("NdFeB", (), False), ("", (), False), ("premix", (), False), ("NdFeB", (Stage.MELTED,), False),
        ("Fe", (), True), ("Fe", (Stage.MELTED,), True), ("NdFeB", ALL[:4], True),
    ],
)  # fmt: skip
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


MAGNET_STEPS = ("milling", "pressing", "sintering", "magnetizing")
POWDER = {"steps": {"reduction": "produced"}, "whole": [
    {"steps": ["reduction"], "forms": ["powder"]}, {"steps": ["reduction", "consolidation"]},
]}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "form", "steps", "passes"),
    [
        ({}, "magnet", MAGNET_STEPS, True),
        *(({}, "magnet", tuple(step for step in MAGNET_STEPS if step != left_out), False) for left_out in MAGNET_STEPS),
        # By the form of what is made: powder is done once it is reduced, metal is not.
        (POWDER, "powder", ("reduction",), True),
        (POWDER, "metal", ("reduction",), False),
        (POWDER, "metal", ("reduction", "consolidation"), True),
        (POWDER, "metal", ("consolidation",), False),
    ],
)
def test_which_steps_together_are_the_whole_of_a_stage(
    fields: dict[str, Any], form: str, steps: tuple[str, ...], passes: bool
) -> None:
    """All steps of a magnet, or those that a rule names; with any of them left out, the stage is unproven."""
    good = Material(id="good", element="Ta", form=form, stages=ALL)
    recorded = {known: where for known, where in CLEAN.items() if known != "produced"} | dict.fromkeys(steps, "JP")
    verdict = judged(ban(forms=[form], **fields), offer(recorded, good), use(good))
    assert verdict.result is (Result.PASS if passes else Result.UNPROVEN)
