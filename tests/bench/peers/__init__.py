"""Peers: the textbook program in other libraries, written as their experts would."""
