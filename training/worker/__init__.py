"""The process that owns one device, and the files by which the scheduler speaks to it."""
