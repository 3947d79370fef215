"""What is loaded once is not looked through again; what is made and dropped in circles still goes."""

from __future__ import annotations

import subprocess
import sys

CHECKED = """
import gc, weakref
from hospital.common.garbage import NEW_OBJECTS, settled

class Knot:
    pass

loaded = [Knot() for _ in range(1000)]
settled()
assert gc.get_freeze_count() > 1000, gc.get_freeze_count()
dropped = Knot()
dropped.itself = dropped
gone = weakref.ref(dropped)
del dropped
assert gone() is not None
kept = [[] for _ in range(2 * NEW_OBJECTS)]
assert gone() is None
"""


def test_a_server_keeps_what_it_loaded_out_of_the_collectors_way_and_loses_no_memory() -> None:
    done = subprocess.run([sys.executable, "-c", CHECKED], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
