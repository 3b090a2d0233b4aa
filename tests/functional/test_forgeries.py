"""Consistent forgeries: facts are bent, everything else follows from them as friendshore makes it follow. Each is found, or `verify` names
what it rests on as not vouched for; with the case given, each is found.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import verify_run

from .forging import Bend, Facts, catalog_of, forge, record_of, redigest, resum, rule_of, write_original

BAN, TARIFF, OFFER = "us-4872-tungsten-2027", "us-mfn-tungsten-powder", "cn-tungsten-powder"
LAW, USGS = "us-10usc4872", "usgs-2026"
AMERICAN = {"countries": ["US"], "complete": True}
LATER = [{"from": "2040-01-01"}]
CASE, OWN, HOUSE = "the case tungsten itself", "catalog own", "pack house"


@dataclass(frozen=True)
class Forgery:
    """One way to bend the facts."""

    name: str
    bend: Bend
    says: str
    """What a finding, or a line of what is not vouched for, must speak of."""
    found: bool = True
    """Whether it is found without the case; else it is named as not vouched for."""
    planned: str = ""
    """Scenario that the honest run was planned with."""


def _drop_rule(name: str) -> Bend:
    return lambda facts: facts["rules"].remove(rule_of(facts, name))


def _drop_pack(facts: Facts, name: str = LAW) -> None:
    facts["rules"] = [rule for rule in facts["rules"] if rule.get("pack") != name]
    facts["packs"] = [pack for pack in facts["packs"] if pack["id"] != name]
    facts["plugins"] = [one for one in facts["plugins"] if (one["kind"], one["name"]) != ("pack", name)]
    del facts["named"][f"pack {name}"]


def _drop_pack_from_the_case_too(facts: Facts) -> None:
    _drop_pack(facts)
    facts["case"]["packs"].remove(LAW)
    facts["case"]["scenarios"] = []


def _in_rule(name: str, **update: Any) -> Bend:
    return lambda facts: rule_of(facts, name)["data"].update(update)


def _in_record(catalog: str, table: str, name: str, **update: Any) -> Bend:
    return lambda facts: record_of(facts, catalog, table, name).update(update)


def _in_case(**update: Any) -> Bend:
    return lambda facts: facts["case"].update(update)


def _in_demand(**update: Any) -> Bend:
    return lambda facts: facts["case"]["demands"][0].update(update)


def _then(*bends: Bend) -> Bend:
    def all_of(facts: Facts) -> None:
        for bend in bends:
            bend(facts)

    return all_of


def _used(kind: str, name: str, **update: Any) -> Bend:
    """Bend what is stated about a catalog or a pack in every place."""

    def bend(facts: Facts) -> None:
        next(one for one in facts["plugins"] if (one["kind"], one["name"]) == (kind, name)).update(update)
        (catalog_of(facts, name) if kind == "catalog" else _pack(facts, name)).update(update)

    return bend


def _pack(facts: Facts, name: str) -> Facts:
    found: Facts = next(pack for pack in facts["packs"] if pack["id"] == name)
    return found


def _in_chain(catalog: str, name: str, **update: Any) -> Bend:
    def bend(facts: Facts) -> None:
        for entry in record_of(facts, catalog, "offers", name)["chain"]:
            entry.update(update)

    return bend


def _thousandfold(facility: str, catalog: str) -> Bend:
    def bend(facts: Facts) -> None:
        record_of(facts, catalog, "facilities", facility)["capacity"][0]["per_year"] *= 1000

    return bend


def _cheap(facts: Facts) -> None:
    record_of(facts, USGS, "offers", OFFER)["price"]["amount"] /= 10


def _benchmarks(facts: Facts) -> None:
    for row in catalog_of(facts, USGS)["prices"]:
        for field in ("amount", "low", "high"):
            if row.get(field) is not None:
                row[field] /= 10


def _evidence(facts: Facts) -> None:
    for source in catalog_of(facts, USGS)["sources"]:
        source["confidence"] = "verified"


def _strike_offer(facts: Facts) -> None:
    catalog = catalog_of(facts, USGS)
    catalog["offers"] = [offer for offer in catalog["offers"] if offer["id"] != OFFER]


def _new_offer(facts: Facts) -> None:
    offer = {**record_of(facts, USGS, "offers", OFFER), "id": "us-tungsten-powder"}
    offer["chain"] = [{**entry, **AMERICAN} for entry in offer["chain"]]
    catalog_of(facts, USGS)["offers"].append(offer)


def _move_to_own(facts: Facts) -> None:
    """Relabel an offer to the catalog beside the case, with another chain."""
    old = record_of(facts, USGS, "offers", OFFER)
    of = {"source": "own:invented"}
    offer = {**old, "facility": "us-plant", "catalog": "own", "price": {**old["price"], **of}, **of}
    offer["chain"] = [{"stage": entry["stage"], **AMERICAN, **of} for entry in old["chain"]]
    capacity = [{"per_year": 1e6, "status": "operating", **of}]
    _strike_offer(facts)
    catalog_of(facts, "own")["facilities"].append({"id": "us-plant", "country": "US", "capacity": capacity, **of})
    catalog_of(facts, "own")["offers"].append(offer)


def _beside_the_case(facts: Facts) -> None:
    """Pass off an installed catalog as a folder of the planner's own."""
    facts["named"][USGS] = "./usgs"
    facts["case"]["catalogs"] = ["./usgs", "./own"]
    _used("catalog", USGS, distribution="")(facts)


def _in_memory(facts: Facts) -> None:
    """Pass off an installed catalog as one that a program made."""
    del facts["named"][USGS]
    _used("catalog", USGS, distribution="")(facts)


def _not_here(facts: Facts) -> None:
    """Pass off an installed catalog as one of a plugin that isn't installed."""
    for offer in catalog_of(facts, USGS)["offers"]:
        offer["catalog"] = "usgs-2027"
    facts["named"]["usgs-2027"] = facts["case"]["catalogs"][0] = "usgs-2027"
    del facts["named"][USGS]
    _used("catalog", USGS, distribution="friendshore-usgs 2.0")(facts)
    next(one for one in facts["plugins"] if one["name"] == USGS)["name"] = "usgs-2027"
    catalog_of(facts, USGS)["name"] = "usgs-2027"


def _relabelled_rule(facts: Facts) -> None:
    """Pass off a rule of a pack as one of the case, and soften it."""
    del rule_of(facts, BAN)["pack"]
    rule_of(facts, BAN)["data"]["phases"] = LATER


def _change(facts: Facts, **stated: Any) -> None:
    facts.setdefault("applied", {}).setdefault("changes", []).append(stated)


def _frozen(facts: Facts) -> None:
    for demand in facts["case"]["demands"]:
        del demand["shortage_price"]
    facts["case"]["frozen"] = {"shortage": {"penetrators": 1.0, "tools": 1.0}}


def _pack_scenario(facts: Facts) -> None:
    scenario = _pack(facts, "cn-export-controls")["scenarios"][0]
    scenario["change"] = scenario["change"][:1]


def _unscenario(facts: Facts) -> None:
    """Make the scenario's change the case's own law: its effect stays, without the label."""
    facts["applied"] = {}
    for name in (BAN, "us-4872-tungsten", "house-ban"):
        rule_of(facts, name)["data"]["phases"] = []


OWN_CHAIN = _in_chain("own", "vale-powder", countries=["AU"])
FORGERIES = [
    Forgery("a ban of a pack begins in 2040", _in_rule(BAN, phases=LATER), f"rule `{BAN}`"),
    Forgery("the scenario's effect without its label", _unscenario, f"rule `{BAN}`", planned="relaxed"),
    Forgery("offers relabeled to the catalog beside the case, digests anew", _then(_move_to_own, redigest), OWN, found=False),
    Forgery("capacity × 1000", _thousandfold("cn-tungsten", USGS), "facility cn-tungsten"),
    Forgery("a rule of the case is missing", _drop_rule("not-all-from-one"), CASE, found=False),
    Forgery("a ban is made pending", _in_rule(BAN, phases=[{"status": "pending"}]), f"rule `{BAN}`"),
    Forgery("a ban is made unknown", _in_rule(BAN, phases=[{"status": "unknown"}]), f"rule `{BAN}`"),
    Forgery("a ban has no phase", _in_rule(BAN, phases=[]), f"rule `{BAN}`"),
    Forgery("a ban leaves China out", _in_rule(BAN, countries=["IR", "KP", "RU"]), f"rule `{BAN}`"),
    Forgery("a ban leaves a stage out", _in_rule(BAN, stages=["mined"]), f"rule `{BAN}`"),
    Forgery("a ban is for civil use", _in_rule(BAN, end_uses=["civil"]), f"rule `{BAN}`"),
    Forgery("a rule of a pack is missing", _drop_rule(BAN), f"rule `{BAN}`"),
    Forgery("a pack is missing", _drop_pack, LAW),
    Forgery("a pack is missing, and the case does not name it", _drop_pack_from_the_case_too, CASE, found=False),
    Forgery("a rule of a pack passes for one of the case", _relabelled_rule, f"rule `{BAN}`"),
    Forgery("a rule of the case passes for law", lambda facts: rule_of(facts, "not-all-from-one").update(pack=LAW), "rule `not-all-from-one`"),
    Forgery("tariffs from 2040", _in_rule(TARIFF, phases=LATER), f"rule `{TARIFF}`"),
    Forgery("a tariff is nothing", _in_rule(TARIFF, rate=0), f"rule `{TARIFF}`"),
    Forgery("a bill changes nothing", lambda facts: _pack(facts, LAW)["bills"][0].update(change=[]), "bill us-p-1803"),
    Forgery("a pack's scenario is weaker", _pack_scenario, "scenario cn-suspensions-lapse"),
    Forgery("a pack passes for fresher", _used("pack", LAW, as_of="2026-11-28"), "pack us-10usc4872"),
    Forgery(
        "a pack has another digest", _then(_in_rule(BAN, phases=LATER), _used("pack", LAW, digest="0" * 64)),
        "pack us-10usc4872", found=False,
    ),
    Forgery(
        "a pack has another digest and version",
        _then(_in_rule(BAN, phases=LATER), _used("pack", LAW, digest="0" * 64, distribution="friendshore-us-defense 9.9")),
        "pack us-10usc4872", found=False,
    ),
    Forgery("prices / 10", _cheap, f"offer {OFFER}"),
    Forgery("benchmarks / 10", _benchmarks, "price "),
    Forgery("lead time struck", _in_record(USGS, "offers", OFFER, lead_time=0), f"offer {OFFER}"),
    Forgery("a lane is made up", _in_record(USGS, "offers", OFFER, lanes=[{"to": "US", "freight": 0, "currency": "USD"}]), f"offer {OFFER}"),
    Forgery("evidence raised", _evidence, "source "),
    Forgery("a chain proved American", _in_chain(USGS, OFFER, **AMERICAN), f"offer {OFFER}"),
    Forgery("a plant lies in another country", _in_record(USGS, "facilities", "cn-tungsten", country="US", place="US"), "facility cn-tungsten"),
    Forgery("an offer is made up", _new_offer, "offer us-tungsten-powder"),
    Forgery("an offer is left out", _strike_offer, f"offer {OFFER}"),
    Forgery("a customs code that nothing is due on", _in_record("materials", "materials", "tungsten-powder", hs="9999.99"), "material tungsten-powder"),
    Forgery("a tag that rules look for is gone", _in_record("materials", "materials", "tungsten-powder", tags=[]), "material tungsten-powder"),
    Forgery("terms of trade made up", lambda f: catalog_of(f, USGS).update(terms=[
        {"of": "offer", "id": OFFER, "most": 1000.0, "per": "year", "source": "usgs-2026:mcs-2026"}]), "terms of"),
    Forgery("a catalog passes for fresher", _used("catalog", USGS, as_of="2026-11-28"), USGS),
    Forgery("capacity × 1000, digests anew", _then(_thousandfold("cn-tungsten", USGS), redigest), "catalog usgs-2026", found=False),
    Forgery("prices / 10, digests anew", _then(_cheap, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, beside the case", _then(_in_chain(USGS, OFFER, **AMERICAN), _beside_the_case, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, in memory", _then(_in_chain(USGS, OFFER, **AMERICAN), _in_memory, redigest), "catalog usgs-2026", found=False),
    Forgery("a chain proved American, of a plugin not here", _then(_not_here, redigest), "catalog usgs-2027", found=False),
    Forgery("a chain of the own catalog", OWN_CHAIN, OWN),
    Forgery("a chain of the own catalog, digests anew", _then(OWN_CHAIN, redigest), OWN, found=False),
    Forgery("capacity of the own catalog × 1000, digests anew", _then(_thousandfold("hill", "own"), redigest), OWN, found=False),
    Forgery("a rule of the own pack from 2040", _in_rule("house-ban", phases=LATER), HOUSE, found=False),
    Forgery("a rule of the own pack is missing", _drop_rule("house-ban"), HOUSE, found=False),
    Forgery("half the demand", _in_demand(per_year=5000.0), CASE, found=False),
    Forgery("a demand that is not for defence", _in_demand(end_use="civil"), CASE, found=False),
    Forgery("a shortage costs nothing", _in_demand(shortage_price=1.0), CASE, found=False),
    Forgery("what is not proved passes", _in_case(accept={"confidence": "assumed", "unproven": True}), CASE, found=False),
    Forgery("all statuses count", _in_case(accept={"confidence": "assumed", "rule_status": ["pending"]}), CASE, found=False),
    Forgery("prices of shortages frozen", _frozen, CASE, found=False),
    Forgery("a stock made up", lambda f: f["case"]["stocks"][0].update(quantity=5000.0), CASE, found=False),
    Forgery("a scenario says something else", lambda f: f["case"]["scenarios"][0].update(change=[{"disable": BAN}, {"disable": "us-4872-tungsten"}]), CASE, found=False, planned="relaxed"),
    Forgery("a change that no scenario holds", lambda f: _change(f, disable=BAN), "of the facts outside of scenarios: disable", found=False),
    Forgery("a waiver made up", _in_case(waivers=[{"rule": BAN, "quantity": 5000.0, "from": "2027-01-01", "until": "2028-12-31"}]), CASE, found=False),
]  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return what is installed."""
    return Registry.discover()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Callable[[str], Path]:
    """Return a function that gives the honest run under a scenario, made once."""
    return cache(lambda scenario: write_original(tmp_path_factory.mktemp("original"), registry, scenario))


@pytest.fixture
def run(original: Callable[[str], Path], tmp_path: Path) -> Path:
    """Return a copy of the honest run to edit."""
    return Path(shutil.copytree(original(""), tmp_path / "run"))


DEFAULT = 4
CASES = [
    pytest.param(one, id=one.name, marks=[] if number < DEFAULT else [pytest.mark.deep(whole=True)])
    for number, one in enumerate(FORGERIES)
]


@pytest.mark.parametrize("forgery", CASES)
def test_a_forgery_is_found_or_named(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path, forgery: Forgery
) -> None:
    """No consistent forgery is verified without a note; with the case, each is found."""
    honest = original(forgery.planned)
    forged = forge(honest, tmp_path / "run", forgery.bend, registry)
    alone = verify_run(forged, registry)
    assert bool(alone.findings) == forgery.found, alone.findings
    told = [finding.message for finding in alone.findings] if forgery.found else alone.unvouched
    assert any(forgery.says in text for text in told), told
    if not forgery.found:
        beside = verify_run(forged, registry, honest.parent / "case")
        assert beside.findings or any(forgery.says in text for text in beside.unvouched)


def test_an_honest_run_is_vouched_for(original: Callable[[str], Path], registry: Registry) -> None:
    """Three things need the case; with it, everything is vouched for."""
    alone = verify_run(original(""), registry)
    assert (alone.findings, alone.differs, len(alone.unvouched)) == ((), (), 3)
    assert verify_run(original(""), registry, original("").parent / "case").unvouched == ()


@pytest.mark.parametrize("told", [{"format": 1}, {}])
def test_facts_of_another_format_are_refused(run: Path, registry: Registry, told: dict[str, int]) -> None:
    """Hashes that match the files don't help."""
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    for key in ("format", "named", "packs", "plugins", "applied"):
        facts.pop(key, None)
    (run / "facts.json").write_text(json.dumps(facts | told | {"digests": {}}), encoding="utf-8")
    resum(run)
    with pytest.raises(InputError, match="plan the case again"):
        verify_run(run, registry)


def test_a_key_that_stands_twice_is_refused(run: Path, registry: Registry) -> None:
    """A person sees the first value, a parser the last."""
    text = (run / "run.json").read_text(encoding="utf-8")
    (run / "run.json").write_text('{"objective": 1, "status": "infeasible",' + text.lstrip()[1:], encoding="utf-8")
    resum(run)
    with pytest.raises(InputError, match="FS005") as refused:
        verify_run(run, registry)
    assert [problem.column for problem in refused.value.problems] == ["objective", "status"]


@pytest.mark.parametrize("file", ["facts.json", "run.json"])
def test_half_of_a_character_is_refused(run: Path, registry: Registry, file: str) -> None:
    """JSON can escape it, but nothing can write or hash it."""
    text = (run / file).read_text(encoding="utf-8")
    (run / file).write_text(text.replace("Hill works", r"Hill \ud800 works", 1), encoding="utf-8")
    resum(run)
    with pytest.raises(InputError, match="half of a character"):
        verify_run(run, registry)


def test_what_was_applied_is_told(original: Callable[[str], Path], registry: Registry) -> None:
    """The case vouches for its scenario, which is named with each of its changes."""
    found = verify_run(original("relaxed"), registry, original("relaxed").parent / "case")
    assert found.applied == ("scenario relaxed", "disable us-4872-tungsten", f"disable {BAN}", "disable house-ban")
    assert (found.findings, found.unvouched) == ((), ())


def test_a_scenario_erased_from_the_run_is_found(
    original: Callable[[str], Path], registry: Registry, tmp_path: Path
) -> None:
    """Erased from the run alone it is missed; erased from the facts too, the plan is wrong."""
    run = Path(shutil.copytree(original("relaxed"), tmp_path / "run"))
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert (told["scenario"], told["changes"][0]) == (["relaxed"], "disable us-4872-tungsten")
    (run / "run.json").write_text(json.dumps({**told, "scenario": [], "changes": []}), encoding="utf-8")
    assert any("`scenario`" in finding.message for finding in verify_run(run, registry).findings)
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    del facts["applied"]
    (run / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert any(BAN in finding.message for finding in verify_run(run, registry).findings)
