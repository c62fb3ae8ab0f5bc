"""The routes, a module for each of Airflow's resources."""
