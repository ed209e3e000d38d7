"""Looking at whole objects: is it what its recorder sealed, does its row say the truth, does its chain hold."""

from storage.inspection.chain import Break, ChainWatch
from storage.inspection.errors import BadObjectError, Flaw
from storage.inspection.objects import Inspected, inspect_object
from storage.inspection.recorders import Recorders, read_recorders

__all__ = [
    "BadObjectError",
    "Break",
    "ChainWatch",
    "Flaw",
    "Inspected",
    "Recorders",
    "inspect_object",
    "read_recorders",
]
