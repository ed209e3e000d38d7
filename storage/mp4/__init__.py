"""ISO base media boxes (ISO/IEC 14496-12): as much as cutting, joining and checking our own fragments takes. Pure."""

from storage.mp4.boxes import Box, box, boxes, find, full_box
from storage.mp4.describe import describe_init
from storage.mp4.errors import Mp4Error
from storage.mp4.fragment import patch_fragment
from storage.mp4.init import merge_inits
from storage.mp4.moof import Moof, parse_moof
from storage.mp4.sidx import sidx
from storage.mp4.walker import Walked, Walker

__all__ = [
    "Box",
    "Moof",
    "Mp4Error",
    "Walked",
    "Walker",
    "box",
    "boxes",
    "describe_init",
    "find",
    "full_box",
    "merge_inits",
    "parse_moof",
    "patch_fragment",
    "sidx",
]
