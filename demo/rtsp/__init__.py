"""An RTSP 1.0 server of our own, over TCP, that can also misbehave."""
