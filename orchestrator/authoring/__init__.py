"""WHAT A DAG FILE WRITES: DAGs, tasks, operators, and what a task sees while it runs."""
