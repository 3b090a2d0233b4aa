"""Hostile inputs: cases, catalogs, workbooks, run folders and plugins that are bent by lot, and runs tampered with leaf by leaf.

`python -m tests.fuzz --count 1000` tries a thousand inputs and says what friendshore does with them; `python -m tests.fuzz.tamper`
changes every figure of three runs and says which changes `verify` finds. The same seed gives the same inputs. How to read what they
print: docs/reference/testing.md.
"""
