"""Several credentials at once, and several servers, from the specs to the wire."""

from __future__ import annotations

from typing import Any


def test_each_operation_is_sent_its_own_combination(desk: Any) -> None:
    schemes = {
        "token": {"type": "http", "scheme": "bearer"},
        "app": {"type": "apiKey", "in": "header", "name": "X-App"},
        "tenant": {"type": "apiKey", "in": "query", "name": "tenant"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    api = desk.document(
        schemes,
        [{"token": [], "app": []}, {"token": [], "app": [], "tenant": []}, {}],
        [{"tenant": [], "session": []}],
    )
    names = {"token": "desk_token", "app": "app_key", "tenant": "tenant_key", "session": "session_key"}
    desk.write(
        api,
        desk.reads,
        desk.pays,
        desk.done,
        auth=[{"scheme": scheme, "secret": secret} for scheme, secret in names.items()],
        environment={"secrets": {name: {"env": name.upper()} for name in names.values()}},
    )
    values = {name.upper(): f"{name}+value" for name in names.values()}
    done = desk.run(**values)
    read, pay = desk.service.asked
    assert read.headers["authorization"] == "Bearer desk_token+value"
    assert read.headers["x-app"] == "app_key+value"
    assert (read.path, "cookie" in read.headers) == ("/tickets/T-1", False)
    assert pay.path == "/refunds?tenant=tenant_key%2Bvalue"
    assert pay.headers["cookie"] == "sid=session_key+value"
    assert not {"authorization", "x-app"} & pay.headers.keys()
    for value in values.values():
        assert value not in done.out + done.err + desk.bundle()


def test_one_missing_credential_of_two_stops_the_call(desk: Any) -> None:
    schemes = {
        "token": {"type": "http", "scheme": "bearer"},
        "app": {"type": "apiKey", "in": "header", "name": "X-App"},
    }
    desk.write(
        desk.document(schemes, [{"token": [], "app": []}]),
        auth=[{"scheme": "token", "secret": "desk_token"}, {"scheme": "app", "secret": "app_key"}],
        environment={"secrets": {"desk_token": {"env": "DESK"}, "app_key": {"file": "/nowhere/app-key"}}},
    )
    done = desk.run(DESK="desk-token-value")
    assert "AR506: secret `app_key` can't be read from the file `/nowhere/app-key`" in done.err
    assert desk.service.asked == []


# --- servers -------------------------------------------------------------------------------------------


def test_each_operation_goes_where_the_document_says(desk: Any) -> None:
    """The root's server has variables, one path has a server of its own."""
    other = desk.stack.enter_context(desk.services.Service(desk.answer))
    host, port = "127.0.0.1", desk.service.port
    variables = {"port": {"default": port}, "base": {"default": "v2", "enum": ["v1", "v2"]}}
    api = desk.document({"token": {"type": "http", "scheme": "bearer"}}, [{"token": []}])
    api["servers"] = [{"url": f"http://{host}:{{port}}/{{base}}/", "variables": variables}]
    api["paths"]["/refunds"]["servers"] = [{"url": f"http://{host}:{other.port}/money"}]
    desk.answers["v2"] = desk.answers["money"] = lambda _: desk.services.Answer(desk.ticket)
    changes: Any = {
        "auth": {"scheme": "token", "secret": "desk_token"},
        "environment": {
            "secrets": {"desk_token": {"env": "DESK"}},
            "private_hosts": [f"{host}:{other.port}"],
        },
    }
    turns = (desk.reads, desk.pays, desk.done)
    desk.write(api, *turns, server=None, **changes)
    desk.run(DESK="desk-token-value")
    assert [one.path for one in desk.service.asked] == ["/v2/tickets/T-1"]
    assert [one.path for one in other.asked] == ["/money/refunds"]

    # a server of the toolset's would take the refund along
    desk.write(api, *turns, **changes)
    built = desk.command("build", desk.project, "--out", desk.folder / "dist")
    assert built.code == 1
    assert "AC725" in built.err
    desk.write(api, *turns, tool={"server": f"http://{host}:{other.port}/pay"}, **changes)
    desk.answers["pay"] = desk.answers["money"]
    desk.run(DESK="desk-token-value")
    assert [one.path for one in desk.service.asked] == ["/v2/tickets/T-1", "/tickets/T-1"]
    assert [one.path for one in other.asked] == ["/money/refunds", "/pay/refunds"]
