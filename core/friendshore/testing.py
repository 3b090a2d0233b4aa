"""Alias of the conformance kit: all names of `friendshore_testing`, if friendshore-testing is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        kit = import_module("friendshore_testing")
    except ModuleNotFoundError as error:
        message = (
            "the conformance kit is in friendshore-testing, which isn't installed: pip install friendshore-testing"
        )
        raise ModuleNotFoundError(message, name="friendshore_testing") from error
    return getattr(kit, name)
