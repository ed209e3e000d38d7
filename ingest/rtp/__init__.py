"""RTP of an interleaved RTSP connection to access units: H.264 (RFC 6184), H.265 (RFC 7798). Pure."""
