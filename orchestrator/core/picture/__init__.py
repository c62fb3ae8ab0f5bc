"""A DAG as a picture: where everything stands, for whoever draws it."""
