"""Voice and prompts between the two pages in Chromium: what is proved is sound that arrives, not a state's name."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.waiting import until

from .browser import ARGUMENTS, CHROMIUM
from .conftest import House

pytestmark = pytest.mark.timeout(240)
VOICE_BACK_S = 5.0
# Sound energy that arrived in this page's call, J as getStats has it; -1 without a call. The fake microphone beeps.
ENERGY = """async () => {
  const { pc } = (globalThis.liveConsole ?? globalThis.liveBedside).voice;
  for (const row of (await pc?.getStats())?.values() ?? []) {
    if (row.type === "inbound-rtp" && row.kind === "audio") return row.totalAudioEnergy ?? 0;
  }
  return -1;
}"""
VOICE = "(globalThis.liveConsole ?? globalThis.liveBedside).voice"
SOCKET = "(globalThis.liveConsole ?? globalThis.liveBedside).session.signalling"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """As people's browsers are: a page may not play sound by itself before a gesture."""
    arguments = [argument for argument in ARGUMENTS if not argument.startswith("--autoplay")]
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


def _signed_in(browser: Browser, house: House, role: str) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.grant_permissions(["microphone", "camera"], origin=house.base_url)
    page = context.new_page()
    house.sign_in(page, role)
    page.close()
    return context


@pytest.fixture(scope="module")
def contexts(browser: Browser, house: House) -> dict[str, BrowserContext]:
    roles = {"console": "remote_physician", "bedside": "bedside_physician"}
    return {name: _signed_in(browser, house, role) for name, role in roles.items()}


@contextmanager
def _page(context: BrowserContext, address: str) -> Iterator[Page]:
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        page.close()
    assert errors == []


@pytest.fixture
def addresses(house: House) -> dict[str, str]:
    exam = house.up["exams"][0]["id"]
    base = f"{house.base_url}/console"
    return {"console": f"{base}/exams/{exam}/", "bedside": f"{base}/bedside/{exam}/"}


@pytest.fixture
def console(contexts: dict[str, BrowserContext], addresses: dict[str, str]) -> Iterator[Page]:
    with _page(contexts["console"], addresses["console"]) as page:
        yield page


@pytest.fixture
def bedside(contexts: dict[str, BrowserContext], addresses: dict[str, str]) -> Iterator[Page]:
    with _page(contexts["bedside"], addresses["bedside"]) as page:
        yield page


def hears(page: Page) -> None:
    """More sound energy arrives than had arrived."""
    before = {"energy": float(page.evaluate(ENERGY))}

    def more() -> bool:
        now = float(page.evaluate(ENERGY))
        if now < before["energy"]:  # a new call counts from zero
            before["energy"] = now
        return now > max(0.0, before["energy"])

    until(more, timeout_s=20, every_s=0.05, what="sound arrives")


def both_hear(console: Page, bedside: Page) -> float:
    """Seconds until sound arrives at both ends."""
    began = time.monotonic()
    hears(console)
    hears(bedside)
    return time.monotonic() - began


def call_of(page: Page) -> str:
    return str(page.evaluate(f"{VOICE}.callName"))


def test_voice_comes_back_both_ways_when_either_page_is_loaded_again(console: Page, bedside: Page) -> None:
    both_hear(console, bedside)
    for page in (console, bedside, console):
        old = call_of(page)
        began = time.monotonic()
        page.reload()
        page.wait_for_function(f"(old) => {VOICE}.callName !== null && {VOICE}.callName !== old", arg=old)
        both_hear(console, bedside)
        took = time.monotonic() - began
        print(f"\nvoice back after reload of {page.url.split('/')[4]}: {took:.1f} s, load included")
        assert took < VOICE_BACK_S + 5  # the page's own loading on a busy machine is not the voice's
    expect(console.locator("#voice")).to_have_attribute("data-state", "on")
    assert console.evaluate("document.querySelector('#level-theirs').value !== null")
    print("blocked by autoplay:", [page.evaluate(f"Boolean({VOICE}.blocked)") for page in (console, bedside)])


def test_a_dropped_socket_of_either_page_does_not_touch_the_voice(console: Page, bedside: Page) -> None:
    both_hear(console, bedside)
    call = call_of(console)
    for page in (console, bedside):
        peer = page.evaluate("(globalThis.liveConsole ?? globalThis.liveBedside).session.peerId")
        page.evaluate(f"{SOCKET}.socket.close()")
        both_hear(console, bedside)
        page.wait_for_function(
            "(old) => (globalThis.liveConsole ?? globalThis.liveBedside).session.peerId !== old", arg=peer
        )
        both_hear(console, bedside)
    assert [call_of(page) for page in (console, bedside)] == [call, call]


def test_the_newest_page_has_the_voice_and_the_replaced_one_is_silent(
    console: Page, bedside: Page, contexts: dict[str, BrowserContext], addresses: dict[str, str]
) -> None:
    both_hear(console, bedside)
    with _page(contexts["console"], addresses["console"]) as newer:
        both_hear(newer, bedside)
        console.wait_for_function(f"() => {VOICE}.ended && {VOICE}.pc === null")
        console.evaluate(f"{VOICE}.received({{kind: 'hello', page: 'x', call: null, wants: true}})")
        assert call_of(newer) == call_of(bedside)
        both_hear(newer, bedside)


def test_late_answers_and_two_greetings_at_once_leave_one_call_that_carries_sound(
    console: Page, bedside: Page
) -> None:
    both_hear(console, bedside)
    console.evaluate(
        f"""() => {{
          const voice = {VOICE}; const page = voice.otherPage;
          voice.received({{kind: "hello", page, call: null, wants: false}});
          voice.received({{kind: "hello", page, call: null, wants: true}});
          voice.received({{kind: "answer", page, call: "an older call", sdp: "v=0"}});
          voice.received({{kind: "offer", page, call: "not mine to answer", sdp: "v=0"}});
        }}"""
    )
    until(lambda: call_of(console) == call_of(bedside) != "null", what="one call")
    both_hear(console, bedside)


def test_muted_stays_muted_over_a_reload_and_the_other_side_hears_silence(
    console: Page, bedside: Page
) -> None:
    both_hear(console, bedside)
    bedside.evaluate(f"{VOICE}.toggleMicrophone()")
    bedside.reload()
    bedside.wait_for_function(f"() => {VOICE}.mic === 'muted' && {VOICE}.state === 'on'")
    hears(bedside)
    console.wait_for_function(f"() => {VOICE}.state === 'on' && {VOICE}.heard")  # packets of silence
    before = float(console.evaluate(ENERGY))
    hears(bedside)
    hears(bedside)
    assert float(console.evaluate(ENERGY)) - before < 1e-4
    bedside.evaluate(f"{VOICE}.toggleMicrophone()")
    hears(console)


def test_a_prompt_fills_the_bedsides_width_in_two_languages_and_the_console_is_told(
    console: Page, bedside: Page
) -> None:
    both_hear(console, bedside)
    console.wait_for_function("() => globalThis.liveConsole.session.linked")
    console.evaluate(
        """() => {
          const { prompts } = globalThis.liveConsole; const { request } = prompts;
          prompts.request = (...asked) => { globalThis.robotDid = request(...asked); return globalThis.robotDid; };
        }"""
    )
    console.locator(".prompt", has_text="屏住").click()
    assert console.evaluate("() => globalThis.robotDid")["key"] == "hold"  # the robot heard it too
    expect(bedside.locator("#prompt-zh")).to_have_text("屏住呼吸")
    expect(bedside.locator("#prompt-en")).to_have_text("Hold your breath")
    box = bedside.locator("#prompt").bounding_box()
    assert box is not None
    assert box["width"] == 1366
    glyphs = bedside.evaluate("parseFloat(getComputedStyle(document.querySelector('#prompt-zh')).fontSize)")
    assert glyphs > 120  # px: some 30 mm on a tablet
    stop = bedside.locator("#stop").bounding_box()
    assert stop is not None
    assert box["y"] + box["height"] <= stop["y"]
    expect(bedside.locator("#prompt-seconds")).to_have_text("2 s")
    # Chromium here has no Chinese voice: said on both pages, with a tone, never a silent failure.
    expect(bedside.locator("#prompt-note")).to_contain_text("念给患者")
    expect(console.locator("#prompt-state")).to_have_text("已显示，只有提示音")
    expect(console.locator("#notes")).to_contain_text("没有播报")
    expect(bedside.locator("#prompt-robot")).to_have_text(
        re.compile("机器人 (静止|保持)")
    )  # the word under it
    expect(console.locator("#prompts .last")).to_contain_text("s")
    console.locator(".prompt", has_text="放松").click()
    expect(bedside.locator("#prompt-seconds")).to_be_hidden()


def test_a_prompt_is_spoken_in_chinese_where_the_browser_has_a_voice(console: Page, bedside: Page) -> None:
    both_hear(console, bedside)
    bedside.evaluate(
        """() => {
          globalThis.said = [];
          speechSynthesis.getVoices = () => [{ lang: "en-US" }, { lang: "zh-CN", localService: true }];
          globalThis.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
          speechSynthesis.speak = (one) => { said.push([one.text, one.lang]); one.onstart(); };
        }"""
    )
    console.locator(".prompt", has_text="吸气").click()
    expect(console.locator("#prompt-state")).to_have_text("已显示并播报")
    assert bedside.evaluate("said") == [["深吸一口气", "zh-CN"]]


def test_a_prompt_nobody_shows_is_told_to_the_physician_at_once(console: Page) -> None:
    console.wait_for_function(f"() => {SOCKET}.open")
    console.locator(".prompt", has_text="吸气").click()
    expect(console.locator("#prompt-state")).to_have_text("床旁未显示", timeout=3_000)
    expect(console.locator("#notes")).to_contain_text("请直接对患者说")


def test_a_breath_held_for_twenty_seconds_warns_on_both_pages(console: Page, bedside: Page) -> None:
    both_hear(console, bedside)
    console.locator(".prompt", has_text="屏住").click()
    expect(bedside.locator("#prompt-zh")).to_have_text("屏住呼吸")
    for page, name in ((console, "liveConsole"), (bedside, "liveBedside")):
        page.evaluate(f"globalThis.{name}.prompts.hold.since -= 20_000")
    expect(bedside.locator("#prompt")).to_have_attribute("data-long", "true")
    expect(bedside.locator("#prompt-note")).to_contain_text("屏气过久")
    expect(console.locator("#notes")).to_contain_text("屏气已 20 秒")


def test_a_prompt_gives_the_bedsides_page_back_while_the_breath_is_counted_on(
    console: Page, bedside: Page
) -> None:
    both_hear(console, bedside)
    console.locator(".prompt", has_text="屏住").click()
    expect(bedside.locator("#prompt-zh")).to_have_text("屏住呼吸")
    bedside.locator("#prompt").click()
    expect(bedside.locator("#prompt")).to_have_class("prompt folded")
    for control in ("#show-live", "#show-steps", "#tone", "#stop"):
        bedside.locator(control).click(trial=True)  # nothing lies over it
    expect(bedside.locator("#prompt-seconds")).to_be_visible()
    bedside.evaluate("globalThis.liveBedside.prompts.hold.since -= 20_000")
    expect(bedside.locator("#prompt-note")).to_contain_text("屏气过久")
    expect(bedside.locator("#prompt")).to_have_class("prompt")  # large again: somebody has to do something
