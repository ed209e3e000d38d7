"""Recording: sealed segments by way of the spool to the store and the catalogue; every camera's time accounted for."""

from ingest.recording.camera import CameraRecording
from ingest.recording.key_keeper import KeyKeeper
from ingest.recording.recorder import Recorder, open_recorder
from ingest.recording.staged import staged_recording
from ingest.recording.stats import RecorderStats

__all__ = ["CameraRecording", "KeyKeeper", "Recorder", "RecorderStats", "open_recorder", "staged_recording"]
