"""Everything that is drawn on a terminal; rich is imported here and nowhere else."""
