"""The check from camera to clip: black box, as staff would do it, against a join and a decoder of its own."""
