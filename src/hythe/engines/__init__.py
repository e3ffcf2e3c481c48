"""Things that can run a container group."""
