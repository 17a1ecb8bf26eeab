"""Commands, one file a group; a module in this folder with a `setup` is found and loaded."""
