"""Runs activities: one process, one activity after another."""
