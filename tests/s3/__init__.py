"""A real S3 server for tests and benches, and a proxy that spoils what passes through it."""
