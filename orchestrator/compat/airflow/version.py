"""The releases of Airflow whose names are served."""

VERSION = "3.3.2"
SDK_VERSION = "1.3.2"
