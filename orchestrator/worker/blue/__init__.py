"""The blue processes, in which the code of workflows runs: replayed, and free of effects of its own."""
