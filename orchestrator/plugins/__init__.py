"""Plugins: what people add to this program, by hooks. A plugin marks its functions with ``orchestrator.hookimpl``."""

ENTRY_POINTS = "orchestrator.plugins"
"""The group in which installed packages name their plugins."""
