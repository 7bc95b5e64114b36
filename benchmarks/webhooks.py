"""SendGrid's webhook: events a second, verified and read in batches on one core, beside what Python's JSON and the
signature alone cost.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import random
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lib.timing import take_turns, timed, verdict
from lifecycle_mail_sendgrid.topics import Topic, Topics
from lifecycle_mail_sendgrid.webhooks import SIGNATURE, TIMESTAMP, Hook

from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Delivery

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
START = int(NOW.timestamp()) - 86_400
TOPICS = Topics({ListKey("offers"): Topic(10)})
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
BAR = 100_000
"""Events a second."""


def made(kind: str, person: int, at: int, chance: random.Random) -> dict[str, Any]:
    """Make up an event of a mail that our adapter sent, with all that SendGrid writes into one."""
    mail = f"Tz{person:07d}NHStOGhQ4kofSm"
    told: dict[str, Any] = {
        "email": f"person{person}@example.com",
        "timestamp": at,
        "smtp-id": f"<{mail}@geopod-ismtpd-7>",
        "event": kind,
        "category": ["spring"],
        "sg_event_id": urlsafe_b64encode(chance.randbytes(32)).decode().rstrip("="),
        "sg_message_id": f"{mail}.recvd-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "lm_contact": f"c{person:07d}",
        "lm_campaign": "spring",
        "lm_mail": f"spring:c{person:07d}",
    }
    if kind == "delivered":
        told |= {"response": "250 2.0.0 OK 1770112807 y202si6984453itc.115 - gsmtp", "ip": "192.0.2.22", "tls": 1}
    if kind in ("open", "click"):
        told |= {"useragent": AGENT, "ip": "198.51.100.7", "sg_content_type": "html", "sg_machine_open": False}
    if kind == "click":
        told |= {"url": "https://shop.example.com/spring?item=7", "url_offset": {"index": 0, "type": "html"}}
    if kind == "bounce":
        told |= {"reason": "550 5.1.1 no such user here", "status": "5.1.1", "type": "bounce", "tls": 1}
    if kind == "group_unsubscribe":
        told |= {"asm_group_id": 10, "useragent": AGENT, "ip": "198.51.100.7"}
    return told


def campaign(count: int) -> list[dict[str, Any]]:
    """Make up the first events of a campaign in order of time: 50 mails a second, opened over hours."""
    chance = random.Random(1)
    kinds: list[tuple[int, int, str]] = []
    for person in range(count):
        sent = START + person // 50
        kinds.append((sent, person, "processed"))
        arrived = sent + chance.randint(1, 5)
        kinds.append((arrived, person, "delivered" if chance.random() < 0.97 else "bounce"))
        for kind, share in (("open", 0.3), ("click", 0.08), ("group_unsubscribe", 0.005)):
            if chance.random() < share:
                kinds.append((arrived + int(chance.expovariate(1 / 600)), person, kind))
    return [made(kind, person, at, chance) for at, person, kind in sorted(kinds)[:count]]


def strangers(count: int) -> list[dict[str, Any]]:
    """Make up events of which no two are about one person: the most that there is to read."""
    chance = random.Random(2)
    kinds, shares = ("processed", "delivered", "open", "click", "bounce"), (40, 38, 15, 5, 2)
    return [
        made(kind, person, START + person // 50, chance)
        for person, kind in enumerate(chance.choices(kinds, shares, k=count))
    ]


def signed(events: Sequence[dict[str, Any]], batch: int, key: ec.EllipticCurvePrivateKey) -> list[Delivery]:
    """Put events into deliveries, as SendGrid signs them."""
    deliveries = []
    for begin in range(0, len(events), batch):
        body = json.dumps(events[begin : begin + batch], separators=(",", ":")).encode() + b"\r\n"
        at = str(START + begin)
        signature = b64encode(key.sign(at.encode() + body, ec.ECDSA(SHA256()))).decode()
        deliveries.append(Delivery(headers={SIGNATURE: signature, TIMESTAMP: at}, body=body))
    return deliveries


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="more than the 4,096 people that are remembered")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--profile", type=int, metavar="N", help="print the N most expensive functions instead")
    given = parser.parse_args()
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), ec.ECDSA(SHA256())
    hook = Hook(keys=b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode())
    streams = {
        "a campaign as it comes": signed(campaign(given.events), given.batch, key),
        "every address once": signed(strangers(given.events), given.batch, key),
    }

    def hear(deliveries: Sequence[Delivery]) -> Callable[[], None]:
        def work() -> None:
            heard = sum(len(hook.hear(one, topics=TOPICS, now=NOW).statements) for one in deliveries)
            assert heard >= given.events  # a bounce says two things, and nothing is a misfit

        return work

    raw = {
        name: [(one.body, one.headers[TIMESTAMP].encode(), b64decode(one.headers[SIGNATURE])) for one in deliveries]
        for name, deliveries in streams.items()
    }

    def bare(name: str) -> Callable[[], None]:
        def work() -> None:
            for body, at, told in raw[name]:
                public.verify(told, at + body, signature)
                json.loads(body)

        return work

    if given.profile is not None:
        profile = cProfile.Profile()
        for deliveries in streams.values():
            profile.runcall(hear(deliveries))
        pstats.Stats(profile).sort_stats("tottime").print_stats(given.profile)
        return
    size = sum(len(one.body) for one in streams["a campaign as it comes"]) / given.events
    batches = f"{given.events:,} events of {size:.0f} bytes in batches of {given.batch}"
    print(f"{batches}; CPU, median of {given.repeats} repeats")
    runs: dict[str, Callable[[], float]] = {}
    for name, deliveries in streams.items():
        hear(deliveries)()  # what is loaded on first use is
        runs[f"{name}, bare"] = timed(bare(name))
        runs[name] = timed(hear(deliveries))
    found = take_turns(runs, repeats=given.repeats)
    for name, sample in found.items():
        print(f"  {name:<30} {sample.micros(given.events)} an event  {given.events / sample.median:9,.0f} events/s")
    for name in streams:
        sample = found[name]
        held = verdict(sample.median / given.events * 1e6, 1e6 / BAR, " us")
        print(f"{name}: {held}, {sample.over(found[f'{name}, bare']):.2f}x json.loads and verify")


if __name__ == "__main__":
    main()
