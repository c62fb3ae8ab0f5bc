"""Where histories, projections and tables of record live: SQLite or PostgreSQL, through SQLAlchemy."""
