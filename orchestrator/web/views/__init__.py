"""What pages show, as plain structs: each is built by one function of a home, and tested without a browser."""
