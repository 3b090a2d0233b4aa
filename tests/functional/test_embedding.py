"""friendshore in another program: what it prints in a notebook, what can be stored and sent, and what it leaves as it was."""

from __future__ import annotations

import csv
import gc
import json
import os
import pickle
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import friendshore
from friendshore.domain.change import Change
from friendshore.domain.runtime import SizeLimitedCache
from friendshore.errors import InputError, VerificationError
from friendshore_testing.check import outcomes_of
from friendshore_testing.subjects import checks_of

from ..html_pages import Page
from .sample_plugins import catalog_plugin, forgotten, rule_plugin

__all__ = ["forgotten"]

STOCK = Path(__file__).parents[2] / "docs" / "cases" / "small" / "stock" / "case.toml"


@pytest.fixture(scope="module")
def recommendation() -> friendshore.Recommendation:
    """The plan of a small case."""
    return friendshore.plan(friendshore.load_case(STOCK))


def test_what_is_offered_is_listed() -> None:
    """A person who types `friendshore.` and tab sees what there is, and nothing else."""
    assert {*friendshore.__all__} <= {*dir(friendshore)}
    assert {name for name in dir(friendshore) if not name.startswith("_")} <= {*friendshore.__all__}
    assert friendshore.__version__[0].isdigit()


def test_what_is_printed_is_short(recommendation: friendshore.Recommendation) -> None:
    """Nothing that a person may look at fills the screen with its tables."""
    plan, session, gathered = recommendation.plan, recommendation.session, recommendation.gathered
    for one in (
        recommendation, recommendation.run, plan, plan.plan, plan.problem, gathered, gathered.catalogs[0],
        session, session.inputs, session.program, session.solution, session.what_if(Change(remove="hill-antimony")),
        friendshore.alternatives(session), friendshore.ledger(session),
    ):  # fmt: skip
        assert len(repr(one)) < 2_000, type(one)


def in_frame(shown: str) -> str:
    """The page in the frame that a notebook shows: it has no script, loads nothing, and may reach nothing around it."""
    frame = Page(shown).root.one("iframe")
    assert shown.startswith("<iframe ")
    assert (frame.attributes["sandbox"], frame.inside) == ("", [])
    page = Page(frame.attributes["srcdoc"]).root
    assert not page.all("script")
    assert not [one for one in page.walk() if {"src", "href", "onload"} & one.attributes.keys()]
    policy = next(one for one in page.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy.attributes["content"]
    return page.one("body").text


def test_a_notebook_shows_the_screen_of_a_plan_and_runs_nothing(recommendation: friendshore.Recommendation) -> None:
    """What it comes to, what is bought and what to know of it, in less than 40 kB; a name is only text, also where it would end the frame."""
    page = recommendation._repr_html_()
    assert len(page) < 40_000
    text = in_frame(page)
    assert all(part in text for part in ("optimal · verified", "River smelter", "Based on"))
    name = """"></iframe><script>alert(1)</script>'<b onload=x>"""
    hostile = recommendation.run.model_copy(update={"case": name})
    made = friendshore.Recommendation(hostile, recommendation.plan, recommendation.gathered, recommendation.session)
    assert name in in_frame(made._repr_html_())


def test_a_notebook_shows_the_screen_of_an_answer(recommendation: friendshore.Recommendation) -> None:
    """Each answer, what matters most first; of very long ones as much as a screen holds."""
    session = recommendation.session
    bill = friendshore.ledger(session)
    reasons = friendshore.why_not(session, "hill-antimony")
    for one in (friendshore.alternatives(session), bill, reasons, friendshore.repairs(session)):
        assert len(in_frame(one._repr_html_())) > 100
    many = bill.but(items=bill.items[:1] * 500)
    assert re.search(r"4\d\d more items, .* \(--full", in_frame(many._repr_html_()))
    assert len(many._repr_html_()) < 40_000


def test_what_is_bought_and_what_a_change_does_are_tables(recommendation: friendshore.Recommendation) -> None:
    """Facilities go by their ids, as in the catalog; without an offer the other one delivers in its place, for other money."""
    ids = {facility.id for catalog in recommendation.gathered.catalogs for facility in catalog.facilities}
    assert set(recommendation.to_frame("purchases")["facility_id"]) <= ids
    lost = recommendation.run.purchases[0].offer
    frame = recommendation.session.what_if(Change(remove=lost)).to_frame().set_index("offer")
    assert frame.loc[lost, "after_kg"] == 0
    assert frame.loc[lost, "before_kg"] > 0
    assert (frame["change_kg"] == frame["after_kg"] - frame["before_kg"]).all()
    assert frame.loc["hill-antimony", "after_cost"] > 0


def test_what_is_stored_is_verified_again_when_it_is_read(recommendation: friendshore.Recommendation) -> None:
    """A recommendation comes back the same, nothing is solved anew, and its session answers."""
    back = pickle.loads(pickle.dumps(recommendation))
    assert back.to_dict() == recommendation.to_dict()
    assert back.session.answers.solved == 0
    change = Change(remove="river-antimony")
    assert back.session.what_if(change).cost == recommendation.session.what_if(change).cost
    plugins = [[p.name for p in one.gathered.registry.plugins] for one in (back, recommendation)]
    assert plugins[0] == plugins[1]


def test_a_stored_plan_that_does_not_hold_is_refused(recommendation: friendshore.Recommendation) -> None:
    """What is read back is no proof: a plan that was altered is not taken as verified."""
    verified = recommendation.plan
    make, (problem, plan) = verified.__reduce__()
    purchases = tuple(p.model_copy(update={"quantity": p.quantity * 2}) for p in plan.purchases)
    with pytest.raises(VerificationError):
        make(problem, plan.model_copy(update={"purchases": purchases}))


def test_a_session_remembers_only_so_much() -> None:
    """What was used least recently goes first, and the newest always stays."""
    kept = SizeLimitedCache[str, int](10)
    for name, size in (("a", 4), ("b", 4)):
        kept.keep(name, size, size)
    assert kept.get("a") == 4
    kept.keep("c", 4, 4)
    assert (kept.get("b"), kept.get("a"), kept.get("c")) == (None, 4, 4)
    kept.keep("d", 50, 50)
    assert (len(kept), kept.get("d")) == (1, 50)


@pytest.mark.parametrize("make", [catalog_plugin, pytest.param(rule_plugin, marks=pytest.mark.deep)])
@pytest.mark.usefixtures("thawed")
def test_the_process_is_left_as_it_was(make: Callable[[Path], Path], tmp_path: Path) -> None:
    """Planning, and refusing to, changes nothing that belongs to the program around it."""

    def state() -> tuple[object, ...]:
        return gc.isenabled(), gc.get_freeze_count(), gc.get_threshold(), [*sys.path], {**os.environ}, Path.cwd()

    before = state()
    friendshore.plan(friendshore.load_case(STOCK))
    with pytest.raises(InputError):
        friendshore.load_case(tmp_path)
    assert all(outcome.passed for outcome in outcomes_of(checks_of(make(tmp_path / "house"))))
    assert state() == before


def test_a_question_takes_a_recommendation_a_session_or_a_case(recommendation: friendshore.Recommendation) -> None:
    """The answer is the same."""
    given = (recommendation, recommendation.session, friendshore.load_case(STOCK))
    first, *others = (friendshore.why_not(each, "hill-antimony") for each in given)
    assert all(answer.obstacles == first.obstacles and answer.names == first.names for answer in others)


def test_a_case_and_a_catalog_are_read_from_data_as_from_files() -> None:
    """A dict, TOML text, and JSON text give the same records as the files."""
    text = STOCK.read_text("utf-8")
    from_file = friendshore.load_case(STOCK)
    data = tomllib.loads(text)
    in_json = json.dumps(data, default=str)
    for source in (text, data, in_json):
        assert friendshore.load_case(source, folder=STOCK.parent) == from_file.but(file=None)
    folder = STOCK.parent / "catalog"
    tables: dict[str, object] = {}
    for file in folder.glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as stream:
            tables[file.stem] = list(csv.DictReader(stream))
    head = tomllib.loads((folder / "catalog.toml").read_text("utf-8"))
    catalog = friendshore.load_catalog(folder)
    assert friendshore.load_catalog({**head, **tables}) == catalog
    assert friendshore.load_catalog(json.dumps({**head, **tables}, default=str)) == catalog


def test_errors_in_data_name_the_key() -> None:
    """All at once, without a file."""
    with pytest.raises(friendshore.InputError) as caught:
        friendshore.load_case({"case": {"name": "x", "perods": 4}})
    assert {problem.file for problem in caught.value.problems} == {"case"}
    assert "case.perods" in {problem.column for problem in caught.value.problems}
    with pytest.raises(friendshore.InputError):
        friendshore.load_case("[case\nname = 1")
    with pytest.raises(friendshore.InputError) as caught:
        friendshore.load_catalog({"name": "ours", "offers": [{"id": "o", "facility": "mill", "material": "Ga"}]})
    assert {problem.file for problem in caught.value.problems} == {"catalog, offers"}
