"""Charts of a run, one kind per module. Each draws numbers of the run next to a table of the same numbers, and solves nothing.

Kilograms of different materials are never added. Charts of several materials show money instead.
"""
