from tests.support.footage.recording import rig

__all__ = ["rig"]
