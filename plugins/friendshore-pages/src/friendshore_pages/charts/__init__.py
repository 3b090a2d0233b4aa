"""Charts of a run, next to tables of the same numbers. Kilograms of different materials are never added."""
