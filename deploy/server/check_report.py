"""The scripted exam afterwards: report, signature, amendment, what the patient sees and others do not."""

from __future__ import annotations

import io
from typing import Any

from .check_state import DOCUMENT, PHONE, Script
from .check_tools import Person, expect

FINDINGS = "胆囊大小正常，腔内见一强回声团，后伴声影，随体位移动。"
IMPRESSION = "胆囊结石。"


async def report_and_patient(script: Script) -> None:
    await _draft(script)
    await _unsigned_hidden(script)
    await _sign(script)
    await _amend(script)
    await _patient(script)


async def _save(script: Script, impression: str) -> dict[str, Any]:
    found = await script.remote.get(f"{script.path}/report")
    body = {"findings": FINDINGS, "impression": impression, "revision": found["revision"]}
    return dict(await script.remote.ask("PUT", f"{script.path}/report", body))


async def _draft(script: Script) -> None:
    with script.checks.step("the report is saved; an older page is refused"):
        script.report = await _save(script, IMPRESSION)
        old = {"findings": "", "impression": "", "revision": script.report["revision"] - 1}
        await script.remote.ask("PUT", f"{script.path}/report", old, status=409)
    with script.checks.step("the bedside physician does not sign"):
        await script.bedside.post(f"reports/{script.report['id']}/sign", status=403)


async def _unsigned_hidden(script: Script) -> None:
    with script.checks.step("the patient signs in with the code of the mailbox"):
        script.people["patient"] = await script.patient(PHONE, DOCUMENT)
    with script.checks.step("the patient sees the exam, but no unsigned report and no picture of it"):
        patient = script.people["patient"]
        ids = [row["id"] for row in (await patient.get("me/exams"))["results"]]
        expect(script.exam_id in ids, ids)
        await patient.get(f"me/exams/{script.exam_id}/report", status=404)
        images = (await script.remote.get(f"{script.path}/images"))["results"]
        expect(images, "no picture stored")
        await patient.get(f"images/{images[0]['id']}", status=404)


async def _step_up(person: Person) -> None:
    await person.post("auth/step-up", {"totp": await person.code()})


async def _sign(script: Script) -> None:
    step, remote = script.checks.step, script.remote
    with step("a view without a picture needs a reason before the signature"):
        exam = await remote.get(script.path)
        images = (await remote.get(f"{script.path}/images"))["results"]
        left = [v["code"] for v in exam["exam_type"]["views"] if v["code"] not in {i["view"] for i in images}]
        refused = await remote.http.post(f"/api/v1/reports/{script.report['id']}/sign", json={})
        expect(
            refused.json()["code"] == "views_unaccounted" and refused.json()["views"] == left, refused.text
        )
        body = {"views": left, "reason": "gas"}
        told = await remote.ask("PUT", f"{script.path}/missing-views", body)
        expect([row["view"] for row in told["missing_views"]] == left, told)
    with step("signing needs a fresh proof of identity"):
        answer = await remote.http.post(f"/api/v1/reports/{script.report['id']}/sign", json={})
        expect(answer.status_code == 403 and answer.json()["code"] == "proof_required", answer.text)
    with step("the remote physician signs"):
        await _step_up(remote)
        script.report = await remote.post(f"reports/{script.report['id']}/sign")
        expect(
            script.report["status"] == "signed" and script.report["content_sha256"], script.report["status"]
        )
    with step("what is signed stays"):
        body = {"findings": "x", "impression": "x", "revision": script.report["revision"]}
        await remote.ask("PUT", f"{script.path}/report", body, status=409)
        again = await remote.get(f"reports/{script.report['id']}")
        expect(again["content_sha256"] == script.report["content_sha256"], again["content_sha256"])


async def _amend(script: Script) -> None:
    with script.checks.step("an amendment is a new version that names the old, which stays readable"):
        old, remote = script.report, script.remote
        draft = await remote.post(f"reports/{old['id']}/amend", {"reason": "补充随访建议"}, status=201)
        expect(draft["previous_id"] == old["id"], draft["previous_id"])
        await _save(script, IMPRESSION + "建议 6 个月后复查。")
        await _step_up(remote)
        script.report = await remote.post(f"reports/{draft['id']}/sign")
        was = await remote.get(f"reports/{old['id']}")
        expect(was["status"] == "superseded" and was["content"] == old["content"], was["status"])


def _check_picture(form: str, data: bytes) -> None:
    if form == "png":
        expect(data.startswith(b"\x89PNG"), data[:8])
    elif form == "mp4":
        import av

        with av.open(io.BytesIO(data), "r") as film:
            expect(len(list(film.decode(video=0))) >= 10, "few pictures")
    else:
        expect(data[128:132] == b"DICM", data[:8])


async def _patient(script: Script) -> None:
    step, rows = script.checks.step, {}
    with step("the patient reads the signed report"):
        patient = script.people["patient"]
        report = await patient.get(f"me/exams/{script.exam_id}/report")
        expect("复查" in str(report), report)
    with step("the patient opens pictures as PNG, MP4 and DICOM"):
        rows = {row["kind"]: row for row in (await script.remote.get(f"{script.path}/images"))["results"]}
        for kind, form in (("still", "png"), ("loop", "mp4"), ("still", "dicom")):
            _check_picture(form, await patient.data(f"/api/v1/images/{rows[kind]['id']}?as={form}"))
    with step("another patient gets 404 for report and picture"):
        row = script.installation.up["patients"][0]
        script.people["other patient"] = other = await script.patient(row["phone"], row["document_number"])
        await other.get(f"me/exams/{script.exam_id}/report", status=404)
        expect(rows, "no picture stored")
        await other.get(f"images/{rows['still']['id']}", status=404)
