"""Model files on disk: the hub's cache, diffusers folders and single files."""
