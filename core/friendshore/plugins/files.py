"""Hashes of the files of a plugin: code, data, manifest, and compiled modules. Each of them can decide a result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from stat import S_ISREG

from ..errors import FriendshoreError
from .interface import OWN
from .manifest import PluginInfo, normal
from .packages import folders_of
from .registry import Registry

SHORT = 16
"""Digits kept of the hash of one file where a digest of them all stands beside it: enough to tell which one changed."""
_CACHE = "__pycache__"
"""What Python writes itself, from the source beside it."""
_ABOUT = (".dist-info", ".egg-info")
"""Folders of metadata, which differ from one installer to the next."""


def kind_digest(registry: Registry, kind: str) -> str:
    """The digest over every file of the plugin that brings a kind of rule; empty: it is friendshore's own, or was given in memory.

    Raises:
        PluginError: if no plugin brings it, more than one does, or the one that does is broken or blocked.
    """
    owner = registry.owner(kind).partition(" ")[0]
    return digest_of(plugin_files(registry, owner)) if owner != OWN else ""


def plugin_files(registry: Registry, distribution: str) -> dict[str, str]:
    """The files of all plugins of a distribution, each with its SHA-256; nothing for what was given in memory."""
    found: dict[str, str] = {}
    for info in registry.plugins:
        if info.package and normal(info.distribution) == normal(distribution):
            found |= package_files(info)
    return dict(sorted(found.items()))


def package_files(info: PluginInfo) -> dict[str, str]:
    """Every file of a plugin by its path from the folder that its package lies in, with its SHA-256.

    The files in the folders of its package, and those that its distribution has installed beside them: further packages and single modules.
    An editable installation doesn't list what lies beside. What Python keeps in `__pycache__` is left out.
    """
    found: dict[str, str] = {}
    for folder in _folders(info):
        for path in _within(folder, frozenset()):
            found[path.relative_to(folder.parent).as_posix()] = _hash(path)
    for name, path in _beside(info):
        if name not in found and path.exists():
            found[name] = _hash(path)
    return dict(sorted(found.items()))


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over the names and hashes of files; empty where there are none."""
    text = json.dumps(sorted(files.items()), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest() if files else ""


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is new, gone or changed between two sets of hashes by name, in words; a hash may be the beginning of the other."""
    found = []
    for name in sorted({*before, *now}):
        if name not in before:
            found.append(f"{name} is new")
        elif name not in now:
            found.append(f"{name} is gone")
        elif not (before[name].startswith(now[name]) or now[name].startswith(before[name])):
            found.append(f"{name} changed")
    return found


def _folders(info: PluginInfo) -> list[Path]:
    """The folders of its package: the one of its manifest, and the others of a package that lies in several."""
    home = [Path(info.file).parent] if info.file else []
    try:
        others = folders_of(info.package)
    except FriendshoreError:  # a plugin's folder that is not installed
        others = []
    # One of the same name that is installed elsewhere is not what this one runs.
    return list(dict.fromkeys([*home, *others])) if not home or home[0] in others else home


def _within(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """All files below a folder, through links too; a link back to where it lies is followed once."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # what cannot be read cannot be run either
        return
    for path in entries:
        if path.is_dir():
            if path.name != _CACHE:
                yield from _within(path, above | {here})
        else:
            yield path


def _beside(info: PluginInfo) -> Iterator[tuple[str, Path]]:
    """What the distribution of an installed plugin says that it has installed, its metadata and programs left out."""
    try:
        found = distribution(info.distribution)
    except (PackageNotFoundError, ValueError):
        return
    home = Path(str(found.locate_file(info.package)))
    if not info.file or os.path.realpath(home) != os.path.realpath(Path(info.file).parent) or _editable(found):
        return
    for file in found.files or ():
        first = file.parts[0]
        if first not in ("..", "/") and not first.endswith(_ABOUT) and _CACHE not in file.parts:
            yield file.as_posix(), Path(str(found.locate_file(file)))


def _editable(found: Distribution) -> bool:
    """Whether a distribution is used from its source, so that only links to it were installed."""
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
    except (ValueError, RecursionError):  # a file that pip did not write
        return False
    return isinstance(told, dict) and bool(dict(told.get("dir_info") or {}).get("editable"))


def _hash(path: Path) -> str:
    """SHA-256 of a file; of what is none, or cannot be read, a word that no hash is."""
    try:
        if not S_ISREG(path.stat().st_mode):
            return "no regular file"
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return "unreadable"
