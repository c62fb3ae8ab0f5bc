"""The processes in which triggers run, as coroutines."""
