"""The judge: what pictures have in common, and how good a style is.

`features.py` describes pictures by vectors; everything else is arithmetic on them. Nothing here
knows jobs, styles or bases: whoever has pictures can ask.
"""
