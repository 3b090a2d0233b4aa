"""Questions and commands by name as manifests announce them, for help and completion: read as text, with nothing imported that takes its time.

What is wrong with a manifest is no matter here: the registry says it to whoever asks for something of its plugin.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

MANIFEST = "friendshore.toml"
"""As plugins have it, and friendshore itself."""
_GROUP = "[friendshore]"


def own_questions() -> dict[str, str]:
    """Friendshore's own questions by name, with a line on what each answers."""
    return _announced(Path(__file__).parents[1], "questions")


def announced_questions() -> dict[str, str]:
    """Return the questions of all installed plugins by name, each with a line on what it answers, sorted by name."""
    return _of_all("questions")


def announced_commands() -> dict[str, str]:
    """Return the commands of all installed plugins by name, such as `case to-sql`, each with a line of help, sorted by name."""
    return _of_all("commands")


def _of_all(key: str) -> dict[str, str]:
    return dict(sorted((name, line) for dist in distributions() for name, line in _of(dist, key)))


def _of(dist: Distribution, key: str) -> Iterator[tuple[str, str]]:
    with suppress(OSError, ValueError, ImportError, AttributeError):
        text = dist.read_text("entry_points.txt") or ""
        for package in _packages(text) if _GROUP in text else ():
            spec = find_spec(package)
            for folder in (spec.submodule_search_locations if spec is not None else None) or ():
                if (Path(folder) / MANIFEST).is_file():
                    yield from _announced(Path(folder), key).items()


def _packages(text: str) -> Iterator[str]:
    """The top-level packages that entry points of our group name."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line
        elif group == _GROUP and "=" in line:
            yield line.partition("=")[2].strip().partition(":")[0].partition(".")[0]


def _announced(folder: Path, key: str) -> dict[str, str]:
    """Return a table of the manifest in a folder.

    Raises:
        OSError, ValueError: If it can't be read.
    """
    lines = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8-sig")).get(key, {})
    return {str(name): str(line) for name, line in lines.items()}
