"""Simulated pictures, encoded."""
