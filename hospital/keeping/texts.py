from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "retention_runs": (
        "保存期限未满，不能删除。",
        "The time it must be kept is not over: nothing was erased.",
    ),
    "record_busy": ("该病历正在处理，请稍后重试。", "This record is being worked on; please try again."),
    "legal_hold": ("因法律程序须保存，不能删除。", "A legal hold keeps it: nothing was erased."),
    "legal_hold_until": ("截止日期已过。", "That day is over."),
    "legal_hold_own": ("设置保全的人不能自行解除。", "Whoever set a hold can't lift it."),
    "legal_hold_over": ("保全已解除。", "The hold is over already."),
    "legal_hold_several": (
        "不止一份档案符合，请填写主索引号或档案编号。",
        "More than one fits: give the MPI number or the id.",
    ),
    "erasure_asked": ("已有一份删除申请正在处理。", "A request for erasure is being handled already."),
    "erasure_paper": ("请填写书面申请的编号。", "Name the signed paper."),
    "patient_restricted": (
        "该病历已应本人申请限制使用；本人返回就诊时，请凭书面申请在“保存与删除”页恢复。",
        "This record is restricted at the patient's own request; when they come back, reopen it with a signed paper "
        "on the page Keeping.",
    ),
}
