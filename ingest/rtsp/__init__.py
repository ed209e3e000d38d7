"""The native RTSP 1.0 client: a core without I/O, and a thin shell that reads large batches."""
