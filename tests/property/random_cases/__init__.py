"""The parts of random tiny cases."""
