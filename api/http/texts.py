"""What people type, as the database can hold it: PostgreSQL stores no NUL. Patterns for the shapes of requests."""

from __future__ import annotations

from typing import Final

LINE: Final = r"^[^\x00-\x1f]*$"
"""One line, without control characters."""
TEXT: Final = r"^[^\x00]*$"
"""Any number of lines."""
SOME_TEXT: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
"""The same, with something in it that can be read."""
