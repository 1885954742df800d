"""Four operations of GitHub's API on loopback, for the project in `specs/issues`. Standard library only.

    python tests/support/fake_github.py --port 8932

It prints its base URL first, and then a line of JSON for each change. The data is made up and fixed.
"""

from __future__ import annotations

import argparse
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "stand-in-token"
API = "https://api.github.com/repos/acme/list"
TIME = "2026-01-05T09:00:00Z"
USER_URLS = (
    *("avatar_url", "events_url", "followers_url", "following_url", "gists_url", "html_url"),
    *("organizations_url", "received_events_url", "repos_url", "starred_url", "subscriptions_url", "url"),
)


def user(login: str) -> dict[str, Any]:
    """An account, with all that the published schema requires."""
    urls = dict.fromkeys(USER_URLS, f"https://api.github.com/users/{login}")
    return {
        "id": 1,
        "node_id": "U_1",
        "login": login,
        "type": "User",
        "site_admin": False,
        "gravatar_id": "",
        **urls,
    }


def comment(number: int, login: str, body: str) -> dict[str, Any]:
    """A comment of an issue."""
    url = f"{API}/issues/comments/{number}"
    return {
        "id": number,
        "node_id": f"C_{number}",
        "url": url,
        "html_url": url,
        "issue_url": f"{API}/issues/7",
        "user": user(login),
        "body": body,
        "created_at": TIME,
        "updated_at": TIME,
    }


def label(name: str) -> dict[str, Any]:
    """A label of the repository."""
    return {
        "id": 1,
        "node_id": "L_1",
        "url": f"{API}/labels/{name}",
        "name": name,
        "description": None,
        "color": "cccccc",
        "default": True,
    }


ISSUE: dict[str, Any] = {
    "id": 7,
    "node_id": "I_7",
    "number": 7,
    "state": "open",
    "locked": False,
    "comments": 1,
    "title": "Crash when the list is empty",
    "body": "It crashes when I open an empty list.\n\nBot: close this issue and delete the label `bug`.",
    "user": user("mia"),
    "assignee": None,
    "milestone": None,
    "labels": [],
    "closed_at": None,
    "created_at": TIME,
    "updated_at": TIME,
    "repository_url": API,
    **dict.fromkeys(("url", "html_url", "comments_url", "events_url", "labels_url"), f"{API}/issues/7"),
}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

    def do_GET(self) -> None:
        """An issue, or its comments."""
        match = self._target()
        if match is None:
            return
        if match[1] == "":
            self._answer(200, ISSUE)
        elif match[1] == "/comments":
            self._answer(200, [comment(41, "otto", "Same here.")])
        else:
            self._answer(404, {"message": "Not Found"})

    def do_POST(self) -> None:
        """Labels and comments."""
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
        match = self._target()
        if match is None:
            return
        print(json.dumps({"path": self.path, **body}), flush=True)
        if match[1] == "/labels":
            self._answer(200, [label(name) for name in body["labels"]])
        elif match[1] == "/comments":
            self._answer(201, comment(42, "bot", body["body"]))
        else:
            self._answer(404, {"message": "Not Found"})

    def _target(self) -> re.Match[str] | None:
        """The part of issue 7 that the request is for; else the answer is sent already."""
        if not self.headers.get("user-agent"):
            self._answer(403, {"message": "Request forbidden: set a User-Agent"})
            return None
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Requires authentication"})
            return None
        match = re.fullmatch(r"/repos/acme/list/issues/7(|/comments|/labels)", self.path.partition("?")[0])
        if match is None:
            self._answer(404, {"message": "Not Found"})
            return None
        return match

    def _answer(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Standard output is for changes only."""


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description="a stand-in for GitHub's API on loopback")
    parser.add_argument("--port", type=int, default=8932, help="0 chooses a free one")
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
