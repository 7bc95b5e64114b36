"""A plain client that asks a simulated account."""

import json
from pathlib import Path
from typing import Any

import requests
from lifecycle_mail_mailchimp.testing import Audience, MailchimpSimulator
from lifecycle_mail_mailchimp.testing.state import member_hash

from lifecycle_mail.testing.contract import ContractServer


class Api:
    """A client of one simulated account with one audience.

    Attributes:
        simulator: the account.
        server: what it is behind.
        audience: its audience.
        list: the path of the audience.
    """

    def __init__(self, simulator: MailchimpSimulator, server: ContractServer) -> None:
        self.simulator = simulator
        self.server = server
        self.audience: Audience = simulator.audience("Customers")
        self.list = f"/lists/{self.audience.id}"
        self._session = requests.Session()
        self._session.auth = ("app", "key-us6")

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Send a request."""
        return self._session.request(method, self.server.url + path, json=body, params=query, timeout=5)

    def get(self, path: str, **query: Any) -> Any:
        """Read something that is there."""
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def done(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Do something that goes well, and return what is answered."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str, str]:
        """Do something that is refused, and return the status, the title and the detail."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code >= 400, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
        problem = answer.json()
        return problem["status"], problem["title"], problem["detail"]

    def member(self, email: str) -> str:
        """Return the path of a member."""
        return f"{self.list}/members/{member_hash(email)}"

    def join(self, *names: str) -> None:
        """Take people in through the API."""
        for name in names:
            body = {"email_address": f"{name}@example.com", "status": "subscribed"}
            self.done("POST", f"{self.list}/members", body)

    def close(self) -> None:
        """End the connection."""
        self._session.close()


def error_details(folder: Path, email: str) -> dict[str, str]:
    """Return what recorded and documented errors say, by title, with this address in place of that of the person."""
    documented = json.loads((folder / "contracts" / "mailchimp" / "documented_errors.json").read_text())
    lines = (folder / "data" / "mailchimp_errors_and_exports" / "mailchimp_error_bodies.jsonl").read_text().splitlines()
    found = [one["body"] for one in documented] + [json.loads(line)["body"] for line in lines]
    return {
        one["title"]: one["detail"].replace("EMAIL", email).replace("person@example.com", email)
        for one in found
        if "title" in one
    }
