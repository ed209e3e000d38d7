"""Recording: sealed segments by way of the spool to the store and the catalogue; every camera's time accounted for."""

from storage.recording.camera import CameraRecording
from storage.recording.key_keeper import KeyKeeper
from storage.recording.recorder import Recorder, open_recorder
from storage.recording.staged import staged_recording
from storage.recording.stats import Problems, RecorderStats

__all__ = ["CameraRecording", "KeyKeeper", "Problems", "Recorder", "RecorderStats", "open_recorder", "staged_recording"]
