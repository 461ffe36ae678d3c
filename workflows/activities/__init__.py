"""What the process does to the world, one file a stage: load, judge, append, return."""
