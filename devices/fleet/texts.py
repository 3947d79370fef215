from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "pairing_code_invalid": ("配对码无效或已过期。", "The pairing code is wrong or has expired."),
    "public_key_invalid": ("公钥必须是 Ed25519 PEM。", "The public key must be an Ed25519 PEM."),
    "robot_not_authenticated": ("机器人身份验证失败。", "The robot could not be authenticated."),
    "robot_offline": ("机器人未连接。", "The robot is not connected."),
    "lease_held": ("控制权正由他人持有。", "Control is held by somebody else."),
    "lease_lost": ("控制权已失效。", "Control has been lost."),
    "lease_not_held": ("当前没有控制权。", "Control is not held."),
    "robot_retired": ("机器人已停用。", "The robot's life is over already."),
    "robot_in_use": ("机器人正在使用中。", "Somebody holds control of the robot."),
    "self_test_running": ("自检正在进行。", "A self-test is already running."),
}
