"""Keeping the promises over time: verify, reconcile, rebuild."""
