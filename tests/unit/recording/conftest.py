from tests.support.recording import rig

__all__ = ["rig"]
