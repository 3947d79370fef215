"""What the robot reports, in words: safety states, why it stopped and what to do now, limits, refusals, ctl codes.

Keys end in the lower-case enum names of `devices.wire.messages`; `.now` speaks to the remote physician, `.bed` to
the bedside.
"""

from __future__ import annotations

_STATES: dict[str, tuple[str, str]] = {
    "live.state.idle": ("空闲", "Idle"),
    "live.state.idle.now": ("接管控制并开始检查后才能移动。", "Take control and start the exam to move."),
    "live.state.idle.bed": ("无人控制，机械臂不会移动。", "Nobody is in control; the arm does not move."),
    "live.state.hold": ("保持", "Hold"),
    "live.state.hold.now": ("先松开，再按住空格键继续。", "Release, then hold Space to go on."),
    "live.state.hold.bed": (
        "机械臂停住，接触力很小。等远程医师继续。",
        "The arm holds with little force. Wait for the remote physician.",
    ),
    "live.state.park": ("静止", "At rest"),
    "live.state.park.now": (
        "手已松开：不移动，保持接触力。按住空格键继续。",
        "Released: no motion, contact force kept. Hold Space to go on.",
    ),
    "live.state.park.bed": (
        "远程医师松开了手：不移动，轻压保持。",
        "The remote physician let go: no motion, light contact kept.",
    ),
    "live.state.moving": ("移动中", "Moving"),
    "live.state.moving.now": ("松开空格键即停。", "Release Space to stop."),
    "live.state.moving.bed": ("随时可按“停”。", "Press STOP at any time."),
    "live.state.ramp": ("正在减速", "Slowing"),
    "live.state.ramp.now": (
        "指令中断，正在减速；恢复后自动继续。",
        "Commands are missing, slowing; it goes on by itself when they return.",
    ),
    "live.state.ramp.bed": ("远程指令中断，正在减速。", "Remote commands are missing; the arm slows."),
    "live.state.retract": ("正在后退", "Backing off"),
    "live.state.retract.now": (
        "探头正离开患者 10 毫米。等它停住。",
        "The probe backs off 10 mm. Wait until it rests.",
    ),
    "live.state.retract.bed": (
        "探头正离开患者。扶好患者。",
        "The probe is leaving the patient. Stay with the patient.",
    ),
    "live.state.stopped": ("已停止", "Stopped"),
    "live.state.stopped.now": (
        "只有床旁能解除。请用语音与床旁确认。",
        "Only the bedside can clear it. Talk to the bedside.",
    ),
    "live.state.stopped.bed": (
        "查看患者，排除原因，然后按住“解除停止”2 秒。",
        "Look after the patient, remove the cause, then hold “Clear the stop” for 2 s.",
    ),
    "live.state.lift": ("正在抬起", "Lifting"),
    "live.state.lift.now": ("探头正抬离患者。", "The probe is being lifted off the patient."),
    "live.state.lift.bed": ("探头正抬离患者。", "The probe is being lifted off the patient."),
    "live.state.hand_guide": ("手动移开", "Moved by hand"),
    "live.state.hand_guide.now": (
        "床旁正在用手移动机械臂，请等待。",
        "The bedside is moving the arm by hand; please wait.",
    ),
    "live.state.hand_guide.bed": (
        "可以用手推动机械臂。完成后再按一次“手动移开”。",
        "The arm can be pushed by hand. Press again when done.",
    ),
    "live.state.fault": ("故障", "Fault"),
    "live.state.fault.now": (
        "机械臂报告故障，不能移动。请与床旁联系。",
        "The arm reports a fault and can't move. Talk to the bedside.",
    ),
    "live.state.fault.bed": (
        "机械臂故障：按红色急停按钮，手动移开探头，联系工程师。",
        "Arm fault: press its red button, move the probe away by hand, call the engineer.",
    ),
    "live.state.self_test": ("自检中", "Self-test"),
    "live.state.self_test.now": ("机器人正在自检。", "The robot is testing itself."),
    "live.state.self_test.bed": ("机器人正在自检，请勿触碰。", "The robot is testing itself; don't touch."),
    "live.state.place": ("移到起始位", "Going to start"),
    "live.state.place.now": ("机械臂正移到起始位置。", "The arm is moving to the start position."),
    "live.state.place.bed": (
        "机械臂正移到起始位置，随时可按“停”。",
        "The arm is moving to the start position; press STOP at any time.",
    ),
    "live.state.unknown": ("断线", "No link"),
}

_CAUSES: dict[str, tuple[str, str]] = {
    "live.cause.none": ("", ""),
    "live.cause.silence": ("远程指令中断超过 0.3 秒", "Remote commands missing for over 0.3 s"),
    "live.cause.silence.now": (
        "检查网络；恢复后松开，再按住空格键。",
        "Check the network; then release and hold Space again.",
    ),
    "live.cause.silence.bed": (
        "网络中断。机械臂已停，不必处理，等远程恢复。",
        "Network gap. The arm rests; wait for the remote end.",
    ),
    "live.cause.estop_console": ("远程医师按了停止", "The remote physician pressed STOP"),
    "live.cause.estop_console.now": (
        "与床旁确认患者情况，请床旁解除。",
        "Check with the bedside; ask them to clear it.",
    ),
    "live.cause.estop_console.bed": (
        "与远程医师通话，确认患者无恙后解除。",
        "Talk to the remote physician; clear when the patient is well.",
    ),
    "live.cause.estop_bedside": ("床旁按了停", "The bedside pressed STOP"),
    "live.cause.estop_bedside.now": (
        "用语音询问床旁；由床旁解除。",
        "Ask the bedside by voice; they clear it.",
    ),
    "live.cause.estop_bedside.bed": (
        "查看患者；原因消除后由您解除。",
        "Look after the patient; clear it when the cause is gone.",
    ),
    "live.cause.estop_patient": ("患者按了手中的按钮", "The patient pressed their button"),
    "live.cause.estop_patient.now": ("询问患者；由床旁解除。", "Ask the patient; the bedside clears it."),
    "live.cause.estop_patient.bed": (
        "询问患者哪里不适；缓解后解除。",
        "Ask the patient what is wrong; clear when eased.",
    ),
    "live.cause.force_hard": ("接触力超过 20 N", "Contact force over 20 N"),
    "live.cause.force_hard.now": (
        "减小设定力；患者可能移动或咳嗽。由床旁查看后解除。",
        "Lower the set force; the patient may have moved or coughed. The bedside checks and clears.",
    ),
    "live.cause.force_hard.bed": (
        "查看患者皮肤与疼痛；无恙后解除。",
        "Check skin and pain; clear when the patient is well.",
    ),
    "live.cause.collision": ("力突然增大，疑似碰撞", "Sudden force, maybe a collision"),
    "live.cause.collision.now": (
        "可能碰到肋骨或床栏。由床旁查看后解除。",
        "It may have met a rib or a rail. The bedside checks and clears.",
    ),
    "live.cause.collision.bed": (
        "查看机械臂周围与患者；清除障碍后解除。",
        "Look around the arm and at the patient; remove the obstacle, then clear.",
    ),
    "live.cause.lease_lost": ("控制权已失去", "Control was lost"),
    "live.cause.lease_lost.now": ("重新接管控制。", "Take control again."),
    "live.cause.lease_lost.bed": (
        "远程医师失去控制权；机械臂已停。",
        "The remote physician lost control; the arm rests.",
    ),
    "live.cause.link_lost": ("机器人通信程序中断", "The robot's link process stopped"),
    "live.cause.link_lost.now": (
        "等它自动恢复（数秒）；不恢复请中止检查。",
        "Wait some seconds for it to recover; if not, abort the exam.",
    ),
    "live.cause.link_lost.bed": (
        "机械臂已自行停住。不恢复请手动移开。",
        "The arm rests by itself. If it stays, move it by hand.",
    ),
    "live.cause.driver_fault": ("机械臂控制器故障", "Arm controller fault"),
    "live.cause.driver_fault.now": (
        "不能继续；请中止检查，联系工程师。",
        "Can't go on; abort the exam and call the engineer.",
    ),
    "live.cause.driver_fault.bed": (
        "按红色急停按钮，手动移开，联系工程师。",
        "Press the red button, move it by hand, call the engineer.",
    ),
    "live.cause.stale_video": ("您看到的图像太旧", "The picture you saw was too old"),
    "live.cause.stale_video.now": (
        "等图像恢复，松开再按住空格键。",
        "Wait for the picture, then release and hold Space.",
    ),
    "live.cause.stale_video.bed": (
        "远程图像延迟；机械臂已停，等待恢复。",
        "The remote picture is late; the arm rests.",
    ),
    "live.cause.bedside_absent": ("床旁页面不在线", "The bedside page is not there"),
    "live.cause.bedside_absent.now": (
        "请床旁打开平板页面；回来后松开再按住。",
        "Ask the bedside to open their page; then release and hold.",
    ),
    "live.cause.bedside_absent.bed": (
        "本页曾离线或被切到后台；保持本页在前台。",
        "This page was away or in the background; keep it in front.",
    ),
    "live.cause.takeover": ("控制权正在交接", "Control is being handed over"),
    "live.cause.takeover.now": ("接管后松开再按住空格键。", "After the handover, release and hold Space."),
    "live.cause.takeover.bed": ("控制权交接中；机械臂停住。", "Control is changing hands; the arm rests."),
    "live.cause.workspace": ("到达允许范围的边缘", "Edge of the allowed space"),
    "live.cause.workspace.now": ("向相反方向移动。", "Move the other way."),
    "live.cause.workspace.bed": (
        "到达边缘；等远程医师往回移动，必要时重新放置。",
        "Edge reached; the remote physician moves back, or re-place the probe.",
    ),
    "live.cause.silence_retract": (
        "远程指令中断超过 1 秒，已后退 10 毫米",
        "Commands missing for over 1 s, backed off 10 mm",
    ),
    "live.cause.silence_retract.now": (
        "检查网络；恢复后松开再按住，重新接触。",
        "Check the network; then release and hold, and touch down again.",
    ),
    "live.cause.silence_retract.bed": (
        "网络中断，探头已离开患者。等远程恢复。",
        "Network gap, the probe has left the patient. Wait for the remote end.",
    ),
    "live.cause.lease_suspended": (
        "远程指令中断超过 2 秒，控制权已暂停",
        "Commands missing for over 2 s, control suspended",
    ),
    "live.cause.lease_suspended.now": (
        "恢复网络后重新接管控制。",
        "When the network is back, take control again.",
    ),
    "live.cause.lease_suspended.bed": (
        "远程失联；安抚患者，等待或中止检查。",
        "The remote end is gone; comfort the patient, wait or abort.",
    ),
    "live.cause.unknown": ("原因未知", "Unknown cause"),
}

_LIMITS: dict[str, tuple[str, str]] = {
    "live.limit.speed": ("速度", "speed"),
    "live.limit.angular": ("转速", "turning speed"),
    "live.limit.force_set": ("设定力", "set force"),
    "live.limit.force_cap": ("力上限", "force cap"),
    "live.limit.slew": ("加速度", "acceleration"),
    "live.limit.workspace": ("活动范围", "allowed space"),
    "live.limit.loop_delay_speed": ("延迟限速", "delay"),
    "live.limit.at_speed": ("{what} {n} mm/s", "{what}, {n} mm/s"),
    "live.limit.tilt_force": ("倾斜时限力", "force at this tilt"),
    "live.limit.no_go": ("等床旁允许接触", "waiting for the bedside's go"),
    "live.refusal.not_live": ("检查未开始或已暂停", "the exam is not live"),
    "live.refusal.epoch": ("控制权不是最新的", "control is not the newest"),
    "live.refusal.frozen": ("已冻结", "frozen"),
    "live.refusal.needs_release": ("先松开再按住", "release, then hold"),
    "live.refusal.stale_video": ("图像太旧", "picture too old"),
    "live.refusal.age": ("指令太旧", "command too old"),
    "live.refusal.state": ("当前状态不允许", "not in this state"),
}

_CODES: dict[str, tuple[str, str]] = {
    "live.code.not_allowed": ("此页面无权这样做", "this page may not do that"),
    "live.code.unknown_type": ("机器人不认识此指令", "the robot does not know that"),
    "live.code.bad_message": ("指令内容有误", "the request has wrong fields"),
    "live.code.not_live": ("检查未开始或已暂停", "the exam is not live"),
    "live.code.no_lease": ("没有控制权", "no control"),
    "live.code.not_frozen": ("尚未冻结", "not frozen"),
    "live.code.latched": ("停止未解除", "the stop is not cleared"),
    "live.code.state": ("当前状态不允许", "not in this state"),
    "live.code.busy": ("机器人正忙", "the robot is busy"),
    "live.code.timeout": ("机器人没有回应", "the robot did not answer"),
    "live.code.not_connected": ("未连接机器人", "not connected to the robot"),
    "live.code.not_stopped": ("没有需要解除的停止", "there is no stop to clear"),
    "live.code.wrong_cause": ("停止原因已变，请重新确认", "the cause has changed; look again"),
    "live.code.still_pressed": ("停止按钮仍被按住", "a stop button is still pressed"),
    "live.code.safety_gone": ("机器人安全程序没有回应", "the robot's safety process did not answer"),
    "live.code.imaging_gone": ("图像程序没有回应", "the imaging process did not answer"),
    "live.code.imaging_timeout": ("图像程序没有及时回应", "the imaging process did not answer in time"),
    "live.code.bad_field": ("指令内容有误", "the request has wrong fields"),
    "live.code.bad_token": ("连接凭据无效", "the connection's credential is not valid"),
    "live.code.wrong_fingerprint": ("连接指纹不符", "the connection's fingerprint differs"),
    "live.code.expired": ("连接凭据已过期", "the connection's credential has expired"),
    "live.code.in_contact": ("探头仍接触患者", "the probe touches the patient"),
    "live.code.too_far": ("距离太远，请先手动移近", "too far; move it closer by hand first"),
    "live.code.unknown_site": ("没有这个位置", "no such place"),
    "live.code.force_zero": ("空载力", "Force in free air"),
    "live.code.stop_time": ("停住用时", "Time to stop"),
    "live.code.watchdog": ("看门狗", "Watchdog"),
    "live.code.safety": ("安全程序", "Safety process"),
    "live.code.image_frames": ("图像帧率", "Picture rate"),
    "live.code.link": ("通信", "Link"),
    "live.code.robot_offline": ("机器人不在线", "the robot is not online"),
}

TEXTS_LIVE_ROBOT: dict[str, tuple[str, str]] = {**_STATES, **_CAUSES, **_LIMITS, **_CODES}
