"""The page in a browser that takes a dataset's photos, and what is behind it."""
