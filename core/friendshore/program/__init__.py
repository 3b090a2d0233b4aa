"""Problems as linear programs: columns, rows, and the owner of each row."""

from .compile import Choices, Program, compile_program

__all__ = ["Choices", "Program", "compile_program"]
