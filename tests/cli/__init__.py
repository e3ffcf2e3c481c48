"""Tests the command line, in this process where that is enough and as a program where it is not."""
