"""THE SHELL: record, then act. It knows ports and core, and nothing of databases, files or processes."""
