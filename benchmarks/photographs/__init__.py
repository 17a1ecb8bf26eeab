"""Photographs on the embedded base: what makes their subject recognisable."""
