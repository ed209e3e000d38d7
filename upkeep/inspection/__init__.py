"""Looking at whole objects: is it what its recorder sealed, does its row say the truth, does its chain hold."""

from storage.catalogue.recorders import Recorders, read_recorders
from upkeep.inspection.chain import Break, ChainWatch
from upkeep.inspection.errors import BadObjectError, Flaw
from upkeep.inspection.objects import Inspected, inspect_object

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
