"""A problem as arrays: columns, rows and who asked for each."""

from .compile import Program, compile_program

__all__ = ["Program", "compile_program"]
