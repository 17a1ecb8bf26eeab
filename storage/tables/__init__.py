"""The database: a module for each table, with all its SQL."""
