"""Random mutations of an installed plugin: manifest, code, data, and installation record."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random

from . import tables, texts, tomltext, trees

CODE = (
    "raise RuntimeError('at import')", "raise SystemExit(0)", "raise KeyboardInterrupt", "import sys; sys.exit('gone')", "import os; os._exit(0)",
    "import os; os.abort()", "import nowhere", "def f(:", "print('{')\nimport sys; sys.stdout.write('x')", "import sys; sys.setrecursionlimit(50)",
    "def f(n): return f(n + 1)\nf(0)", "x = [0] * 10**12", "import warnings; warnings.warn('old')", "\0", "raise BaseException('odd')",
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()", "raise Exception('\x1b[31mred')",
    "import atexit; atexit.register(print, '{')", "import os; os.write(1, b'{')",
    "import threading, time; threading.Thread(target=lambda: (time.sleep(0.5), print('{'))).start()", "import os; os.close(1)",
    "import sys; sys.__stdout__.write('{')", "import sys; sys.stdout = sys.stderr = None",
)  # fmt: skip
"""Code of a package that misbehaves on import."""
HOOKS = {
    "yield KnownOwner": (
        "raise RuntimeError('in a hook')", "raise SystemExit(3)\n    yield", "return None", "yield 1\n    yield None",
        "yield KnownOwner\n    yield KnownOwner",
    ),
    "return PASS": (
        "import random; return random.choice((PASS, Verdict(result=Result.FAIL, rule='', clause='', reason='')))",
        "return None", "raise KeyError('in judge')", "raise SystemExit(0)",
        "return Verdict(result=Result.FAIL, rule='', clause='', reason='')", "offer.facility.__dict__['parent'] = 'x'; return PASS",
    ),
    "return f\"All": tuple(f"{line}\n        return f\"All" for line in (
        "raise ValueError('no sentence')", "return None", "return '\\x1b[31m' + '|[x](http://example.org)'",
    )),
    "end_uses: tuple[str, ...] = ()": ("end_uses: tuple[str, ...]", "end_uses: object = object()"),
    "def friendshore_rules()": ("def friendshore_rules(unwanted: int)",),
    "class KnownOwner(Rule)": ("class KnownOwner",),
    '"acme-x-known-owner"': ('"origin-ban"',),
}  # fmt: skip
"""Text in the plugin's code -> replacements."""


def mutate(site: Path, rng: Random) -> None:
    """Mutate the plugin in a folder of installed distributions."""
    package = next(path for path in sorted(site.iterdir()) if (path / "friendshore.toml").is_file())
    code = package / "__init__.py"
    match rng.randrange(9):
        case 0 | 1:
            text = code.read_text(encoding="utf-8")
            code.write_text(text + rng.choice(CODE) if rng.random() < 0.5 else rng.choice(CODE), encoding="utf-8")
        case 2 | 3 | 4:
            old, new = rng.choice([(old, new) for old, news in HOOKS.items() for new in news])
            text = code.read_text(encoding="utf-8")
            assert old in text, f"`plugins new` no longer writes {old}"
            code.write_text(text.replace(old, new), encoding="utf-8")
        case 5 | 6:
            file = package / "friendshore.toml"
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            trees.mutate(data, rng, rng.choice((1, 2)))
            file.write_text(tomltext.toml_text(data), encoding="utf-8", errors="surrogatepass")
        case 7:
            file = rng.choice(sorted(path for path in site.rglob("*") if path.is_file()))
            file.write_bytes(texts.mutate_bytes(file.read_bytes(), rng))
        case _:
            file = rng.choice(sorted(package.rglob("*.csv")))
            rows = tables.read(file.read_text(encoding="utf-8"))
            tables.mutate(rows, rng, 1)
            file.write_text(tables.written(rows, rng), encoding="utf-8", errors="surrogatepass")
