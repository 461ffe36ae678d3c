"""The routes, one noun a file; a route's schemas stand at the top of its file."""
