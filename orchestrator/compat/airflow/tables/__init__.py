"""What each of Airflow's modules has, and what that is here: data, one file for each family."""
