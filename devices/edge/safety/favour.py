"""What the operating system can do for a process that must not be late; each refusal is said, none is fatal."""

from __future__ import annotations

import ctypes
import gc
import logging
import os

log = logging.getLogger("edge.safety")
FIFO_PRIORITY = 20  # above the simulated arm's box (10), below the kernel's own threads (50); design value
LINK_PRIORITY = 5  # before pictures and everything else, behind the arm and its safety; design value
NICE = -20
MCL_CURRENT, MCL_FUTURE = 1, 2  # <sys/mman.h>
PR_SET_TIMERSLACK = 29  # <sys/prctl.h>
TIMER_SLACK_NS = 1  # 50 us otherwise, whenever real-time scheduling is refused


def favour() -> str:
    """Real-time scheduling, memory that stays, timers that fire in time. Returns "fifo", "nice" or "normal"."""
    scheduling = _schedule(FIFO_PRIORITY)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        log.info("memory not locked: %s", os.strerror(ctypes.get_errno()))
    gc.collect()
    gc.freeze()  # what exists now never dies: later collections need not look at it
    log.info("scheduling: %s", scheduling)
    return scheduling


def favour_link() -> str:
    """The link's share: a command that has arrived does not wait until a picture is coded. Returns as ``favour``.

    A flood from the network can then starve pictures, after which the arm holds; never the safety process, which
    stands above.
    """
    return _schedule(LINK_PRIORITY)


def _schedule(priority: int) -> str:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        return "fifo"
    except (OSError, AttributeError) as error:
        log.info("no real-time scheduling: %s", error)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        return "nice"
    except OSError as error:
        log.info("no better priority: %s", error)
    return "normal"
