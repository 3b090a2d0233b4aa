"""Problems with published optima, as cases and as textbook programs, and a table of both."""
