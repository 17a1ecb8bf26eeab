"""Figures: each module prints one table; `RESULTS.md` keeps them with their date and machine."""
