"""What a process may still ask of the kernel: policies for decoding workers and for roles (README.md of `runtime`)."""
