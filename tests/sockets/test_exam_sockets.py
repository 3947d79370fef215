"""The pages' and the robot's sockets over real Valkey: what each thing that can arrive is answered with."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devices.fleet.models import ControlLease, RobotEvent, SelfTest
from devices.fleet.services import robot_pair, robot_pairing_code, self_test_ask
from hospital.access.services import ticket_issue
from teleconsult import services
from teleconsult.models import Exam, LinkQuality, Presence
from tests.factories import World

from .page import Page, open_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]
FINGERPRINT = ":".join(["AB"] * 32)
SDP = f"v=0\r\na=fingerprint:sha-256 {FINGERPRINT}\r\n"


class RobotEnd:
    def __init__(self, robot_id: Any, key: Ed25519PrivateKey) -> None:
        self.robot_id, self.key = robot_id, key

    def token(self, **changes: Any) -> str:
        issued = int(time.time())
        claims = {"iss": f"robot:{self.robot_id}", "aud": "hospital", "iat": issued, "exp": issued + 30}
        return jwt.encode(claims | {"jti": uuid.uuid4().hex} | changes, self.key, algorithm="EdDSA")

    async def dial(self, opened: list[Page], token: str | None = None) -> Page:
        header = (b"authorization", f"Robot {token or self.token()}".encode())
        page = Page("/ws/robot/", headers=[header])
        await page.connect()
        opened.append(page)
        return page


@pytest.fixture
async def robot(world: World) -> RobotEnd:
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    code = await sync_to_async(robot_pairing_code)(robot_id=world.robot.id)
    paired = await sync_to_async(robot_pair)(code=code, public_key_pem=pem.decode())
    return RobotEnd(paired.id, key)


async def state_of(exam: Exam) -> str:
    await exam.arefresh_from_db()
    return exam.state


async def test_the_page_is_welcomed_with_the_exam_as_it_is(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    welcome = await page.wait_for("welcome")
    assert welcome["exam"]["id"] == str(exam.id)
    assert (welcome["role"], len(welcome["peer_id"])) == ("console", 32)


async def test_a_ticket_opens_one_socket(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    ticket, _ = await sync_to_async(ticket_issue)(principal=world.principals["expert"])
    url = f"/ws/exams/{exam.id}/console/?ticket={ticket}"
    for expected in ("welcome", 4401):
        page = Page(url)
        await page.connect()
        opened.append(page)
        if expected == "welcome":
            await page.wait_for("welcome")
        else:
            assert await page.closed_with() == expected


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("expert2", "console"),
        ("desk", "console"),
        ("bedside", "console"),
        ("expert", "bedside"),
        ("other_expert", "console"),
    ],
)
async def test_everybody_but_the_exams_own_physician_of_that_end_gets_not_found(
    world: World, opened: list[Page], who: str, role: str
) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals[who], exam.id, role)
    assert await page.closed_with() == 4404


async def test_an_exam_that_is_over_has_no_socket(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.ended)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    assert await page.closed_with() == 4410


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "1", '"x"', "{}", '{"type": 1}', "[" * 5000])
async def test_what_is_no_message_closes_with_4400(world: World, opened: list[Page], text: str) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.wait_for("welcome")
    await page.send_to(text_data=text)
    assert await page.closed_with() == 4400


async def test_binary_frames_close_with_4400(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.send_to(bytes_data=b"\x00\x01")
    assert await page.closed_with() == 4400


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "drive"}, "unknown_message"),
        ({"type": "hurt"}, "unknown_message"),  # the bedside's word, not the console's
        ({"type": "_ended"}, "unknown_message"),
        ({"type": "prompt", "key": "run"}, "bad_message"),
        ({"type": "prompt"}, "bad_message"),
        ({"type": "voice", "kind": "shout"}, "bad_message"),
        ({"type": "quality", "rtt_p95_ms": "fast"}, "bad_message"),
        (
            {
                "type": "quality",
                **dict.fromkeys(["rtt_p50_ms", "rtt_p95_ms", "loss_pct", "jitter_ms", "fps", "seconds"], -1),
            },
            "bad_message",
        ),
        ({"type": "peer_offer", "sdp": 5}, "bad_message"),
    ],
)
async def test_a_wrong_message_is_answered_and_the_socket_stays(
    world: World, opened: list[Page], message: dict[str, Any], code: str
) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.wait_for("welcome")
    await page.send_to(text_data=json.dumps(message))
    assert (await page.wait_for("error"))["code"] == code
    await page.say("ping", t=5)
    assert (await page.wait_for("pong"))["t"] == 5


async def test_an_unknown_socket_address_closes_with_4404(opened: list[Page]) -> None:
    page = Page("/ws/nothing/here/")
    await page.connect()
    opened.append(page)
    assert await page.closed_with() == 4404


async def test_a_second_tab_replaces_the_first(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    first = await open_page(opened, world.principals["expert"], exam.id, "console")
    await first.wait_for("welcome")
    second = await open_page(opened, world.principals["expert"], exam.id, "console")
    welcome = await second.wait_for("welcome")
    assert await first.closed_with() == 4409
    await first.disconnect()
    row = await Presence.objects.aget(exam=exam, role="console")
    assert row.peer_id == welcome["peer_id"]


async def test_a_second_tab_takes_the_lease_away(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.ready)()
    first = await open_page(opened, world.principals["expert"], exam.id, "console")
    await first.wait_for("welcome")
    await Presence.objects.filter(role="console").aupdate(fingerprint="f")
    await sync_to_async(services.lease_take)(principal=world.principals["expert"], exam_id=exam.id)
    assert (await first.wait_for("lease"))["epoch"] == 1
    await open_page(opened, world.principals["expert"], exam.id, "console")
    assert await first.closed_with() == 4409
    assert (await ControlLease.objects.aget()).release_code == "taken_over"


async def test_the_lease_is_renewed_while_the_page_is_there_and_ends_with_it(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    exam = await sync_to_async(world.ready)()
    arm = await robot.dial(opened)
    await arm.wait_for("welcome")
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.wait_for("welcome")
    await Presence.objects.filter(role="console").aupdate(fingerprint="f")
    await sync_to_async(world.robot_online)()
    await sync_to_async(services.lease_take)(principal=world.principals["expert"], exam_id=exam.id)
    serials = [(await page.wait_for("lease"))["serial"] for _ in range(2)]
    assert serials[1] > serials[0]
    assert (await arm.wait_for("lease"))["token"].count(".") == 2
    await page.disconnect()
    opened.remove(page)
    assert (await arm.wait_for("lease_revoke"))["epoch"] == 1


async def test_an_offer_reaches_the_robot_with_a_token_for_its_fingerprint_and_the_answer_comes_back(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    exam = await sync_to_async(world.book)()
    arm = await robot.dial(opened)
    welcome = await arm.wait_for("welcome")
    await arm.say("hello", candidates=["host"])
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    peer_id = (await page.wait_for("welcome"))["peer_id"]
    await sync_to_async(world.robot_online)()
    await page.say("peer_offer", sdp=SDP)
    offer = await arm.wait_for("peer_offer")
    pem = welcome["server_keys"][0]["pem"]
    claims = jwt.decode(offer["token"], pem, algorithms=["EdDSA"], audience=f"robot:{robot.robot_id}")
    assert (claims["fp"], claims["role"], claims["peer"]) == (f"sha-256 {FINGERPRINT}", "console", peer_id)
    assert (offer["sdp"], offer["exam_id"]) == (SDP, str(exam.id))
    await arm.say("peer_answer", peer_id=peer_id, sdp="answer")
    assert (await page.wait_for("peer_answer"))["sdp"] == "answer"


async def test_without_the_robot_an_offer_is_refused_with_a_reason(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.say("peer_offer", sdp=SDP)
    assert (await page.wait_for("peer_refused"))["code"] == "robot_offline"


@pytest.mark.parametrize("sdp", ["v=0", SDP + SDP.replace("AB", "CD"), "a=fingerprint:sha-1 AB"])
async def test_an_offer_without_exactly_one_fingerprint_is_refused(
    world: World, opened: list[Page], sdp: str
) -> None:
    exam = await sync_to_async(world.book)()
    await sync_to_async(world.robot_online)()
    page = await open_page(opened, world.principals["expert"], exam.id, "console")
    await page.say("peer_offer", sdp=sdp)
    assert (await page.wait_for("error"))["code"] == "bad_message"


async def test_voice_prompts_and_words_of_the_patient_reach_the_other_end_only(
    world: World, opened: list[Page]
) -> None:
    exam = await sync_to_async(world.book)()
    console = await open_page(opened, world.principals["expert"], exam.id, "console")
    bedside = await open_page(opened, world.principals["bedside"], exam.id, "bedside")
    await bedside.wait_for("welcome")
    assert (await console.wait_for("bedside"))["present"] is True
    await console.say("voice", kind="offer", sdp="o")
    assert (await bedside.wait_for("voice"))["sdp"] == "o"
    await console.say("prompt", key="breathe_in")
    assert (await bedside.wait_for("prompt"))["from"] == "王思远"
    await bedside.say("hurt")
    await console.wait_for("hurt")


async def test_a_prompts_answer_reaches_the_console_and_a_wrong_one_nobody(
    world: World, opened: list[Page]
) -> None:
    exam = await sync_to_async(world.book)()
    console = await open_page(opened, world.principals["expert"], exam.id, "console")
    bedside = await open_page(opened, world.principals["bedside"], exam.id, "bedside")
    await console.say("prompt", key="hold", id="p1")
    assert (await bedside.wait_for("prompt"))["id"] == "p1"
    for wrong in (
        {"id": "p1", "shown": True, "spoken": "loud"},
        {"id": "p" * 65, "shown": True, "spoken": "voice"},
    ):
        await bedside.say("prompt_shown", **wrong)
        assert (await bedside.wait_for("error"))["code"] == "bad_message"
    await bedside.say("prompt_shown", id="p1", shown=True, spoken="voice")
    told = await console.wait_for("prompt_shown")
    assert (told["id"], told["shown"], told["spoken"]) == ("p1", True, "voice")


async def test_a_replaced_page_that_does_not_know_it_yet_is_not_heard(
    world: World, opened: list[Page]
) -> None:
    exam = await sync_to_async(world.book)()
    old = await open_page(opened, world.principals["expert"], exam.id, "console")
    bedside = await open_page(opened, world.principals["bedside"], exam.id, "bedside")
    await old.wait_for("welcome")
    await sync_to_async(Presence.objects.filter(exam=exam, role="console").update)(peer_id="newer")
    await old.say("voice", kind="offer", sdp="of the old page", page="old", call="1")
    newer = await open_page(opened, world.principals["expert"], exam.id, "console")
    await newer.say("voice", kind="offer", sdp="of the newer page", page="new", call="2")
    heard = await bedside.wait_for("voice")
    assert (heard["sdp"], heard["page"], heard["call"]) == ("of the newer page", "new", "2")


async def test_a_change_of_the_exam_reaches_both_pages(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    console = await open_page(opened, world.principals["expert"], exam.id, "console")
    await console.wait_for("welcome")
    await sync_to_async(services.exam_check_in)(principal=world.principals["desk"], exam_id=exam.id)
    while (await console.wait_for("exam"))["exam"]["state"] != "checked_in":
        pass


async def test_a_measured_link_is_kept_with_the_exam(world: World, opened: list[Page]) -> None:
    exam = await sync_to_async(world.book)()
    console = await open_page(opened, world.principals["expert"], exam.id, "console")
    await console.say("quality", rtt_p50_ms=3, rtt_p95_ms=9, loss_pct=0, jitter_ms=1, fps=30, seconds=10)
    await console.wait_for("exam")
    assert (await LinkQuality.objects.aget(exam=exam)).good


async def test_a_wrong_key_a_used_token_and_an_old_token_are_refused(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    token = robot.token()
    await (await robot.dial(opened, token)).wait_for("welcome")
    stranger = RobotEnd(robot.robot_id, Ed25519PrivateKey.generate())
    past = int(time.time()) - 100
    for bad in (
        token,
        stranger.token(),
        robot.token(iat=past, exp=past + 30),
        robot.token(aud="somebody"),
        robot.token(exp=int(time.time()) + 3600),
        RobotEnd(uuid.uuid4(), robot.key).token(),
        "x.y.z",
    ):
        assert await (await robot.dial(opened, bad)).closed_with() == 4401


async def test_a_newer_connection_of_the_robot_closes_the_older(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    first = await robot.dial(opened)
    await first.wait_for("welcome")
    await (await robot.dial(opened)).wait_for("welcome")
    assert await first.closed_with() == 4409


async def test_an_event_sent_twice_is_kept_once_and_acknowledged_twice(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    exam = await sync_to_async(world.live)()
    arm = await robot.dial(opened)
    for _ in range(2):
        await arm.say(
            "event",
            serial=1,
            kind="stop",
            at_ms=1_790_000_000_000,
            exam_id=str(exam.id),
            data={"cause": "SILENCE"},
        )
        assert (await arm.wait_for("event_ack"))["serial"] == 1
    assert await RobotEvent.objects.acount() == 1
    assert await state_of(exam) == "live"


async def test_a_robot_that_misses_the_bedside_pauses_the_exam(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    exam = await sync_to_async(world.live)()
    arm = await robot.dial(opened)
    await arm.say(
        "event",
        serial=2,
        kind="stop",
        at_ms=1_790_000_000_000,
        exam_id=str(exam.id),
        data={"cause": "BEDSIDE_ABSENT"},
    )
    await arm.wait_for("event_ack")
    assert await state_of(exam) == "paused"


async def test_the_robots_self_test_answer_is_kept_and_a_strangers_changes_nothing(
    world: World, opened: list[Page], robot: RobotEnd
) -> None:
    exam = await sync_to_async(world.book)()
    arm = await robot.dial(opened)
    await arm.wait_for("welcome")
    test = await sync_to_async(self_test_ask)(
        robot_id=world.robot.id, exam_id=exam.id, by_id=world.users["bedside"].id
    )
    asked = await arm.wait_for("self_test")
    assert asked["request_id"] == str(test.id)
    await arm.say(
        "self_test_result", request_id=str(uuid.uuid4()), exam_id=str(exam.id), passed=True, checks=[]
    )
    await arm.say(
        "self_test_result", request_id=str(test.id), passed=False, checks=[{"code": "stop_time", "ok": False}]
    )
    await arm.say("self_test_result", request_id=str(test.id), passed=True, checks=[])
    await arm.say("nonsense")
    assert (await arm.wait_for("error"))["code"] == "unknown_message"
    assert (await SelfTest.objects.aget(id=test.id)).passed is False


@pytest.mark.parametrize(
    "message",
    [
        {"type": "event"},
        {"type": "self_test_result", "request_id": 1},
        {"type": "event", "serial": "x", "kind": "", "at_ms": 1},
        {"type": "event", "serial": 1, "kind": "k", "at_ms": 10**30},
    ],
)
async def test_a_robots_bad_message_is_answered_and_nothing_is_written(
    world: World, opened: list[Page], robot: RobotEnd, message: dict[str, Any]
) -> None:
    arm = await robot.dial(opened)
    await arm.send_to(text_data=json.dumps(message))
    assert (await arm.wait_for("error"))["code"] == "bad_message"
    assert not await RobotEvent.objects.aexists()
