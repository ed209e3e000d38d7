"""From door events to tags on footage."""
