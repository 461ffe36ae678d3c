"""The process, as Temporal runs it."""
