"""A committed row is a claim until a role has verified its trailer: what is forged displaces nothing."""

from storage.claims.flaws import as_signed, row_flaw, signer_flaw, trailer_fits
from storage.claims.judge import Judge

__all__ = ["Judge", "as_signed", "row_flaw", "signer_flaw", "trailer_fits"]
