"""Screening lists as their publishers hand them out, read whole or not at all: every mistake of a file at once, each with its line."""
