"""ISO base media boxes (ISO/IEC 14496-12), as far as writing, cutting and checking our own fragments needs. Pure."""

from storage.mp4.boxes import Box, box, boxes, find, full_box
from storage.mp4.describe import describe_init
from storage.mp4.errors import Mp4Error
from storage.mp4.group import GroupPart, GroupPlace, join_fragments
from storage.mp4.init import edit_list, merge_inits, picture_entries, sound_entries
from storage.mp4.moof import Moof, Run, mdat_head, parse_moof, write_moof
from storage.mp4.movie import SOUND_MIME, sound_trak, video_trak, write_init
from storage.mp4.parameter_sets import delay_of, parameter_sets
from storage.mp4.sidx import sidx
from storage.mp4.walker import Walked, Walker

__all__ = [
    "SOUND_MIME",
    "Box",
    "GroupPart",
    "GroupPlace",
    "Moof",
    "Mp4Error",
    "Run",
    "Walked",
    "Walker",
    "box",
    "boxes",
    "delay_of",
    "describe_init",
    "edit_list",
    "find",
    "full_box",
    "join_fragments",
    "mdat_head",
    "merge_inits",
    "parameter_sets",
    "parse_moof",
    "picture_entries",
    "sidx",
    "sound_entries",
    "sound_trak",
    "video_trak",
    "write_init",
    "write_moof",
]
