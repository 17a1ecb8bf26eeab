"""Sets of photos with captions in folders and zips: read as other tools leave them, and packed."""
