"""RTSP messages without I/O: requests and replies, addresses, descriptions, and what a camera has shown of itself."""
