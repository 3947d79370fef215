"""The scripted exam up to control: sign-in, booking, the bedside's preparation, the connections, the start."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from devices.operator import Operator

from .check_state import BIRTH, DOCUMENT, NAME, PHONE, SEX, Script
from .check_tools import TOTP_STEP_S, expect, soon, totp

ANSWERS: dict[str, object] = {
    "last_meal": "昨晚 19:00",
    "wound_or_stoma": False,
    "recent_surgery": False,
    "known_aneurysm": False,
    "pain": False,
    "can_lie_still": True,
    "gel_allergy": False,
}


async def prepare(script: Script) -> None:
    await until_ready(script)
    await _connect(script)
    await _start(script)


async def until_ready(script: Script) -> None:
    """From the sign-ins to `ready`: everything before the two ends connect to the robot."""
    for part in (_sign_ins, _register, _book, _at_the_bed):
        await part(script)


async def _sign_ins(script: Script) -> None:
    step = script.checks.step
    with step("staff sign in with password and one-time code"):
        for person in (script.desk, script.bedside, script.remote):
            await person.sign_in()
    with step("a one-time code counts once"):
        used = totp(script.desk.row["totp_secret"], script.desk.last_step)
        answer = await script.desk.try_sign_in(used)
        expect(answer.status_code == 401, answer.text)
        expect(answer.headers["content-type"].startswith("application/problem+json"), answer.headers)
    with step("a code two steps old is refused, the one of the next step is taken"):
        other = script.people["assistant"]
        current = int(time.time()) // TOTP_STEP_S
        answer = await other.try_sign_in(totp(other.row["totp_secret"], current - 2))
        expect(answer.status_code == 401, answer.text)
        answer = await other.try_sign_in(totp(other.row["totp_secret"], int(time.time()) // TOTP_STEP_S + 1))
        expect(answer.status_code == 200, answer.text)
    with step("nobody without a sign-in reads an exam"):
        answer = await script.people["nurse"].http.get("/api/v1/exams")
        expect(answer.status_code == 401, answer.status_code)


async def _register(script: Script) -> None:
    step = script.checks.step
    body = {"name": NAME, "document_type": "01", "birth_date": BIRTH, "sex": SEX, "phone": PHONE}
    with step("a wrong check digit is refused at registration"):
        await script.desk.post("patients", body | {"document_number": DOCUMENT[:-1] + "5"}, status=422)
    with step("a patient is registered and the namesake pointed out"):
        found = await script.desk.post("patients", body | {"document_number": DOCUMENT}, status=201)
        script.patient_id = found["id"]
        expect(found["namesakes"], "no namesake shown")
    with step("the same document is not registered twice"):
        again = await script.desk.post("patients", body | {"document_number": DOCUMENT}, status=200)
        expect(again["id"] == script.patient_id and again["linked"], "another patient was made")


async def _people_and_room(script: Script) -> dict[str, str]:
    rooms = (await script.desk.get("resources?kind=room"))["results"]
    return {
        "remote_physician_id": script.remote.id,
        "bedside_physician_id": script.bedside.id,
        "robot_id": script.installation.up["robot"]["id"],
        "room_id": rooms[0]["id"],
    }


async def _first_free(script: Script, body: dict[str, Any]) -> None:
    """Book at the first five-minute mark that is free for all four."""
    mark = datetime.now(ZoneInfo("Asia/Shanghai")).replace(second=0, microsecond=0)
    mark += timedelta(minutes=10 - mark.minute % 5)
    for _ in range(60):
        body["starts_at"] = mark.isoformat()
        answer = await script.desk.http.post("/api/v1/exams", json=body)
        if answer.status_code == 201:
            script.exam = answer.json()
            script.exam_id = script.exam["id"]
            return
        expect(answer.status_code == 409, answer.text)
        mark += timedelta(minutes=5)
    raise AssertionError("nothing free within five hours")


async def _book(script: Script) -> None:
    step = script.checks.step
    body: dict[str, Any] = {
        "patient_id": script.patient_id,
        "exam_type": "abdomen",
        "clinical_question": "右上腹隐痛两周，胆囊结石？",
        "history": "高血压 10 年",
    }
    with step("the desk books two physicians, robot and room"):
        body |= await _people_and_room(script)
        await _first_free(script, body)
    with step("what is taken is refused and named"):
        refused = await script.desk.post("exams", body, status=409)
        expect(refused["code"] == "taken" and len(refused["taken"]) == 4, refused)
    with step("a booking with the same idempotency key is made once"):
        far = datetime.now(ZoneInfo("Asia/Shanghai")).replace(minute=0, second=0, microsecond=0)
        again = body | {"starts_at": (far + timedelta(days=3)).isoformat()}
        headers = {"Idempotency-Key": "check-booking"}
        answers = [
            await script.desk.http.post("/api/v1/exams", json=again, headers=headers) for _ in range(2)
        ]
        expect(answers[0].status_code == 201 and answers[0].json()["id"] == answers[1].json()["id"], answers)
        moved = {"starts_at": (far + timedelta(days=4)).isoformat()}
        exam = await script.desk.post(f"exams/{answers[0].json()['id']}/move", moved)
        expect(datetime.fromisoformat(exam["starts_at"]) == far + timedelta(days=4), exam["starts_at"])
    with step("the start is refused with the codes of what is missing"):
        refused = await script.remote.post(f"{script.path}/start", status=409)
        expect(refused.get("code"), refused)
        gates = {gate["code"] for gate in (await script.remote.get(script.path))["gates"] if not gate["ok"]}
        wanted = {"consent_missing", "identifiers_bedside_missing", "checklist_missing", "lease_missing"}
        expect(wanted <= gates, gates)


def _signature() -> str:
    from PIL import Image, ImageDraw

    picture = Image.new("L", (300, 120), 255)
    ImageDraw.Draw(picture).line([(20, 90), (90, 30), (150, 95), (270, 40)], fill=0, width=4)
    target = io.BytesIO()
    picture.save(target, "PNG")
    return base64.b64encode(target.getvalue()).decode()


async def _at_the_bed(script: Script) -> None:
    step, bedside, remote, path = script.checks.step, script.bedside, script.remote, script.path
    with step("the bedside checks the patient in"):
        await bedside.post(f"{path}/check-in")
    with step("one identifier is too few"):
        await bedside.post(f"{path}/identify", {"confirmed": ["name"]}, status=422)
    with step("both ends identify the patient"):
        await bedside.post(f"{path}/identify", {"confirmed": ["name", "document_tail"]})
        await remote.post(f"{path}/identify", {"confirmed": ["name", "birth_date"]})
    with step("the checklist is answered; a concern needs both physicians"):
        await bedside.post(f"{path}/checklist", {"answers": ANSWERS | {"pain": True}})
        for person in (bedside, remote):
            await person.post(f"{path}/checklist/agree")
        open_gates = {g["code"] for g in (await bedside.get(path))["gates"] if not g["ok"]}
        expect(not open_gates & {"checklist_missing", "checklist_not_agreed"}, open_gates)
    with step("the patient consents to the current text by signature"):
        text = await bedside.get("consent-texts/current?kind=remote_exam")
        consent = {"text_version": text["version"], "given_by": "patient", "method": "signature"}
        await bedside.post(f"{path}/consents", consent | {"signature_png": _signature()}, status=201)
    with step("the robot is online"):
        await soon(lambda: _online(script), timeout_s=90, what="robot online")
    with step("the robot's self-test is passed"):
        await soon(lambda: _self_test(script), timeout_s=90, what="self-test")
    with step("the bedside declares ready"):
        exam = await bedside.post(f"{path}/ready")
        expect(exam["state"] == "ready", exam["state"])


async def _online(script: Script) -> bool:
    return bool((await script.bedside.get(script.path))["robot"]["online"])


async def _self_test(script: Script) -> bool:
    """Asked again while it fails: just after its start the simulated robot has no pictures yet."""
    await script.bedside.post(f"{script.path}/self-test", status=202)
    test = await soon(lambda: _test_done(script), timeout_s=60, what="self-test answered")
    if not test["passed"]:
        script.checks.say(f"  self-test: {[row['code'] for row in test['checks'] if not row['ok']]} failed")
    return bool(test["passed"])


async def _test_done(script: Script) -> Any:
    test = (await script.bedside.get(script.path))["self_test"]
    return test if test and test["passed"] is not None and test["checks"] else None


def _operator(script: Script, token: str, role: str) -> Operator:
    return Operator(script.base_url, token=token, exam_id=script.exam_id, role=role, video=role == "console")


async def _oversized(script: Script) -> None:
    """A message over 64 KiB ends the socket with 1009 before anything reads it."""
    ticket = (await script.bedside.post("auth/ticket", status=201))["ticket"]
    address = f"{script.base_url.replace('http', 'ws', 1)}/ws/{script.path}/bedside/?ticket={ticket}"
    async with connect(address, proxy=None) as socket:
        await socket.send("x" * 70_000)
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.wait_for(socket.recv(), 10)
        expect(socket.close_code == 1009, socket.close_code)


async def _connect(script: Script) -> None:
    enter = script.connections.enter_async_context
    with script.checks.step("an oversized message closes the socket"):
        await _oversized(script)
    with script.checks.step("the bedside's page connects to the robot"):
        script.bedside_end = await enter(_operator(script, script.bedside.token, "bedside"))
    with script.checks.step("the remote console connects and receives pictures"):
        script.console_end = await enter(_operator(script, script.remote.token, "console"))
        await script.console.wait(lambda: script.console.frames_n > 10, timeout_s=20, what="pictures")


async def _take_and_measure(script: Script) -> None:
    """Control first, because a loop of commands and telemetry is what is measured."""
    await script.remote.post(f"{script.path}/lease")
    console = script.console
    await console.wait(lambda: console.epoch is not None, what="lease")
    await console.wait(lambda: len(console.rtt_ms) > 20, timeout_s=20, what="telemetry answers commands")


async def _report_quality(script: Script) -> None:
    console = script.console
    frames, commands, answers, began = (
        console.frames_n,
        console.commands_n,
        console.telemetry_n,
        time.monotonic(),
    )
    await asyncio.sleep(5.0)
    seconds = time.monotonic() - began
    rtt = console.rtt_percentiles_ms()
    # The robot answers each command at once: what is missing of the answers was lost on the way.
    lost = 1 - (console.telemetry_n - answers) / max(1, console.commands_n - commands)
    measured = {"rtt_p50_ms": rtt["p50"], "rtt_p95_ms": rtt["p95"]}
    measured |= {"loss_pct": 100 * max(0.0, lost), "jitter_ms": rtt["p95"] - rtt["p50"]}
    fps = (console.frames_n - frames) / seconds
    await console.send("quality", **measured, fps=fps, seconds=seconds)
    script.checks.say(f"  loop p50 {rtt['p50']:.0f} ms, p95 {rtt['p95']:.0f} ms, {fps:.0f} pictures a second")
    await soon(
        lambda: _gate_open(script, "link_poor"), timeout_s=10, what=f"link good: {measured} fps {fps:.0f}"
    )


async def _gate_open(script: Script, code: str) -> bool:
    return any(g["code"] == code and g["ok"] for g in (await script.remote.get(script.path))["gates"])


async def _start(script: Script) -> None:
    with script.checks.step("the remote physician takes control"):
        await _take_and_measure(script)
    with script.checks.step("only the exam's remote physician may hold control"):
        await script.bedside.post(f"{script.path}/lease", status=403)
    with script.checks.step("the link is measured and good enough"):
        await _report_quality(script)
    with script.checks.step("every gate is open and the exam goes live"):
        exam = await script.remote.post(f"{script.path}/start")
        expect(exam["state"] == "live", exam["state"])
