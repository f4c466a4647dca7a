"""What one file may contain."""

from __future__ import annotations

#: The values of one file. Nested aliases multiply, so a short file can exceed this.
MAX_VALUES = 4_000_000
MAX_DEPTH = 200
#: Most digits of an integer. Python's own limit is 4300, because parsing takes quadratic time.
MAX_DIGITS = 400
TOO_MANY_DIGITS = f"an integer has more than {MAX_DIGITS} digits"
#: Bytes of one file; the largest published API descriptions have 40 MB.
MAX_FILE_BYTES = 44 * 1024 * 1024
