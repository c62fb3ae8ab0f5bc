"""Hooks: how operators and task bodies reach other systems, through a connection."""
