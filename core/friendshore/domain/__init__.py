"""Facts, plans and changes: frozen records that know no solver, no file and no rule."""
