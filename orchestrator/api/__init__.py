"""The REST API: Airflow's resources under ``/api/v2``, what a history makes possible beside them, and who may ask."""
