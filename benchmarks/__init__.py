"""The figures that the design promises, each measured beside a floor of the same machine in the same run."""
