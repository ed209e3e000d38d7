"""A process of its own with libvlc: a paused player is sought to each time. JSON in and out, as ``gst_seek.py``."""

import base64
import ctypes
import json
import sys
import threading
import time

LOCK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
UNLOCK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
DISPLAY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_WAIT_S = 5.0
_SETTLED_S = 0.35  # no other picture for so long
_OPTIONS = [b"--intf=dummy", b"--no-audio", b"--no-osd", b"--no-spu", b"--no-video-title-show", b"--avcodec-hw=none"]
_OPTIONS += [b"--quiet", b"--no-drop-late-frames", b"--no-skip-frames"]
_OPTIONS += [b"--avcodec-threads=1"]  # several hold pictures back


class Screen:
    """The picture that was displayed last."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.buffer = ctypes.create_string_buffer(width * height * 4)
        self.changed = threading.Condition()
        self.shown = b""
        self.count = 0
        self.callbacks = (LOCK(self._lock), UNLOCK(lambda *_: None), DISPLAY(self._display))

    def _lock(self, _opaque, planes):
        planes[0] = ctypes.addressof(self.buffer)
        return

    def _display(self, _opaque, _picture):
        with self.changed:
            self.shown = self.buffer.raw[: self.width * self.height * 4]
            self.count += 1
            self.changed.notify_all()

    def settled(self, since: int) -> bool:
        """Whether a picture was displayed after ``since`` and then no other one for a while.

        A paused VLC displays its picture again and again.
        """
        deadline = time.monotonic() + _WAIT_S
        with self.changed:
            if not self.changed.wait_for(lambda: self.count > since + 1, _WAIT_S):
                return False
            last, until = self.shown, time.monotonic() + _SETTLED_S
            while time.monotonic() < min(until, deadline):
                self.changed.wait(0.05)
                if self.shown != last:
                    last, until = self.shown, time.monotonic() + _SETTLED_S
        return True

    def first(self) -> bool:
        """Wait for the first picture."""
        with self.changed:
            return self.changed.wait_for(lambda: self.count > 0, _WAIT_S)

    def grey(self) -> dict[str, object]:
        rows = self.shown[1::4]  # RV32: the green bytes
        return {"width": self.width, "height": self.height, "grey": base64.b64encode(rows).decode()}


def main(path: str, width: int, height: int, *more: str) -> None:
    vlc = ctypes.CDLL("libvlc.so.5")
    for name in ("libvlc_new", "libvlc_media_new_path", "libvlc_media_player_new_from_media"):
        getattr(vlc, name).restype = ctypes.c_void_p
    options = [*_OPTIONS, *[item.encode() for item in more]]
    instance = ctypes.c_void_p(vlc.libvlc_new(len(options), (ctypes.c_char_p * len(options))(*options)))
    media = ctypes.c_void_p(vlc.libvlc_media_new_path(instance, path.encode()))
    player = ctypes.c_void_p(vlc.libvlc_media_player_new_from_media(media))
    screen = Screen(width, height)
    vlc.libvlc_video_set_callbacks(player, *screen.callbacks, None)
    vlc.libvlc_video_set_format(player, b"RV32", width, height, width * 4)
    vlc.libvlc_media_player_play(player)
    if not screen.first():
        return
    vlc.libvlc_media_player_set_pause(player, 1)
    time.sleep(0.5)
    for at_s in json.load(sys.stdin):
        for _ in range(2):  # a busy VLC loses a request now and then
            since = screen.count
            vlc.libvlc_media_player_set_time(player, ctypes.c_int64(round(at_s * 1000)))
            if done := screen.settled(since):
                break
        print(json.dumps(screen.grey() if done else {"note": "nothing new was shown"}), flush=True)
    vlc.libvlc_media_player_stop(player)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
