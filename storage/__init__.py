"""What Safelight stores: records, tables, and the files in the data folder."""
