"""The ``airflow.*`` import surface over this program's own names.

``tables`` say what each of Airflow's modules has, and by what name that goes here: data, one line for each name.
``catalog`` answers what a name is, ``finder`` serves imports, and ``imports`` and ``keywords`` read what a file would
ask for without running it.
"""
