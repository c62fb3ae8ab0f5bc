"""Auditing: the proof of a home's audit log."""

from orchestrator.assembly.home import Home
from orchestrator.storage.audit_proof import AuditProof


def proof_of(home: Home) -> AuditProof:
    """How far the chain was walked, asked in the name of whoever asks the home."""
    return AuditProof(home.engine, home.who)
