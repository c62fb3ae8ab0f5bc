"""DECIDES, pure: no clock, file, database, log or thread in here."""
