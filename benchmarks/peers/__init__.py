"""What one would pick instead, run beside ours."""
