"""What crosses the wire: ids, versions, faults, lenient reading and the rules of polling.  Pure."""
