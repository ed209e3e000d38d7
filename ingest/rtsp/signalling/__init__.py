"""RTSP messages without I/O: requests and replies, addresses, descriptions, and learned habits of a camera."""
