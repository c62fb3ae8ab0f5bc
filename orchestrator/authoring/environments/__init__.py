"""Environments of Python other than the worker's own: how they are built, kept, and how a function is run in one."""
