"""Sensors, as a DAG file imports them; the modules are named as those of Airflow's standard provider."""
