"""Hostile inputs: randomly mutated cases, catalogs, workbooks, runs, and plugins, and runs with each leaf changed.

`python -m tests.fuzz --count 1000` tries a thousand inputs. `python -m tests.fuzz.tamper` changes leaves of three runs, and reports the changes
that `verify` accepts. The same seed gives the same inputs. The output is explained in docs/reference/testing.md.
"""
