"""Live pictures for staff: looks at cameras as they are now, by WebRTC or over the same HTTPS connection."""
