"""What Safelight remembers: its nouns, its tables and its folders."""
