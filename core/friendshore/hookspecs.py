"""The two hooks a plugin may implement, and the marker for its functions.

Most plugins need neither: a catalog or a rule pack is data, and a `friendshore.toml` that names its folder is all it takes.
Code is for what data cannot say: a rule of a new kind, or a catalog that is fetched or computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .rules.base import Rule

API = 1
"""Version of the plugin interface: of the manifest, these hooks, and what rules and catalogs look like."""

hookspec = pluggy.HookspecMarker("friendshore")
hookimpl = pluggy.HookimplMarker("friendshore")
"""Marks a plugin's function as the implementation of the hook that has its name."""


@hookspec
def friendshore_catalogs() -> Iterable[Path]:
    r"""Yields folders of catalogs that come to be only when asked for.

    Called when a case names a catalog that the manifest lists under `hook_catalogs`, not before. The name of a catalog is
    the `name` in its `catalog.toml`. A complete plugin, in three files:

    `pyproject.toml`:

    ```toml
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "friendshore-quotes"
    version = "1.0"
    dependencies = ["friendshore>=0.1,<0.2"]

    [project.entry-points.friendshore]
    quotes = "friendshore_quotes"
    ```

    `friendshore_quotes/friendshore.toml`:

    ```toml
    api = 1
    hook_catalogs = ["quotes"]
    ```

    `friendshore_quotes/__init__.py`:

    ```python
    from collections.abc import Iterator
    from pathlib import Path
    from tempfile import mkdtemp

    from friendshore.hookspecs import hookimpl


    @hookimpl
    def friendshore_catalogs() -> Iterator[Path]:
        folder = Path(mkdtemp())
        (folder / "catalog.toml").write_text(
            'schema = 1\nname = "quotes"\ntitle = "Our quotes"\nlicence = "internal"\nas_of = 2026-11-01\n'
        )
        yield folder
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only


@hookspec
def friendshore_rules() -> Iterable[type[Rule] | Path]:
    """Yields kinds of rules, and folders of rule packs that come to be only when asked for.

    Called when a case uses a kind that the manifest lists under `kinds`, or a pack that it lists under `hook_packs`. A rule
    is a frozen record with a `kind`, and one or more of the verbs `judge`, `charge` and `rows`. A complete plugin, in three
    files:

    `pyproject.toml`:

    ```toml
    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"

    [project]
    name = "friendshore-houserules"
    version = "1.0"
    dependencies = ["friendshore>=0.1,<0.2"]

    [project.entry-points.friendshore]
    houserules = "friendshore_houserules"
    ```

    `friendshore_houserules/friendshore.toml`:

    ```toml
    api = 1
    kinds = ["no-traders"]
    ```

    `friendshore_houserules/__init__.py`:

    ```python
    from collections.abc import Iterator
    from typing import Literal

    from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
    from friendshore.hookspecs import hookimpl
    from friendshore.rules.base import Rule


    class NoTraders(Rule):
        \"\"\"Nothing is bought from an offer that says nothing of where its goods were made.\"\"\"

        kind: Literal["no-traders"] = "no-traders"
        end_use: str = "defense"

        def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
            if use.end_use != self.end_use or offer.performed:
                return PASS
            return Verdict(result=Result.FAIL, rule=self.id, clause=self.citation, reason="a trader's offer")


    @hookimpl
    def friendshore_rules() -> Iterator[type[Rule]]:
        yield NoTraders
    ```

    A case then says:

    ```toml
    [[rule]]
    kind = "no-traders"
    end_use = "defense"
    ```
    """
    raise NotImplementedError  # a specification; pluggy calls the implementations only
