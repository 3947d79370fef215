from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "arrival_unread": (
        "看不懂。请扫就诊单二维码，或输入证件号码，或“手机尾号 姓名”。",
        "Not understood. Scan the slip, or give a document number, or the phone's last four and the name.",
    ),
    "nobody_arrives": ("今天没有此人的预约。", "Nothing is booked for this person today."),
    "arrival_ambiguous": (
        "不止一位患者符合，请用证件号码签到。",
        "More than one patient fits; check in by document number.",
    ),
    "turnover_open": (
        "上一位患者检查后的清场未完成；急诊也须先完成。",
        "The turnover after the patient before is not complete; an emergency waits for it too.",
    ),
    "turnover_not_due": (
        "检查还没有结束，请结束后再签清场。",
        "The exam is still going on; sign its turnover when it is over.",
    ),
    "turnover_signed": ("这一项已有人签过。", "Somebody has signed this item already."),
    "turnover_not_signed": ("这一项还没有人签。", "Nobody has signed this item yet."),
    "turnover_means": ("请选择探头消毒所用的方式。", "Say what the probe was disinfected with."),
    "self_test_failed": ("机器人最近一次自检未通过。", "The robot's newest self-test did not pass."),
    "tablet_unseen": (
        "检查室的床旁平板 12 小时内没有用过。",
        "The room's bedside tablet was not used within 12 hours.",
    ),
    "queue_empty": ("没有等候叫号的患者。", "Nobody waits to be called."),
    "not_waiting": ("此患者不在候诊。", "This patient is not waiting."),
    "not_called": ("还没有叫过此号。", "This number was not called yet."),
    "no_gap_today": ("今天没有可用的空档，请另约时间。", "No gap is left today; book another time."),
    "bedside_physician_needed": (
        "这项检查须由床旁医师接手，您的岗位不能接手。",
        "This exam needs a bedside physician; your role can't take it over.",
    ),
    "two_different_physicians": (
        "远程医师与床旁医师不能是同一人。",
        "The remote and the bedside physician must be two people.",
    ),
    "views_unaccounted": (
        "有标准切面既没有图像也没有原因，请先补充原因。",
        "Some standard views have neither a picture nor a reason; give the reasons first.",
    ),
    "illegal_transition": ("检查当前状态不允许此操作。", "The exam's state does not allow this."),
    "request_closed": (
        "这份申请已有处理结果，不能再改动。",
        "This request has been decided and can't be changed.",
    ),
    "offer_over": (
        "这个时间已不再为您保留；您仍在候补名单上，有空位时会再通知您。",
        "This time is no longer kept for you; you stay on the waiting list and will be told of the next one.",
    ),
    "bad_days": ("日期范围有误。", "The days are not in order, or too far away."),
    "cannot_displace": (
        "所选时间有不能让出的检查（患者已签到、本身是急诊，或属于其他机构），请另选时间或人员。",
        "Something there can't give way: its patient has arrived, it is urgent itself, or another institution's. Choose"
        " another time or other people.",
    ),
    "not_due_yet": (
        "预约时间还没到，患者可能在路上；现在不能记为未到。",
        "The exam's time has not come; the patient may be on the way and is not a no-show yet.",
    ),
    "changed_meanwhile": (
        "这项检查已被他人改动，请按现在的时间、人员和房间再决定。",
        "Somebody changed this exam meanwhile; decide again from the time, people and room it has now.",
    ),
    "agreement_missing": (
        "两院之间没有覆盖当日此项服务的有效协议。",
        "No effective agreement between the hospitals covers this service on that day.",
    ),
    "licence_invalid": (
        "远程医师的执业资格不满足要求。",
        "The remote physician's licence does not allow this.",
    ),
    "identifiers_bedside_missing": (
        "床旁尚未核对两项身份信息。",
        "The bedside has not confirmed two identifiers.",
    ),
    "identifiers_remote_missing": (
        "远程医师尚未核对两项身份信息。",
        "The remote physician has not confirmed two identifiers.",
    ),
    "checklist_missing": ("床旁核对单尚未填写。", "The bedside checklist is not answered."),
    "checklist_not_agreed": (
        "核对单有异常项，需双方医师共同决定。",
        "The checklist raises concerns; both physicians must agree.",
    ),
    "consent_missing": ("缺少本次检查的有效书面知情同意。", "No valid written consent for this exam."),
    "robot_overdue": ("机器人维护或校准已过期。", "The robot's maintenance or calibration is overdue."),
    "self_test_missing": ("机器人自检未通过或未进行。", "The robot's self-test is missing or has failed."),
    "bedside_absent": (
        "床旁医师不在场（页面未连接）。",
        "The bedside physician is not present (page not connected).",
    ),
    "link_poor": ("链路质量未测或未达标。", "The link has not been measured or is not good enough."),
    "lease_missing": ("尚未取得控制权。", "Control has not been taken."),
    "taken": ("所选时间已被占用。", "The chosen time is taken."),
    "console_absent": ("请先在检查页面建立连接。", "Open the exam page and connect first."),
    "identifiers_too_few": ("须核对至少两项不同的身份信息。", "Confirm at least two different identifiers."),
    "identifiers_unknown": ("含有无法识别的身份信息项。", "Unknown kind of identifier."),
    "checklist_incomplete": ("核对单有未回答的项目。", "The checklist has unanswered items."),
    "checklist_no_concerns": ("核对单没有需要共同决定的项目。", "The checklist raises nothing to agree on."),
    "same_person": ("远程医师与床旁医师不能是同一人。", "Remote and bedside physician must be two people."),
    "same_institution": (
        "远程医师须来自另一机构。",
        "The remote physician must come from another institution.",
    ),
    "wrong_role": ("所选人员不具备该角色。", "The chosen person does not have that role."),
    "in_the_past": ("开始时间已过。", "The start time is in the past."),
    "unknown_resource": (
        "所选资源不存在或不可用。",
        "The chosen resource does not exist or is not available.",
    ),
    "reason_required": ("请填写原因。", "Please give a reason."),
    "report_not_possible": (
        "检查结束后才能书写报告。",
        "A report can be written only after the exam has ended.",
    ),
    "unknown_message": ("未知的消息类型。", "Unknown message type."),
    "bad_message": ("消息内容有误。", "The message has wrong fields."),
    "transfer_refused": (
        "没有可提供的资料：须有患者指明贵机构的有效知情同意和两院之间的有效协议。",
        "Nothing to give: it takes the patient's active consent naming your institution and an effective agreement.",
    ),
    "exam_over": ("检查已结束。", "The exam is over."),
    "robot_refused": ("机器人拒绝了连接。", "The robot refused the connection."),
}
