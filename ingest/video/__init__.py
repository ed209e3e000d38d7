"""H.264 and H.265 as far as recording needs them: NAL units, parameter sets, codec names. Pure."""
