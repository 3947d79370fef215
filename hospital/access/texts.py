from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "own_account": (
        "不能对自己的账号执行此操作，请由另一位管理员处理。",
        "Not on your own account: another administrator must do this.",
    ),
    "role_not_yours": (
        "管理员角色只能由安全管理员授予或收回。",
        "Administrators are granted and withdrawn by the security administrator.",
    ),
    "one_administration": (
        "此人已担任一种管理员：系统、安全、审计管理员必须是三个人。",
        "This person administers already: system, security and audit are three people.",
    ),
    "role_held": ("此人已有该角色。", "This person has that role already."),
    "username_taken": ("用户名已被使用。", "This user name is taken."),
    "institution_known": (
        "该统一社会信用代码的机构已登记。",
        "A hospital with this credit code is registered already.",
    ),
    "not_locked": ("账号未被锁定。", "The account is not locked."),
    "reset_over": ("该重置申请已处理或已失效。", "This reset was decided already, or is over."),
    "two_people": ("申请人不能自己批准。", "Whoever asked can't agree."),
    "activation_invalid": (
        "用户名或激活码不正确，或激活码已过期。请向管理员重新领取。",
        "The user name or the code is not right, or the code is over. Ask your administrator for a new one.",
    ),
    "totp_change_over": (
        "更换已结束或已失效，请重新开始。",
        "This change is over; start again.",
    ),
    "totp_wrong": (
        "动态验证码不正确，请检查手机时间后重试。",
        "The one-time code is not right; check the phone's clock and try again.",
    ),
    "locked": (
        "账号已锁定：连续多次失败锁定 30 分钟；若由管理员锁定，请联系安全管理员。",
        "The account is locked: for 30 minutes after several failures, or until the security administrator opens it.",
    ),
    "tablet_refused": (
        "未能更换人员，请重试；多次不成功时请用密码和验证因素完整登录。",
        "Not accepted. Try again; after several failures sign in with password and second factor.",
    ),
    "tablet_unknown": (
        "此平板未配对，或配对已被撤销。",
        "This tablet is not paired, or its pairing was withdrawn.",
    ),
    "tablet_code_invalid": (
        "配对码不正确、已使用或已过期。",
        "The pairing code is wrong, used or over.",
    ),
    "tablet_key_invalid": (
        "平板的密钥无法使用，请重新配对。",
        "The tablet's key can't be used; pair it again.",
    ),
    "tablet_name_taken": (
        "本机构已有同名的平板。",
        "A tablet of this name is in use here.",
    ),
    "tablet_elsewhere": (
        "您在此平板所属机构没有床旁岗位。",
        "You have no bedside role in this tablet's institution.",
    ),
    "pin_weak": (
        "请用六位数字，不能是同一数字、连号或简单重复。",
        "Use six digits: not one digit, a run or a simple repeat.",
    ),
    "ticket_invalid": ("连接凭证无效或已使用。", "The connection ticket is wrong or already used."),
    "proof_required": (
        "请先重新验证身份（触碰安全密钥或输入动态验证码）。",
        "Prove your identity again first: touch your key or type a one-time code.",
    ),
    "step_up_required": (
        "距上次验证身份已超过 10 分钟，请重新验证。",
        "More than 10 minutes since you last proved your identity: do it again.",
    ),
    "provider_refused": (
        "统一身份认证未成功，请重新登录。",
        "The identity provider's answer was not accepted; please sign in again.",
    ),
    "provider_unavailable": (
        "统一身份认证暂时无法访问，请稍后再试或改用其他方式登录。",
        "The identity provider can't be reached; try later or sign in another way.",
    ),
    "provider_unknown": (
        "该身份未关联本院账号，请联系安全管理员。",
        "This identity belongs to no account here; ask the security administrator.",
    ),
    "provider_known": ("该身份提供方已登记。", "This identity provider is registered already."),
    "subject_known": ("该身份或该人员已有关联。", "This subject or this person is mapped already."),
    "not_yourself": ("不能为自己设置。", "Not for yourself."),
    "issuer_invalid": ("发行方地址须为 HTTPS。", "The issuer must be an HTTPS address."),
    "redirect_uri_invalid": ("回调地址未登记。", "The redirect address is not registered."),
    "no_key": ("您还没有可用的安全密钥。", "You have no security key that counts."),
    "too_many_keys": ("安全密钥数量已达上限。", "You have as many security keys as a person may have."),
    "key_known": ("这把密钥已经登记过。", "This key is registered already."),
    "key_refused": (
        "无法登记这把密钥，请换一把或重试。",
        "This key could not be registered; try again or another one.",
    ),
    "challenge_invalid": ("操作已超时，请重试。", "That took too long; please try again."),
    "last_factor": (
        "这是您唯一的第二验证因素，不能移除。",
        "This is your only second factor; it can't be removed.",
    ),
    "too_many": ("请求过于频繁，请稍后再试。", "Too many requests; please wait."),
    "code_invalid": ("验证码或证件信息不正确。", "The code or the document number is not right."),
    "phone_invalid": ("手机号码格式不正确。", "The phone number is not valid."),
    "uscc_invalid": ("统一社会信用代码不正确。", "The unified social credit code is not valid."),
    "password_weak": (
        "密码至少 10 位，不能是常见密码，也不能包含用户名。",
        "A password needs at least 10 characters, must not be a common one nor contain the user name.",
    ),
    "password_same": ("新密码不能与旧密码相同。", "The new password must not be the old one."),
    "password_old": (
        "密码已超过 90 天，请在登录时设置新密码。",
        "The password is older than 90 days: set a new one while signing in.",
    ),
    "refresh_invalid": ("登录已失效，请重新登录。", "The sign-in is over; please sign in again."),
    "peer_not_authenticated": (
        "对方机构身份验证失败。",
        "The other institution could not be authenticated.",
    ),
    "peer_key_invalid": (
        "公钥须为 Ed25519 或 P-256 的 PEM。",
        "The key must be an Ed25519 or P-256 public key as PEM.",
    ),
    "peer_key_known": ("该公钥已登记过。", "This key was registered before."),
    "peer_days": ("密钥有效期须为 1 至 366 天。", "A key lasts between 1 and 366 days."),
    "peer_institution": ("请选择另一家机构。", "Choose another institution."),
    "document_required": ("首次登录请同时提供证件号码。", "The first sign-in needs the document number too."),
}
