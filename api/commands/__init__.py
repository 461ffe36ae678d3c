"""The verbs of `clearance`, one noun a file. Heavy libraries are imported inside the functions, so
that `clearance --help` answers at once."""
