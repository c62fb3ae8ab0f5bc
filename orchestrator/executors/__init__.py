"""Where activities run: one module for each Executor."""
