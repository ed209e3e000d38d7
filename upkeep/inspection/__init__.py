"""Examines whole objects: whether a recorder sealed them, their rows agree, and their chains hold."""

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
