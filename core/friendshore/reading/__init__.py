"""Reading of files: tables and keys with their lines, typed cells, and all errors at once."""
