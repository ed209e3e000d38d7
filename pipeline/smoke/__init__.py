"""The check from camera to clip: black-box, like staff, against its own join and decoder."""
