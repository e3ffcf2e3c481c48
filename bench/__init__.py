"""Measures what Hythe promises, on the machine that it runs on; compares in one run, interleaved, by medians."""
