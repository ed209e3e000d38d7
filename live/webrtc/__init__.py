"""Pictures by WebRTC, with aiortc: the camera's H.264 as it is."""
