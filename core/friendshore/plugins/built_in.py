"""What friendshore itself brings: its kinds of rules and questions, through the same structure as everybody's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ..reading.tomltext import toml_data
from ..rules.kinds import builtin_kinds
from .hosting import Yielded, kind_of, named
from .interface import OWN, __version__
from .manifest import Announced, Plugin, PluginInfo, announced
from .packages import MANIFEST

_OWN_MANIFEST = Path(__file__).parents[1] / MANIFEST


def own_questions() -> tuple[Announced, ...]:
    """The questions that friendshore itself brings: its own manifest says."""
    return announced(toml_data(_OWN_MANIFEST.read_text(encoding="utf-8"), str(_OWN_MANIFEST))["questions"])


def built_in() -> Plugin:
    """The kinds of friendshore itself, which come through the same structure as everybody's."""
    info = PluginInfo(distribution=OWN, version=__version__, name="built-in", package=OWN)
    classes = {kind_of(rule, info): rule for rule in builtin_kinds()}
    return Plugin(info.model_copy(update={"kinds": tuple(classes), "questions": own_questions()}), classes=classes)


def asked_of_us(info: PluginInfo) -> Yielded:
    """What friendshore's own hook yields: of questions alone, which stand above this layer and are imported when one is asked."""
    code = import_module(f"{OWN}.questions")
    return Yielded(questions=named(code.friendshore_questions(), info))
