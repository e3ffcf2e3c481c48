"""What one sees and does inside a group: logs, commands, attaching, ports, files."""

from .streams import Streams

__all__ = ["Streams"]
