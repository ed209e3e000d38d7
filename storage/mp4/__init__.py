"""ISO base media boxes (ISO/IEC 14496-12): as much as cutting and joining our own fragments takes. Pure."""

from storage.mp4.boxes import Box, box, boxes, find, full_box
from storage.mp4.errors import Mp4Error
from storage.mp4.fragment import patch_fragment
from storage.mp4.init import merge_inits
from storage.mp4.sidx import sidx

__all__ = ["Box", "Mp4Error", "box", "boxes", "find", "full_box", "merge_inits", "patch_fragment", "sidx"]
