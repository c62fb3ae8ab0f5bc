"""How one schema becomes the next: Alembic's environment and the steps, forward only."""
