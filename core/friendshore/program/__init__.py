"""A problem as arrays: columns, rows and who asked for each."""

from .compile import Choices, Program, compile_program

__all__ = ["Choices", "Program", "compile_program"]
