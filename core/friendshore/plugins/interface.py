"""Versions of the plugin interface: which of them this friendshore takes, since when, and until when.

A version is the manifest, the hooks, and what of friendshore a plugin's code may rely on: what is documented of the library. Whatever
goes, goes with a version, and a version that is no longer the newest has an end: the one way in which friendshore takes anything back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from ..domain.base import Record
from ..errors import Diagnostic
from ..hookspecs import API

OWN = __name__.partition(".")[0]
"""friendshore's own package and distribution."""
_OWN_MODULES = f"{OWN}."


def package_of(kind: type | Callable[..., object]) -> str:
    """The import package that a class is defined in."""
    return str(kind.__module__).partition(".")[0]


def is_own(kind: type | Callable[..., object]) -> bool:
    """Whether a class, as of a kind of rules, is friendshore's own, and no plugin's."""
    module = str(kind.__module__)
    return module.startswith(_OWN_MODULES) or module == OWN


def _own_version() -> str:
    try:
        return version(OWN)
    except PackageNotFoundError:
        return ""


__version__ = _own_version()
"""The release of friendshore that runs; empty: it is run from its source without being installed."""


class Interface(Record):
    """One version of the plugin interface."""

    version: int
    since: str
    """Release of friendshore that it came with."""
    gone_in: str = ""
    """First release that does not take it; empty: none is foreseen."""
    not_before: date | None = None
    """Day before which that release does not appear."""

    @property
    def end(self) -> str:
        """When it goes, in words; empty: that is not foreseen."""
        if not self.gone_in:
            return ""
        day = f", not before {self.not_before}" if self.not_before is not None else ""
        return f"gone in {OWN} {self.gone_in}{day}"

    def __str__(self) -> str:
        return f"{self.version} ({self.end or f'since {OWN} {self.since}'})"


INTERFACES: tuple[Interface, ...] = (Interface(version=API, since="0.1.0"),)
"""All versions that there have been, oldest first. Each but the newest says when it goes."""


def newest() -> Interface:
    """The version that new plugins are written for."""
    return INTERFACES[-1]


def taken() -> tuple[Interface, ...]:
    """The versions that this friendshore takes, newest first: the newest, and the one before it if there has been one."""
    return INTERFACES[-2:][::-1]


def end_of(api: int | None) -> str:
    """When friendshore stops taking plugins of a version that it takes; empty: that is not foreseen."""
    return next((one.end for one in taken() if one.version == api), "")


def refusal(label: str, distribution: str, api: int, file: str) -> Diagnostic | None:
    """What is said of a plugin of a version that this friendshore does not take, and which side is to be upgraded; None: it does."""
    if any(one.version == api for one in taken()):
        return None
    here = f"{OWN} {__version__}".strip()
    known = next((one for one in INTERFACES if one.version == api), None)
    if api > newest().version:
        why = f"which is newer than {here}"
        fix = f"upgrade {OWN}, or install an earlier release of {distribution}"
    elif known is None:
        why = "which there never was"
        fix = f"upgrade {distribution}, or report this to its author"
    else:
        why = f"which {here} no longer takes"
        fix = f"upgrade {distribution}, or report this to its author; {OWN} before {known.gone_in} takes it as it is"
    message = f"{label} is written for version {api} of the plugin interface, {why}"
    return Diagnostic(message, file, None, "api", str(api), " or ".join(map(str, taken())), fix)
