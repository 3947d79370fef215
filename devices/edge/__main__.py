"""``python -m devices.edge``: the same as the console script ``edge``."""

from __future__ import annotations

import sys

from devices.edge.cli import main

if __name__ == "__main__":
    sys.exit(main())
