"""The models one can start from: which there are, and those that are loaded."""
