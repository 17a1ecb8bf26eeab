"""The tables: one module each, and all SQL there is."""
