"""Problems whose optimum is known from elsewhere, as cases and as textbook programs, and a table of both."""
