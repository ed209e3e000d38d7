"""What this machine carries, beside its peers and its floor."""
