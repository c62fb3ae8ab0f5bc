"""What the program offers to tests, its own and yours."""
