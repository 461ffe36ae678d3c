"""What is remembered: tables and their queries, one noun a file. Tables have no methods."""
