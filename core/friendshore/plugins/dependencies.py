"""Dependencies of plugins (`Requires-Dist`), compared with what is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

from ..errors import Diagnostic
from .interface import OWN, __version__


def unmet(label: str, distribution: str, requires: Iterable[str], file: str) -> Iterator[Diagnostic]:
    """Yield an error for each dependency of a plugin that nothing installed meets.

    Dependencies of the plugin's own extras are left out: nobody knows which of them were installed.

    Args:
        label: Name and version of the plugin.
        distribution: Name of the plugin.
        requires: Its dependencies, as its metadata states them.
        file: Its manifest.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # slow to load
    from packaging.version import InvalidVersion

    for text in requires:
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            yield Diagnostic(
                f"{label} states a dependency that cannot be read",
                file,
                found=text,
                fix=f"reinstall {distribution}, or report this to its author",
            )
            continue
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        installed = _version(needed.name)
        try:
            met = bool(installed) and needed.specifier.contains(installed, prereleases=True)
        except InvalidVersion:
            met = False
        if not met:
            asked = f"{needed.name}{needed.specifier}"
            yield Diagnostic(
                f"{label} requires {asked}",
                file,
                found=f"{needed.name} {installed}" if installed else f"no {needed.name}",
                expected=asked,
                fix=f"pip install '{asked}', or install a release of {distribution} that needs another",
            )


def _version(name: str) -> str:
    """Return the installed version of a distribution; empty if it is not installed, or states none."""
    if name.lower() == OWN:
        return __version__
    try:
        return version(name) or ""
    except (PackageNotFoundError, KeyError, UnicodeDecodeError):
        return ""
