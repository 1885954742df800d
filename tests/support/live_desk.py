"""A desk on loopback with everything around it: a project, a model, and the way from one to the other."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

#: What the token endpoint says beside the token.
TOKEN = {"token_type": "Bearer", "expires_in": 3600}


def document(schemes: dict[str, Any], read: Any, pay: Any = ..., **changes: Any) -> dict[str, Any]:
    """The API of a desk, whose two operations ask for `read` and `pay`; a third one asks for more."""
    ticket = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "subject": {"type": "string"}},
        "required": ["id"],
    }

    def operation(name: str, security: Any, **more: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": ticket}}
        answers = {"200": {"description": "it", "content": content}}
        return {"operationId": name, "summary": name, "security": security, "responses": answers, **more}

    refund = {
        "type": "object",
        "properties": {"ticket_id": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["ticket_id", "amount"],
    }
    body = {"required": True, "content": {"application/json": {"schema": refund}}}
    identity = {"name": "ticket_id", "in": "path", "required": True, "schema": {"type": "string"}}
    everything = operation("deleteAll", [{name: ["admin"]} for name in schemes])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Desk", "version": "1"},
        "paths": {
            "/tickets/{ticket_id}": {"get": operation("getTicket", read, parameters=[identity])},
            "/refunds": {"post": operation("createRefund", read if pay is ... else pay, requestBody=body)},
            "/all": {"post": everything},
        },
        "components": {"securitySchemes": schemes},
        **changes,
    }


class Desk:
    """A desk, its provider of tokens, a model and a project that knows them, all on loopback.

    `reads`, `pays` and `done` are what the model may say in a turn. The token endpoint gives `tokens` in
    turn; `answers` are those of the desk, by the first segment of the path.
    """

    model_key = "key-of-the-model"
    ticket: ClassVar = {"id": "T-1", "subject": "It broke"}
    reads: ClassVar = {"calls": [{"name": "desk__get_ticket", "arguments": {"ticket_id": "T-1"}}]}
    pays: ClassVar = {"calls": [{"name": "desk__refund", "arguments": {"ticket_id": "T-1", "amount": 5}}]}
    done: ClassVar = {"text": "Done."}
    grants = (
        {"tool": "desk.get_ticket"},
        {"tool": "desk.refund", "where": {"amount": {"maximum": 50}}, "quota": {"per_run": 5}},
    )
    document = staticmethod(document)

    def __init__(self, stack: ExitStack, folder: Path, command: Any, modules: Any) -> None:
        self.stack, self.folder, self.command = stack, folder, command
        self.services, self.providers, self.vaults = modules
        self.answers: dict[str, Any] = {}
        self.tokens: list[Any] = []
        self.service = stack.enter_context(self.services.Service(self.answer))
        self.url = f"http://127.0.0.1:{self.service.port}"
        self.model: Any = None
        self.project: Path = folder / "project"

    def answer(self, asked: Any) -> Any:
        if asked.path == "/token":
            said = self.tokens[min(len(self.service.to("/token")), len(self.tokens)) - 1]
            return said if not isinstance(said, dict) else self.services.Answer({**TOKEN, **said})
        known = self.answers.get(asked.path.split("/")[1])
        return self.services.Answer(self.ticket) if known is None else known(asked)

    def write(
        self,
        api: dict[str, Any],
        *turns: Any,
        grants: Any = grants,
        tool: dict[str, Any] | None = None,
        environment: dict[str, Any] | None = None,
        server: str = "${env.DESK_URL}",
        **toolset: Any,
    ) -> None:
        """The project, and a model that says `turns`."""
        self.model = self.stack.enter_context(self.providers.FakeProvider(turns or (self.reads, self.done)))
        more = environment or {}
        tools = {
            "get_ticket": {"operation": "getTicket", "effect": "read", "output": {"trust": "trusted"}},
            "refund": {"operation": "createRefund", "effect": "send", "output": {"trust": "trusted"}},
        }
        tools["refund"].update(tool or {})
        self.services.write_project(
            self.project,
            model=self.model.url,
            document=api,
            toolset={"server": server, "tools": tools, **toolset},
            environment={
                **more,
                "variables": {"DESK_URL": self.url, **more.get("variables", {})},
                "private_hosts": [self.url.removeprefix("http://"), *more.get("private_hosts", ())],
            },
            grants=grants,
        )

    def run(self, *arguments: object, code: int = 0, **environment: str) -> Any:
        """Build the project and run the bundle."""
        out = self.folder / "dist"
        built = self.command("build", self.project, "--out", out)
        assert built.code == 0, built.err
        arguments = arguments or ("--no-store",)
        done = self.command("run", out / "triage-1.0.0", *arguments, MODEL_KEY=self.model_key, **environment)
        assert done.code == code, done.err
        return done

    def bundle(self) -> str:
        """All that is in the bundle."""
        return "".join(path.read_text() for path in sorted((self.folder / "dist/triage-1.0.0").iterdir()))
