"""Random mutations of files as bytes and lines, and of folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from . import nasty


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    return rng.choice(CHANGES)(data, rng)


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 3, 20))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.choice((rng.randrange(256), *b'"\n,;=[]{}#\r\0'))
    return bytes(changed)


def _cut(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[min(len(data), start + rng.choice((1, 3, 20, 10**9))) :]


def _insert(data: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + rng.choice((nasty.text(rng), nasty.quantity(rng))).encode() + data[start:]


def _lines(data: bytes, rng: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[here]
        case 1:
            lines.insert(there, lines[here])
        case 2:
            lines[here], lines[there] = lines[there], lines[here]
        case _:
            lines[here] = b"\n"
    return b"".join(lines)


def _words(data: bytes, rng: Random) -> bytes:
    """Replace a word of the file by another."""
    words = data.replace(b",", b" ").replace(b'"', b" ").split()
    return data.replace(rng.choice(words), rng.choice(words), rng.choice((1, -1))) if words else data


def _encoding(data: bytes, rng: Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return rng.choice((
        b"\xef\xbb\xbf" + data, text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-32"),
        (text + "é").encode("latin-1", "replace"), data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"\r"), data + b"\x00" * 100, b"",
        data + b"\xff\xfe", data * 2, data.replace(b",", b";"), data.replace(b",", b"\t"), data.rstrip(b"\n"),
    ))  # fmt: skip


def _deep(data: bytes, rng: Random) -> bytes:
    count = rng.choice((450, 3000, 20_000))
    if rng.random() < 0.4:  # within, where it is JSON or an inline table
        return data.replace(b": ", b": " + b"[" * count + b"]" * count + b", ", 1)
    return data + b"\n" + rng.choice((
        b"x = " + b"[" * count + b"]" * count, b"x = " + b"{a=" * count + b"1" + b"}" * count, b".".join([b"a"] * count) + b" = 1",
        b"[" + b".".join([b"a"] * count) + b"]", b"x = " + b"9" * count, b"x = 1e" + b"9" * 20,
    ))  # fmt: skip


CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _cut, _insert, _insert, _lines, _lines, _lines, _words, _words, _words, _encoding, _deep,
)  # fmt: skip


def mutate_folder(folder: Path, rng: Random) -> None:
    """Mutate a file or folder below a folder, by any operation of the file system."""
    paths = sorted(path for path in folder.rglob("*") if not path.is_symlink())
    if not paths:
        return
    path = rng.choice(paths)
    way, other = rng.randrange(9), rng.choice(paths)
    if way == 0:
        name = rng.choice((path.name.upper(), path.name + ".bak", "x" * 200, "é\u0301 x", path.stem))
        path.rename(path.with_name(name))
    elif way == 1:
        (path if path.is_dir() else path.parent).joinpath("sub").symlink_to("..")
    elif way == 2:
        if path.is_file() and other.is_file():
            path.write_bytes(other.read_bytes())
    else:
        (shutil.rmtree if path.is_dir() else Path.unlink)(path)
        replacements: tuple[Callable[[], object], ...] = (
            lambda: None, path.mkdir, lambda: path.symlink_to("nowhere"), lambda: path.symlink_to(path.name), lambda: os.mkfifo(path),
            lambda: path.write_bytes(b""),
        )  # fmt: skip
        replacements[way - 3]()
