"""PROCESSES: how one process of this program starts another: by a new interpreter, or by a fork of the seed."""
