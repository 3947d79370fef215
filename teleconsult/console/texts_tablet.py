"""Words of the bedside tablets: pairing, change of person, the six digits."""

from __future__ import annotations

TEXTS_TABLET: dict[str, tuple[str, str]] = {
    "nav.tablets": ("床旁平板", "Tablets"),
    "tablet.title": ("床旁平板", "Bedside tablet"),
    "tablet.change": ("换人", "Change person"),
    "tablet.changed": ("现在床旁：{name}", "Now at the bedside: {name}"),
    "tablet.who": ("您是谁？", "Who are you?"),
    "tablet.nobody": (
        "本班还没有人在此平板上完整登录。",
        "Nobody signed in fully on this tablet in this shift.",
    ),
    "tablet.other": ("其他人：完整登录", "Somebody else: full sign-in"),
    "tablet.with_key": ("触碰安全密钥", "Touch your security key"),
    "tablet.pin": ("{name}，请输入六位 PIN", "{name}, enter your six digits"),
    "tablet.pin_label": ("已输入 {n} 位", "{n} digits entered"),
    "tablet.pin_none": ("未设置 PIN，请触碰安全密钥。", "No PIN is set: touch your security key."),
    "tablet.neither": (
        "未设置 PIN，也没有安全密钥，请完整登录。",
        "No PIN and no security key: sign in fully.",
    ),
    "tablet.erase": ("删除一位", "Erase one digit"),
    "tablet.back": ("返回", "Back"),
    "tablet.stop_stays": (
        "换人时停止键始终有效。",
        "Stop works at every moment of the change.",
    ),
    "tablet.pair": ("配对此平板", "Pair this tablet"),
    "tablet.pair_lead": (
        "请调度员或管理员在“床旁平板”页面取得一次性配对码，在此输入，或用平板的相机扫描其二维码。",
        "Ask a scheduler or administrator for a one-time code from the Tablets page: type it here or scan it with this tablet's camera.",
    ),
    "tablet.code": ("配对码", "Pairing code"),
    "tablet.scanned": (
        "配对码已扫描。此平板属于配对码所指的检查室，请确认后配对。",
        "The code was scanned. Pair only the tablet that stays in the code's room.",
    ),
    "tablet.gone": (
        "此平板的配对已被撤销。",
        "The pairing of this tablet was withdrawn.",
    ),
    "tablet.again": ("重新配对", "Pair again"),
    "tablet.unsupported": (
        "此浏览器不能安全保存密钥（需要 HTTPS）。",
        "This browser can't keep a key safely (HTTPS is needed).",
    ),
    "tablet.open_title": ("本班在此平板上使用", "Use this tablet for this shift"),
    "tablet.open_lead": (
        "您已完整登录。设置六位 PIN 后，本班内在此平板上只需 PIN 或触碰密钥即可换人。PIN 在别处无效。",
        "You signed in fully. With six digits, a change of person on this tablet needs only them or a touch of your key in this shift. They are good nowhere else.",
    ),
    "tablet.new_pin": ("新的六位 PIN", "New six digits"),
    "tablet.keep_pin": (
        "已有 PIN 或只用密钥，可留空。",
        "Leave empty to keep yours, or to use your key only.",
    ),
    "tablet.open": ("开始使用", "Begin"),
    "tablet.opened": ("已登记，可以使用。", "Done: you may use it now."),
    "tablet.to_list": ("今日检查", "Today's exams"),
    "tablets.title": ("床旁平板", "Bedside tablets"),
    "tablets.lead": (
        "平板属于一家机构的一个检查室。丢失或被盗时立即撤销，从下一次请求起失效。",
        "A tablet belongs to one room. Withdraw a lost or stolen one at once: it is of no use from its next request on.",
    ),
    "tablets.new": ("新增平板", "New tablet"),
    "tablets.name": ("名称", "Name"),
    "tablets.name_hint": ("例如：超声一室 1 号", "For example: Room 1, tablet 1"),
    "tablets.room": ("检查室", "Room"),
    "tablets.code_title": ("{name} 的配对码", "Pairing code of {name}"),
    "tablets.code_lead": (
        "15 分钟内用平板的相机扫描，或在平板上打开 {address} 并输入配对码。",
        "Within 15 minutes, scan it with the tablet's camera, or open {address} there and type the code.",
    ),
    "tablets.code_qr": ("配对地址的二维码", "QR code of the address for pairing"),
    "tablets.state": ("状态", "State"),
    "tablets.paired": ("已配对", "Paired"),
    "tablets.waiting": ("待配对", "Waits for its code"),
    "tablets.over": ("配对码已过期", "Code is over"),
    "tablets.revoked": ("已撤销", "Withdrawn"),
    "tablets.used": ("最近换人", "Last change"),
    "tablets.revoke": ("撤销配对", "Withdraw"),
    "tablets.revoke_lead": (
        "{name} 上的所有登录立即结束，不能恢复。",
        "Every sign-in on {name} ends at once. This can't be undone.",
    ),
    "tablets.empty": ("还没有平板。", "No tablets yet."),
    "live.bedside_changed": (
        "床旁换人：{from} → {to}",
        "Bedside changed: {from} → {to}",
    ),
}
