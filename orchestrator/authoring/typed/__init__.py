"""Values of an author's classes, of numpy, pandas and Arrow, as tagged JSON."""
