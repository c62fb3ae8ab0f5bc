"""Triggers, as a DAG file imports them; its modules are named as those of Airflow's standard provider."""
