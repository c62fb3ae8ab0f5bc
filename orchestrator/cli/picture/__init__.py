"""A DAG as a picture: where everything stands, and how it is drawn."""
