"""Breaking steps in a process whose modules were imported with whole ones."""

from __future__ import annotations

import sys
from types import ModuleType

from runtime import failpoints


def users() -> list[ModuleType]:
    """Modules that hold the present ``hit``, runtime.failpoints among them: all are to be given another one."""
    return [module for module in list(sys.modules.values()) if getattr(module, "hit", None) is failpoints.hit]
