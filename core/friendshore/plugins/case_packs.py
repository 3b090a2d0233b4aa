"""Rule packs that a plugin makes of what a case sets for it and of the facts of the case: asked for in a process of its own, as of a reader.

What crosses is data: the case and its catalogs there, rule packs back, whose rules are made by whoever makes those of any pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..domain.base import Tables
from ..domain.case import Case
from ..domain.facts import Catalog
from ..errors import FriendshoreError, InputError, PluginError
from ..readers import CaseFacts
from ..reading.records import record
from ..rules.pack import RulePack, unstated
from .attribution import wrong
from .elsewhere import Ended, OtherProcess, as_said, as_told, elsewhere, mistakes_in, plugin_told, problem_of
from .hosting import called
from .manifest import Plugin, PluginInfo
from .readings import LIMIT
from .running import limit_given
from .settings import made


class _Facts(Tables):
    """A case and its catalogs as they cross."""

    case: Case
    catalogs: tuple[Catalog, ...] = ()


def packs_by(
    plugin: Plugin,
    name: str,
    case: Case,
    catalogs: Sequence[Catalog],
    settings: Mapping[str, Any],
    limit: float | None = None,
    process: OtherProcess | None = None,
) -> tuple[RulePack, ...]:
    """The rule packs that a plugin, which the case calls `name`, makes for it, asked for in another process: a new one, or that in which it was asked
    of other cases.

    It is given up after `limit` seconds; None: as the environment says, or a minute; 0: it is asked for in this process, and never given up.

    Raises:
        InputError: with all that the plugin says is wrong with what the case sets or names.
        PluginError: if it fails, hangs, ends its process, or yields something else.
    """
    info = plugin.info
    assert plugin.entry is not None  # what takes settings is code
    seconds = limit_given(LIMIT) if limit is None else limit
    facts = _Facts(case=case.but(rules=()), catalogs=tuple(catalogs))
    told = {
        "facts": facts.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "folder": str((case.folder or Path()).absolute()),
        "folders": {key: str(folder.absolute()) for key, folder in case.settings_from.get(name, {}).items()},
        "settings": dict(settings),
    }
    asked = {**as_told(info, plugin.entry), **told}
    ask = elsewhere if process is None else process.ask
    ended = ask(f"{__name__}:packs_there", asked, seconds) if seconds else Ended(0, packs_there(asked))
    problem = problem_of(info, ended, "asked for the rule packs of a case", seconds)
    if problem is not None:
        raise PluginError(problem)
    if "mistakes" in ended.said:
        raise InputError(mistakes_in(ended.said, info.label))
    packs = tuple(_pack(one, info) for one in ended.said["packs"])
    names = [pack.id for pack in packs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise wrong(info, "makes two rule packs of one name", ", ".join(twice), "names that differ")
    return packs


def _pack(data: Mapping[str, Any], info: PluginInfo) -> RulePack:
    pack = RulePack.model_validate(data)
    for number, rule in enumerate(pack.rules, 1):
        if lacking := unstated(rule):
            what = f"makes a rule pack `{pack.id}` of which rule {rule.get('id') or number} lacks {', '.join(lacking)}"
            raise wrong(info, what, "", "rules that state kind, id and citation")
    return pack


def packs_there(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it has the plugin make its rule packs, and says what they are, or what is wrong."""
    info, entry = plugin_told(data)
    plugin = Plugin(info, entry)
    try:
        (model,) = called(plugin, "friendshore_settings")
        settings = made(model, data["settings"], info, info.name or info.distribution)
        Catalog.model_rebuild()  # what checks it is then made once, as for the facts of a run
        facts = record(_Facts, data["facts"], "what a plugin is told of a case")
        folders = {key: Path(folder) for key, folder in data["folders"].items()}
        given = CaseFacts(facts.case, facts.catalogs, Path(data["folder"]), settings, folders)
        yielded = called(plugin, "friendshore_case_packs", facts=given)
        return {"packs": [_data(pack, info) for pack in yielded]}
    except InputError as error:
        return {"mistakes": [asdict(problem) for problem in error.problems]}
    except FriendshoreError as error:
        return as_said(error)


def _data(pack: object, info: PluginInfo) -> dict[str, Any]:
    """A rule pack as JSON-ready data."""
    if not isinstance(pack, RulePack):
        told = "its hook `friendshore_case_packs` yields something else"
        raise wrong(info, told, repr(pack)[:200], "rule packs: friendshore.rules.pack.RulePack")
    try:
        data: dict[str, Any] = pack.model_dump(mode="json", by_alias=True, exclude={"digest"})
    except ValueError as error:
        raise wrong(
            info,
            f"its rule pack `{pack.id}` holds what is no data",
            str(error)[:200],
            "texts, numbers, dates, lists and tables",
        ) from error
    return data
