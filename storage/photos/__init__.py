"""A stranger's picture made safe: decoded apart, cleaned, judged."""
