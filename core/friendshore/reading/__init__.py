"""Reading what people write: tables and keys with their lines, cells of every kind, and all mistakes at once."""
