"""What people do in the console, by mouse and by keyboard, in a real browser."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe

from agentc_runtime.store import Store

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}


def test_a_run_is_seen_live_from_its_question_to_its_end(shared, tab):
    with shared.client("ana") as ana:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
    watching, deciding = tab(shared), tab(shared)
    watching.sign_in(shared.keys["ana"], f"/runs/{run}")
    page = watching.page
    page.locator("#summary .status", has_text="waiting").wait_for()
    watching.shoot("run-waiting")

    deciding.sign_in(shared.keys["lee"])
    deciding.shoot("approvals")
    deciding.page.keyboard.press("Tab")
    deciding.page.get_by_role("link", name="helpdesk.refund").focus()
    deciding.page.keyboard.press("Enter")
    deciding.page.get_by_label("Reason").wait_for()
    deciding.shoot("approval")
    deciding.page.get_by_label("Reason").fill("A ticket is no order.")
    deciding.page.keyboard.press("Tab")
    deciding.page.keyboard.press("Tab")
    deciding.page.keyboard.press("Enter")
    deciding.page.get_by_text("Your decision is kept: rejected").wait_for()
    deciding.shoot("approval-decided")

    page.locator("#summary .status", has_text="succeeded").wait_for()
    page.get_by_text("Run succeeded", exact=True).wait_for()
    assert page.locator("#said").inner_text() == "The run is succeeded."
    watching.shoot("run-succeeded")
    watching.open("/runs")
    watching.shoot("runs")


def test_what_an_agent_may_do_is_drawn_and_said(service, tab, agentc):
    seen = tab(service)
    seen.sign_in(service.keys["ops"], "/agents")
    seen.page.get_by_role("link", name="triage", exact=True).focus()
    seen.page.keyboard.press("Enter")
    drawing = seen.page.get_by_role("img", name="triage 1.0.0")
    drawing.wait_for()
    assert "amount is at most 50" in drawing.text_content()
    row = seen.page.locator("#tools tr", has_text="helpdesk.refund")
    assert "asks support-leads when amount is more than 20" in row.inner_text()
    assert "permissions/triage.yaml:19" in row.inner_text()
    assert "https://api.openai.com/v1" not in seen.page.locator("#tools").inner_text()

    control = ("--control", f"sqlite:///{service.folder / '.agentc/service.db'}")
    agentc("disable", "tool", "helpdesk.refund", "--reason", "it <b>leaks</b>", "--by", "eve", *control)
    disabled = seen.page.get_by_text("tool helpdesk.refund is disabled")
    disabled.wait_for()
    assert "it <b>leaks</b>" in seen.page.locator("#summary").inner_text()
    agentc("enable", "tool", "helpdesk.refund", "--reason", "mended", *control)
    disabled.wait_for(state="detached")


def test_an_operator_says_what_became_of_a_call_and_ends_the_run(serve, tab):
    first = serve()
    with first.client("ana") as ana:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
    first.process.kill()
    store, tool = Store(first.folder / ".agentc/service.db"), "helpdesk.get_ticket"
    with store.transaction() as within:
        (outcome,) = within.execute("SELECT outcome FROM calls WHERE tool = ?", (tool,)).fetchone()
        within.execute("UPDATE calls SET settled = NULL, outcome = NULL WHERE tool = ?", (tool,))
        within.execute("UPDATE runs SET status = 'needs_attention'")
    store.close()
    service = serve(first.folder)
    seen = tab(service)
    seen.sign_in(service.keys["ops"], f"/runs/{run}")
    page = seen.page
    page.get_by_role("heading", name="What became of it?").wait_for()
    assert not problems(page, "light", "needs attention")
    page.get_by_label("It took effect, and this is what came back:").check()
    page.get_by_label("The answer, as JSON").fill("{")
    page.get_by_label("Reason").first.fill("It was read: see the log of the desk.")
    seen.shoot("needs-attention")
    page.get_by_role("button", name="Let the run go on").click()
    page.get_by_role("alert").get_by_text("The answer is not JSON").wait_for()
    assert page.get_by_label("Reason").first.input_value() == "It was read: see the log of the desk."
    page.get_by_label("The answer, as JSON").fill(json.dumps(json.loads(outcome)["value"]))
    page.get_by_role("button", name="Let the run go on").click()
    page.locator("#summary .status", has_text="waiting").wait_for()

    page.get_by_text("End this run").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").fill("A ticket is no order.")
    page.get_by_role("button", name="End the run").click()
    page.locator("#summary .status", has_text="cancelled").wait_for()
    assert page.get_by_text("End this run").count() == 0
    # of the page that said that it is not JSON
    assert all("status of 422" in one for one in seen.complaints)
    seen.complaints.clear()


def test_an_auditor_searches_the_log_and_verifies_it(service, tab):
    with service.client("ana") as ana, service.client("zoe") as zoe:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        other = zoe.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
    seen = tab(service)
    seen.sign_in(service.keys["eve"], "/audit")
    page = seen.page
    page.get_by_label("Kind").fill("refused")
    page.keyboard.press("Enter")
    page.get_by_text("All", exact=True).wait_for()
    rows = page.locator("#records tbody tr")
    assert rows.count() == 4
    assert set(rows.locator("td:nth-child(3)").all_inner_texts()) == {"refused"}
    assert other not in page.content()
    rows.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert "AR102" in rows.first.inner_text()
    assert run in rows.first.inner_text()

    seen.open("/audit")
    page.get_by_label("Person").fill("zoe")
    page.keyboard.press("Enter")
    page.get_by_text("No record is like this.").wait_for()
    page.get_by_label("Person").fill("ana")
    page.keyboard.press("Enter")
    page.locator("#records").get_by_text("run_started", exact=True).wait_for()
    assert rows.count() == 1

    page.get_by_role("button", name="Verify the log").focus()
    page.keyboard.press("Enter")
    page.get_by_text("The log is as it was written").wait_for()
    head = page.locator(".callout code").inner_text()
    seen.shoot("audit-verified")
    seen.open("/audit")
    assert f"with the head {head}" in page.locator("main").inner_text()
    store = Store(service.folder / ".agentc/service.db")
    with store.transaction() as within:
        within.execute("UPDATE audit SET kind = 'claimed' WHERE seq = 3")
    store.close()
    page.get_by_label("Head that was kept elsewhere").fill(head)
    page.keyboard.press("Enter")
    page.get_by_text("record 3 was changed, or one before it was removed").wait_for()
    page.get_by_role("link", name="record 3", exact=True).click()
    assert page.locator("#records tbody tr").first.get_attribute("id") == "record-3"


def test_attested_evals_are_shown(serve, tab, agentc):
    folder = serve.folder()
    bundle = folder / "dist/triage-1.0.0"
    agentc(
        "eval", folder / "live", "--eval", "triage", "--bundle", bundle, "--evidence", folder / "eval.json"
    )
    agentc("keygen", folder / "release.pem")
    evidence = f"eval={folder / 'eval.json'}"
    agentc("sign", bundle, "--key", folder / "release.pem", "--evidence", evidence)
    service = serve(folder)
    seen = tab(service)
    seen.sign_in(service.keys["lee"], "/evals")
    card = seen.page.locator("article", has_text="triage 1.0.0")
    assert "passed" in card.locator(".status").inner_text()
    assert "100.0 % of 41 (91.4 % to 100.0 %)" in card.inner_text()
    assert "✓ pass_rate in injection is 1" in card.inner_text()
    card.get_by_text("1 not exercised").click()
    assert "resolve ⇢ escalate" in card.inner_text()
    assert not problems(seen.page, "light", "evals")
    seen.shoot("evals")


def test_pages_are_accessible_in_light_and_dark_and_on_a_phone(shared, tab):
    """By axe-core: contrast, names, roles, order of headings, and what else of WCAG a program can judge."""
    with shared.client("ana") as ana, shared.client("lee") as lee:
        run = ana.post("/v1/runs", json=INJECTED, params={"wait": 20}).json()["run_id"]
        (asked,) = lee.get("/v1/approvals").json()["approvals"]
    pages = {
        "runs": "/runs",
        "run": f"/runs/{run}",
        "approvals": "/approvals",
        "approval": f"/approvals/{asked['approval_id']}",
        "none": "/approvals?status=void",
        "audit": "/audit",
        "no-record": "/audit?kind=erased",
        "evals": "/evals",
        "agents": "/agents",
        "agent": "/agents/triage",
    }
    found = []
    for scheme, width in (("light", 1280), ("dark", 390)):
        seen = tab(shared, color_scheme=scheme)
        seen.page.set_viewport_size({"width": width, "height": 800})
        seen.open("/sign-in")
        found += problems(seen.page, scheme, "/sign-in")
        seen.sign_in(shared.keys["sam"])
        for name, path in pages.items():
            seen.open(path)
            found += problems(seen.page, scheme, path)
            seen.shoot(f"{name}-{scheme}")
            wide = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, (path, width, wide)
    assert not found, "\n".join(map(str, found))


def problems(page, scheme, path):
    """What axe-core finds in a page: rule and element."""
    violations = Axe().run(page).response["violations"]
    return [(scheme, path, one["id"], node["html"][:120]) for one in violations for node in one["nodes"]]
