"""The built-in operators; authors import them from orchestrator.operators."""
