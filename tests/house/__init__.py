"""Measures of the source tree: sizes, comments, docstrings, tests, repetitions, imports between folders.

``python -m tests.house`` prints a table, ``--json`` the same as JSON; ``--revision REV`` puts an older
commit beside it.
tests/unit/test_house.py holds the limits.
"""
