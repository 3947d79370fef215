"""Writes of an exam's life. Each is one transaction; each state change goes through the table in `states`."""

from __future__ import annotations

from .arrival import arrival_check_in, exam_check_in, queue_call, queue_call_next, queue_pass
from .booking import exam_book, exam_cancel, exam_hold, exam_hold_release, exam_move, exam_no_show
from .displacing import exam_displace
from .hand_over import bedside_change, bedside_take
from .own import own_move, own_times
from .preparation import (
    checklist_agree,
    checklist_answer,
    consent_gone,
    exam_consent,
    exam_consent_withdraw,
    exam_identify,
    exam_ready,
    exam_self_test,
)
from .requests import request_add, request_book, request_decline, request_fee, request_withdraw
from .running import (
    exam_abort,
    exam_end,
    exam_pause,
    exam_pause_by_system,
    exam_reported,
    exam_resume,
    exam_start,
    lease_give_back,
    lease_take,
)
from .turning_over import turnover_sign, turnover_take_back
from .waiting import (
    offer_accept,
    offer_accept_by_link,
    offer_expire,
    offer_refuse,
    offer_refuse_by_link,
    serve_later,
    waiting_add,
    waiting_serve,
)
from .walk_in import walk_in

__all__ = [
    "arrival_check_in",
    "bedside_change",
    "bedside_take",
    "checklist_agree",
    "checklist_answer",
    "consent_gone",
    "exam_abort",
    "exam_book",
    "exam_cancel",
    "exam_check_in",
    "exam_consent",
    "exam_consent_withdraw",
    "exam_displace",
    "exam_end",
    "exam_hold",
    "exam_hold_release",
    "exam_identify",
    "exam_move",
    "exam_no_show",
    "exam_pause",
    "exam_pause_by_system",
    "exam_ready",
    "exam_reported",
    "exam_resume",
    "exam_self_test",
    "exam_start",
    "lease_give_back",
    "lease_take",
    "offer_accept",
    "offer_accept_by_link",
    "offer_expire",
    "offer_refuse",
    "offer_refuse_by_link",
    "own_move",
    "own_times",
    "queue_call",
    "queue_call_next",
    "queue_pass",
    "request_add",
    "request_book",
    "request_decline",
    "request_fee",
    "request_withdraw",
    "serve_later",
    "turnover_sign",
    "turnover_take_back",
    "waiting_add",
    "waiting_serve",
    "walk_in",
]
