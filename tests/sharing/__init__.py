"""Tests of the business itself."""
