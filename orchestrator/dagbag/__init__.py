"""FROM FILES TO DAGS: which files there are, what they define, and which version of the code that is."""
