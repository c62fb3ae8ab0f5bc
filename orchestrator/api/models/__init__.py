"""What is sent and answered, a module for each of Airflow's resources, under Airflow's names of fields."""
