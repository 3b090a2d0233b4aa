"""Versions of the plugin interface: supported versions, and their end of support.

A version covers the manifest, the hooks, and the documented library. Every incompatible change comes with a new version, and only the end of
a version removes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from ..domain.base import Record
from ..errors import Diagnostic
from ..hookspecs import API

OWN = __name__.partition(".")[0]
"""Friendshore's own package and distribution."""
_OWN_MODULES = f"{OWN}."


def package_of(kind: type | Callable[..., object]) -> str:
    """Return the import package that defines a class or function."""
    return str(kind.__module__).partition(".")[0]


def is_own(kind: type | Callable[..., object]) -> bool:
    """Return True if a class or function is friendshore's own."""
    module = str(kind.__module__)
    return module.startswith(_OWN_MODULES) or module == OWN


def _own_version() -> str:
    try:
        return version(OWN)
    except PackageNotFoundError:
        return ""


__version__ = _own_version()
"""Release of friendshore. Empty if it runs from source without being installed."""


class Interface(Record):
    """A version of the plugin interface."""

    version: int
    since: str
    """First release of friendshore that supports it."""
    gone_in: str = ""
    """First release that doesn't support it. Empty if none is planned."""
    not_before: date | None = None
    """Earliest date of that release."""

    @property
    def end(self) -> str:
        """End of support in words. Empty if none is planned."""
        if not self.gone_in:
            return ""
        day = f", not before {self.not_before}" if self.not_before is not None else ""
        return f"gone in {OWN} {self.gone_in}{day}"

    def __str__(self) -> str:
        return f"{self.version} ({self.end or f'since {OWN} {self.since}'})"


INTERFACES: tuple[Interface, ...] = (Interface(version=API, since="0.1.0"),)
"""All versions, oldest first. Each except the newest states its end."""


def newest() -> Interface:
    """Return the version for new plugins."""
    return INTERFACES[-1]


def taken() -> tuple[Interface, ...]:
    """Return the supported versions, newest first: at most two."""
    return INTERFACES[-2:][::-1]


def end_of(api: int | None) -> str:
    """Return the end of support of a version in words. Empty if none is planned."""
    return next((one.end for one in taken() if one.version == api), "")


def refusal(label: str, distribution: str, api: int, file: str) -> Diagnostic | None:
    """Return an error if the interface version of a plugin isn't supported, saying which side to upgrade, or None."""
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
