"""Putting the parts together: the only place that knows every class.

Each module assembles one thing and imports what that needs, so that a command costs what it uses: ``home`` for those
who read and ask.
"""
