"""Charts of a run, one kind a module: each makes figures of what the run holds, beside the table of the same figures. Nothing is solved here.

Kilograms of different materials are never added up: what shows several materials at once shows money.
"""
