"""Whatever the native client does not speak, by way of FFmpeg's libraries (PyAV), one thread per camera."""
