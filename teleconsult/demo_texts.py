"""The invented people and texts of the demo."""

from __future__ import annotations

HOME, EXPERT = "310118", "310104"

# username, name, role, region of the institution
STAFF = (
    ("zhou.desk", "周敏", "scheduler", HOME),
    ("li.bedside", "李建国", "bedside_physician", HOME),
    ("xu.bedside", "徐芳", "bedside_physician", HOME),
    ("wang.expert", "王思远", "remote_physician", EXPERT),
    ("zhao.expert", "赵雅琴", "remote_physician", EXPERT),
    ("sun.assistant", "孙洁", "assistant", HOME),
    ("qian.nurse", "钱丽", "nurse", HOME),
    ("wu.alarm", "吴刚", "alarm_desk", HOME),
    ("zheng.quality", "郑文", "quality_control", EXPERT),
    ("feng.system", "冯涛", "system_admin", HOME),
    ("chen.security", "陈静", "security_admin", HOME),
    ("chu.audit", "褚卫", "audit_admin", HOME),
)

# name, synthetic identity number, birth date, sex (GB/T 2261.1), phone
PATIENTS = (
    ("王小东", "310229195003150012", "1950-03-15", "1", "13900000001"),
    ("沈阿妹", "320225194507080048", "1945-07-08", "2", "13900000002"),
    ("陆志明", "320584194802290036", "1948-02-29", "1", "13900000003"),
    ("吾买尔·艾力", "330421193806300058", "1938-06-30", "1", "13900000004"),
    ("诸葛𬭎", "31022919420901007X", "1942-09-01", "1", "13900000005"),
)

# (code, Chinese, English, English in the narrow list beside the picture, side). `side` is the side of a paired part; a
# lobe of the liver is not one of a pair.
_VIEWS = (
    ("liver_left", "肝左叶纵切", "Left liver lobe, long axis", "Liver, left", ""),
    ("liver_right", "肝右叶肋间", "Right liver lobe, intercostal", "Liver, right", ""),
    ("gallbladder", "胆囊长轴", "Gallbladder, long axis", "GB long", ""),
    ("gallbladder_short", "胆囊短轴", "Gallbladder, short axis", "GB short", ""),
    ("pancreas", "胰腺横切", "Pancreas, transverse", "Pancreas", ""),
    ("kidney_right", "右肾长轴", "Right kidney, long axis", "RK long", "right"),
    ("kidney_right_short", "右肾短轴", "Right kidney, short axis", "RK short", "right"),
    ("liver_kidney", "肝肾间隙", "Liver and right kidney", "Liver + RK", ""),
    ("spleen", "脾脏", "Spleen", "Spleen", ""),
    ("aorta", "腹主动脉", "Abdominal aorta", "Aorta long", ""),
    ("aorta_short", "腹主动脉横切", "Abdominal aorta, transverse", "Aorta trans", ""),
    ("vena_cava", "下腔静脉", "Inferior vena cava", "IVC", ""),
)
VIEWS = [dict(zip(("code", "name_zh", "name_en", "short_en", "side"), row, strict=True)) for row in _VIEWS]

CONSENT_ZH = """远程机器人超声检查知情同意书

一、检查由复旦大学附属中山医院医师通过 5G 网络操作朱家角人民医院的超声机器人完成，床旁医师全程在您身边。
二、机器人探头以受限的力（不超过 15 牛顿，硬性上限 25 牛顿）接触腹部。感到疼痛请立即告诉床旁医师，检查可随时停止。
三、检查图像和报告由两家医院共同保存；诊断报告由远程医师签署，处置由本院医师决定。
四、网络中断时机器人会自行停止并减压，床旁医师可改为现场检查。
五、您可以随时撤回同意，撤回不影响您接受其他诊疗。"""

MODEL_ZH = "\n\n（示范文本：正式使用前须经律师审核。）"
MODEL_EN = "\n\n(A model text: a lawyer must review it before it is used.)"

CONSENT_EN = """Consent to a remote robotic ultrasound exam

1. A physician of Zhongshan Hospital operates the ultrasound robot at Zhujiajiao People's Hospital over 5G; the
   bedside physician stays with you all the time.
2. The probe touches your abdomen with limited force (15 N, hard ceiling 25 N). Say at once if it hurts; the exam
   can stop at any time.
3. Both hospitals keep the pictures and the report; the remote physician signs the report, your own hospital decides
   on treatment.
4. When the network fails the robot stops and relaxes by itself; the bedside physician can go on by hand.
5. You may withdraw at any time; this does not affect any other care."""

# kind -> (Chinese, English) of the consents that are given apart from the exam's own.
CONSENTS = {
    "remote_exam": (CONSENT_ZH, CONSENT_EN),
    "recording": (
        """检查过程录制知情同意书

一、经您同意，医院可以录制本次检查的连续图像，用于诊疗、教学和质量控制。单幅图像和数秒的动态图属于检查结果，不在此列。
二、录像至少保存三年，只有参与诊疗、教学和质量控制的人员可以观看，每次观看都有记录。
三、不同意录制不影响检查。您可以随时撤回，撤回后不再录制。""",
        """Consent to recording

1. With your consent the hospital may record this exam's continuous picture for care, teaching and quality control.
   Single pictures and loops of a few seconds are results of the exam and not meant here.
2. Recordings are kept for at least three years; only people in care, teaching and quality control may watch them,
   and each time is on record.
3. Saying no does not affect the exam. You may withdraw at any time; from then on nothing is recorded.""",
    ),
    "wristband_monitoring": (
        """手环健康监测知情同意书

一、您佩戴的手环持续把心率、血压等数据发送给本院。数据异常时，医院会给您、您的紧急联系人打电话。
二、手环不是急救设备，没有网络或没有电时不能报警。感到不适请直接拨打 120。
三、您可以随时撤回同意，撤回后医院不再接收数据。""",
        """Consent to monitoring by wristband

1. The wristband keeps sending heart rate, blood pressure and the like to this hospital. When they are abnormal the
   hospital calls you and your emergency contact.
2. It is no emergency device: without network or battery it cannot raise an alarm. If you feel unwell call 120.
3. You may withdraw at any time; from then on the hospital receives no data.""",
    ),
    "transfer": (
        """向其他医疗机构提供资料知情同意书

一、经您同意，本院向本页写明的一家接收机构提供您的超声报告及其图像，用于您的后续诊疗。
二、接收机构只能在诊疗需要的范围内使用，每次读取都有记录，您可以在手机上查看。
三、本同意只对本页写明的机构有效。您可以随时撤回，撤回后该机构不能再读取。""",
        """Consent to giving records to another institution

1. With your consent this hospital gives your ultrasound reports and their pictures to the one institution named
   on this page, for your further care.
2. It may use them only as far as your care needs; each reading is on record and you can see it on your phone.
3. This holds for the one institution named on this page. You may withdraw at any time; it can then read no more.""",
    ),
}
