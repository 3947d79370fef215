from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "patient_exists": ("该证件号码的患者已登记。", "A patient with this document is already registered."),
    "reason_short": (
        "原因写得太短，请写到审核的人能看明白。",
        "The reason is too short: whoever reviews it must understand it.",
    ),
    "merge_same": ("两份登记是同一份。", "That is the same registration twice."),
    "merge_survivor": ("请选择要保留的登记。", "Choose which of the two registrations stays."),
    "merge_done": ("其中一份登记已被合并。", "One of the two was merged already."),
    "merge_undone": ("该合并已撤销。", "This merge was undone already."),
    "merge_not_last": (
        "之后还有一次合并以此为基础，请先撤销那一次。",
        "A later merge stands on this one; undo that one first.",
    ),
    "merge_rows_conflict": (
        "两份登记有互相冲突的记录（如同一手机号的授权、同一种有效同意），请先处理。",
        "Both have records of which there can be only one (a delegation to one phone, a consent of one kind); settle that first.",
    ),
    "merge_exam_open": (
        "患者正在签到、准备或检查中，结束后才能合并或撤销合并。",
        "The patient is checked in or being examined; merge or part when that is over.",
    ),
    "merge_busy": (
        "有人正在处理其中一份病历，请稍后再试。",
        "Somebody is working on one of the two records; try again.",
    ),
    "merge_other_hospital": (
        "另一份登记属于别的医院，只有同时在两院任职的人员可以合并。",
        "The other registration is another hospital's; only somebody who works in both can merge them.",
    ),
    "review_exists": (
        "这两份登记已在核对清单中或已有结论。",
        "These two are in the queue or were decided already.",
    ),
    "review_decided": ("已有结论。", "This was decided already."),
    "authority_unavailable": (
        "身份核验服务暂无应答，患者保持未核验，可先就诊。",
        "The identity authority does not answer; the patient stays unverified and may be treated.",
    ),
    "identity_refused": (
        "核验未通过，请重新核对证件。",
        "The authority refused the document; look at it again.",
    ),
    "identity_changed": (
        "登记信息刚被更改，请重新核验。",
        "The registration changed meanwhile; verify again.",
    ),
    "passport_line": ("护照机读码有误，请逐字核对。", "The passport's machine-readable line is not right."),
    "passport_line_other": ("护照机读码与登记不一致。", "The passport's line says somebody else."),
    "document_expired": ("证件已过有效期。", "The document has expired."),
    "correction_field": ("此项不能在线申请更正。", "This field can't be corrected by request."),
    "correction_proof": (
        "证明须为 5 MB 以内的 PNG 或 JPEG 图片。",
        "The proof must be a PNG or JPEG of at most 5 MB.",
    ),
    "correction_same": ("与现有登记相同。", "That is what the registration says already."),
    "correction_open": ("此项已有待处理的更正申请。", "There is an open request for this field."),
    "correction_decided": ("该申请已有答复。", "This request was answered already."),
    "document_number_invalid": ("证件号码不正确。", "The document number is not valid."),
    "archive_not_ready": ("档案仍在制作中。", "The archive is not ready yet."),
    "archive_gone": (
        "档案已被下载或已过期，请重新申请。",
        "The archive was fetched or has expired; ask again.",
    ),
    "document_invalid": ("证件号码不正确。", "The document number is not valid."),
    "document_conflict": (
        "出生日期或性别与证件号码不一致，请核对证件。",
        "Birth date or sex does not fit the document number; look at the document again.",
    ),
    "name_invalid": (
        "姓名不能为空，且不能含数字或符号。",
        "The name is empty or has characters a name can't have.",
    ),
    "birth_date_invalid": ("出生日期不正确。", "The birth date is not possible."),
    "sex_invalid": ("性别代码不正确。", "Unknown sex code."),
    "consent_text_unknown": (
        "知情同意书版本已更新，请重新打开。",
        "The consent text has a newer version; reopen it.",
    ),
    "consent_guardian_missing": (
        "代签须填写监护人姓名与关系。",
        "A guardian's consent needs name and relation.",
    ),
    "guardian_required": ("未满 14 周岁须由监护人同意。", "Below 14 years a guardian must consent."),
    "phone_not_verified": (
        "身份提供方未核实您的手机号码。",
        "The identity provider has not checked your phone number.",
    ),
    "city_no_match": (
        "您的身份信息与医院登记不一致，请到窗口核对。",
        "Your identity does not match what the hospital has on record; ask at the desk.",
    ),
    "consent_proof_missing": ("须有签名或见证人姓名。", "A signature or a witness's name is needed."),
    "signature_invalid": ("签名图片无法读取。", "The signature picture can't be read."),
    "consent_exists": ("本次检查已有有效知情同意。", "This exam already has a valid consent."),
    "consent_kind_unknown": ("未知的知情同意类型。", "Unknown kind of consent."),
    "consent_exam_named": (
        "检查与录制的同意须对应一次检查，其他类型不对应检查。",
        "Consents to an exam or its recording name the exam; the others name none.",
    ),
    "consent_receiver_named": (
        "转交同意须指明一家接收机构，其他类型不指明机构。",
        "A consent to transfer names one receiving institution; the others name none.",
    ),
    "recording_consent_missing": (
        "缺少录制的知情同意，录像不予保存。",
        "Without a consent to recording no recording is kept.",
    ),
    "delegation_scope": ("请选择允许的范围。", "Choose what the delegate may do."),
    "delegation_days": ("授权期限须为 1 至 366 天。", "A delegation lasts between 1 and 366 days."),
    "delegation_paper": ("请填写患者签署的授权书编号。", "Name the paper that the patient signed."),
    "delegation_self": ("这是患者本人的手机号。", "This is the patient's own phone."),
    "delegation_exists": ("该手机号已获授权。", "This phone already has a delegation."),
    "break_glass_reviewed": ("该记录已复核。", "This entry was reviewed already."),
    "break_glass_own": ("不能复核自己的紧急调阅。", "Nobody reviews their own emergency access."),
    "licence_expired": ("执业证书已过期。", "The licence has expired."),
    "licence_unknown": ("没有执业资格登记。", "No licence on file."),
    "licence_suspended": ("执业资格已暂停。", "The licence is suspended."),
    "scope_not_covering": (
        "执业范围不含此项服务。",
        "The scope of practice does not cover this service.",
    ),
    "registration_missing": (
        "当日在其所属医院没有有效的执业注册或备案。",
        "No registration at the physician's own hospital is in force on that day.",
    ),
    "filing_missing": (
        "当日没有在邀请方医院的多机构备案，且两院不都在示范区内。",
        "No filing at the inviting hospital is in force on that day, and the two are not both in the zone.",
    ),
    "privilege_missing": (
        "当日没有独立操作超声机器人的授权。",
        "No privilege to operate the robot independently is in force on that day.",
    ),
    "registration_paper": ("请填写依据文件。", "Name the paper it stands on."),
    "registration_dates": ("终止日期早于起始日期。", "It ends before it begins."),
    "registration_exists": (
        "已有主要执业注册，请先终止。",
        "There is a main registration already: end it first.",
    ),
    "privilege_not_earned": (
        "独立操作须有足够的模拟训练和带教例数，或写明依据。",
        "Independent takes enough simulator hours and supervised exams, or a basis in writing.",
    ),
    "privilege_own": ("不能给自己授权。", "Nobody grants their own privilege."),
    "privilege_dates": ("有效期已过。", "It is over already."),
    "agreement_parties": (
        "协议须有两家不同的机构，其中一家是您所在的机构。",
        "An agreement has two parties, one of them your own hospital.",
    ),
    "agreement_services": ("请选择协议覆盖的服务。", "Choose the services it covers."),
    "agreement_dates": ("终止日期早于起始日期。", "It ends before it begins."),
    "agreement_document": ("请上传不超过 20 MB 的 PDF 文件。", "Upload the document as PDF, at most 20 MB."),
    "agreement_signatory": ("请填写签署人。", "Name who signed."),
    "agreement_signed": ("贵方已签署。", "Your side has signed already."),
    "agreement_ended": ("协议已终止。", "The agreement was ended."),
    "agreement_one_hand": (
        "双方签署须由不同人员登记。",
        "The two sides' signatures are recorded by two people.",
    ),
    "message_not_refusable": (
        "改期和取消一定会通知，不能拒收。",
        "A move or a cancellation is always told; it can't be refused.",
    ),
    "find_too_little": (
        "请输入完整的证件号码或手机号码，或者姓名和出生日期。",
        "Enter the whole document or phone number, or the name and the birth date.",
    ),
    "practice_too_short": ("独立执业不足三年。", "Less than three years of independent practice."),
}
