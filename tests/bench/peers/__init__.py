"""The peers: the textbook program, written as an expert of each library would."""
