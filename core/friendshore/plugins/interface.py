"""Versions of the plugin interface. Each covers the manifest, the hooks, and the documented library. Only the end of a version removes anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from ..domain.base import Record
from ..errors import Diagnostic
from ..hookspecs import API

# Friendshore's own package and distribution.
OWN = __name__.partition(".")[0]
_OWN_MODULES = f"{OWN}."


def package_of(kind: type | Callable[..., object]) -> str:
    return str(kind.__module__).partition(".")[0]


def is_own(kind: type | Callable[..., object]) -> bool:
    module = str(kind.__module__)
    return module.startswith(_OWN_MODULES) or module == OWN


def _own_version() -> str:
    try:
        return version(OWN)
    except PackageNotFoundError:
        return ""


# Release of friendshore. Empty if it runs from source without being installed.
__version__ = _own_version()


class Interface(Record):
    """A version of the plugin interface."""

    version: int
    since: str
    """First release of friendshore that supports it."""
    gone_in: str = ""
    """First release that doesn't support it. Empty if none is planned."""
    not_before: date | None = None

    @property
    def end(self) -> str:
        if not self.gone_in:
            return ""
        day = f", not before {self.not_before}" if self.not_before is not None else ""
        return f"unsupported from {OWN} {self.gone_in}{day}"

    def __str__(self) -> str:
        return f"{self.version} ({self.end or f'since {OWN} {self.since}'})"


# All versions, oldest first. Each except the newest states its end.
INTERFACES: tuple[Interface, ...] = (Interface(version=API, since="0.1.0"),)


def newest() -> Interface:
    return INTERFACES[-1]


def supported_versions() -> tuple[Interface, ...]:
    """Return the supported versions, newest first: at most two."""
    return INTERFACES[-2:][::-1]


def end_of(api: int | None) -> str:
    return next((interface.end for interface in supported_versions() if interface.version == api), "")


def refusal(label: str, distribution: str, api: int, file: str) -> Diagnostic | None:
    if any(interface.version == api for interface in supported_versions()):
        return None
    own_label = f"{OWN} {__version__}".strip()
    interface_of_plugin = next((interface for interface in INTERFACES if interface.version == api), None)
    if api > newest().version:
        problem = f"which is newer than {own_label}"
        fix = f"upgrade {OWN}, or install an earlier release of {distribution}"
    elif interface_of_plugin is None:
        problem = "which never existed"
        fix = f"upgrade {distribution}, or report this to its author"
    else:
        problem = f"which {own_label} no longer supports"
        fix = f"upgrade {distribution}, or report this to its author, or use {OWN} before {interface_of_plugin.gone_in}"
    message = f"{label} is written for version {api} of the plugin interface, {problem}"
    return Diagnostic(message, file, None, "api", str(api), " or ".join(map(str, supported_versions())), fix, "FS410")
