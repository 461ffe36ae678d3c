"""Tests of the data plane: real files, real bytes, independent readers."""
