"""The collector of cyclic garbage, told what a server is: much that stays, little that is thrown away at a time."""

from __future__ import annotations

import gc

# Design values. Python looks through new objects at every 700 and through all, routes, models and schemas included,
# again and again: a tenth of a booking's time in `web` (deploy/bench booking), and a pause for every socket.
NEW_OBJECTS, SURVIVED, OLD = 50_000, 20, 20


def settled() -> None:
    """All that is loaded stays for the program's life and is not looked through again. Called once, after loading."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, SURVIVED, OLD)
