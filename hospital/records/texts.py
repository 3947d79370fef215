from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "stale_revision": (
        "报告已在别处保存了更新的版本，请重新载入。",
        "The report was saved elsewhere since; reload it.",
    ),
    "report_incomplete": ("检查所见与超声提示均须填写。", "Findings and impression must both be filled in."),
    "report_signed": (
        "已签署的报告不能更改，只能更正为新版本。",
        "A signed report never changes; amend it instead.",
    ),
    "report_not_signed": ("只有已签署的报告才能更正。", "Only a signed report can be amended."),
    "draft_exists": ("已有一份未签署的草稿。", "There already is an unsigned draft."),
    "sop_uid_conflict": (
        "同一影像标识收到了不同的内容。",
        "The same image identifier arrived with other content.",
    ),
    "frame_unknown": ("没有这一冻结帧。", "There is no such frozen frame."),
    "frame_conflict": ("同一冻结帧收到了不同的内容。", "The same frozen frame arrived with other content."),
    "points_wrong": (
        "测量点数目不对或重合。",
        "The number of points does not fit the measurement, or they coincide.",
    ),
    "points_two_regions": (
        "测量点跨越了两个图像区域，比例不同，不能测量。",
        "The points lie in two image regions with scales of their own; nothing is measured across them.",
    ),
    "points_outside": ("测量点不在图像区域内。", "The points are not inside the image region."),
    "not_calibrated": (
        "该图像没有标定，不能测量。",
        "This picture has no calibration and can't be measured.",
    ),
    "bad_meta": ("影像说明有误。", "The picture's description is wrong."),
    "bad_dicom": ("DICOM 文件无法读取。", "The DICOM file can't be read."),
    "dicom_mismatch": ("DICOM 文件与本次检查不符。", "The DICOM file does not belong to this exam."),
    "already_removed": ("已删除。", "Already removed."),
    "object_damaged": ("文件缺失或已损坏。", "The stored file is missing or damaged."),
}
