"""Slash commands, one file a group; a module here that has a `setup` is loaded."""
