"""The error tree is the one that its docstring draws, and every message says what to do."""

import builtins
import re
from datetime import timedelta

import pytest

from lifecycle_mail import errors
from lifecycle_mail.errors import (
    AmbiguousAddress,
    EspError,
    EspRefused,
    EspUnavailable,
    InvalidAddress,
    InvalidDocument,
    InvalidInput,
    LifecycleMailError,
    Misconfigured,
    OutcomeUnknown,
    Problem,
    UnknownName,
)

LINE = re.compile(r"^    (?P<indent>[│ ]*)(?P<branch>[├└]── )?(?P<name>[A-Z]\w+)(?: \((?P<also>\w+)\))?(?: {2}|$)")


def drawn_tree() -> list[tuple[str, str, str | None]]:
    """Read the tree in the docstring: each class, the one it hangs on, and a built-in base beside it."""
    path: list[str] = []
    found = []
    for line in (errors.__doc__ or "").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        depth = len(match["indent"]) // 4 + 1 if match["branch"] else 0
        path[depth:] = [match["name"]]
        found.append((match["name"], path[depth - 1] if depth else "Exception", match["also"]))
    return found


TREE = drawn_tree()


class TestTree:
    """Whoever catches a branch catches all that hangs on it."""

    @pytest.mark.parametrize(("name", "parent", "also"), TREE, ids=[name for name, _, _ in TREE])
    def test_every_class_hangs_where_it_is_drawn(self, name: str, parent: str, also: str | None) -> None:
        """Each class has the base that the docstring draws, and the built-in one that it names."""
        error = getattr(errors, name)
        assert parent in [base.__name__ for base in error.__bases__]
        assert issubclass(error, LifecycleMailError)
        if also is not None:
            assert issubclass(error, getattr(builtins, also))

    def test_every_class_is_drawn(self) -> None:
        """No error is missing from the drawing, nor drawn twice."""
        defined = {
            name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)
        }
        names = [name for name, _, _ in TREE]
        assert defined == set(names)
        assert len(names) == len(set(names))

    def test_every_class_says_what_it_is(self) -> None:
        """Each class has a docstring of its own."""
        assert all(vars(errors)[name].__doc__ for name, _, _ in TREE)


class TestInput:
    """What was given is wrong: the message names the place and the fix."""

    def test_a_document_lists_all_its_problems(self) -> None:
        """Every problem of a document is told at once, each with its place and its fix."""
        problems = [
            Problem("campaigns[2].to[0]", "no list named 'ofers'", "write 'offers'"),
            Problem("members.csv:17", "no address"),
        ]
        error = InvalidDocument("programme.toml", iter(problems))  # type: ignore[arg-type]
        assert str(error).splitlines() == [
            "programme.toml: 2 problems",
            "  campaigns[2].to[0]: no list named 'ofers' (write 'offers')",
            "  members.csv:17: no address",
        ]
        assert error.problems == tuple(problems)
        assert isinstance(error, ValueError)

    def test_one_problem_is_one(self) -> None:
        """A single problem is not counted in the plural."""
        assert str(InvalidDocument("a.toml", [Problem("x", "y")])).startswith("a.toml: 1 problem\n")

    def test_a_name_with_near_misses(self) -> None:
        """A name that nothing goes by is answered with those that are close, and read as it is, without quotes."""
        error = UnknownName("list", "ofers", ["offers", "orders", "news"])
        assert str(error) == "no list named 'ofers'; did you mean offers or orders?"
        assert error.name == "ofers"
        assert isinstance(error, KeyError)
        assert isinstance(error, InvalidInput)

    @pytest.mark.parametrize("known", [(), ("news", "tips")])
    def test_a_name_like_no_other(self, known: tuple[str, ...]) -> None:
        """Nothing close is suggested where nothing is close."""
        assert str(UnknownName("segment", "spenders", known)) == "no segment named 'spenders'"

    def test_an_address_that_cannot_be_mailed(self) -> None:
        """The address, the reason and the fix are all told, a long address cut."""
        error = InvalidAddress(written="ann@", reason="it has no domain", fix="ask again")
        assert str(error) == "'ann@': it has no domain (ask again)"
        assert (error.written, error.reason, error.fix) == ("ann@", "it has no domain", "ask again")
        assert str(InvalidAddress(written="ann@", reason="it has no domain")) == "'ann@': it has no domain"
        long = InvalidAddress(written="x" * 81, reason="it is long")
        assert str(long) == f"{'x' * 77 + '...'!r}: it is long"
        assert str(InvalidAddress(written="x" * 80, reason="it is long")) == f"{'x' * 80!r}: it is long"

    def test_one_address_of_several_contacts(self) -> None:
        """The contacts that share an address are listed, sorted, and the address stays masked."""
        error = AmbiguousAddress("a***@example.com", iter(["c7", "c11", "a2"]))
        assert error.contact_ids == ("a2", "c11", "c7")
        assert str(error) == "a***@example.com belongs to 3 contacts: a2, c11, c7; name the contact by its id"


class TestEsp:
    """What an e-mail service provider answered."""

    def test_tells_operation_and_answer(self) -> None:
        """Who answered what to which operation, and what to do about it."""
        error = EspError(esp="mailchimp", operation="unsubscribe", status=400, body="Bad Request", fix="check the list")
        assert str(error) == "mailchimp answered 400 to unsubscribe: Bad Request (check the list)"
        assert (error.esp, error.operation, error.status, error.fix) == (
            "mailchimp", "unsubscribe", 400, "check the list",
        )  # fmt: skip

    def test_no_answer(self) -> None:
        """No answer is told as none, not as a status of zero."""
        assert str(OutcomeUnknown(esp="sendgrid", operation="send")) == "sendgrid gave no answer to send"
        assert "answered 0" in str(EspError(esp="x", operation="y", status=0))

    def test_how_long_to_leave_it_alone(self) -> None:
        """How long the provider asked to be left alone is kept for whoever repeats the call (F24)."""
        asked = EspUnavailable(esp="x", operation="y", status=429, retry_after=timedelta(hours=2))
        assert asked.retry_after == timedelta(hours=2)
        assert EspUnavailable(esp="x", operation="y", status=429).retry_after is None

    def test_cuts_the_body(self) -> None:
        """A page of HTML is cut: to 2,000 characters for programs, to 200 for people."""
        error = EspRefused(esp="x", operation="y", status=500, body="<p>" * 10_000)
        assert error.body == ("<p>" * 1000)[:2000]
        assert str(error) == f"x answered 500 to y: {('<p>' * 100)[:200]}"

    @pytest.mark.parametrize(
        ("error", "retryable"),
        [(EspError, False), (EspRefused, False), (EspUnavailable, True), (OutcomeUnknown, False)],
    )
    def test_only_what_was_not_done_may_be_repeated(self, error: type[EspError], retryable: bool) -> None:
        """A call that may have been carried out is never repeated blindly (F22, F23, F27)."""
        assert error(esp="x", operation="y").retryable is retryable

    def test_misconfigured_is_nobodys_answer(self) -> None:
        """A missing key is the caller's to set up, and no answer of an ESP."""
        assert not issubclass(Misconfigured, EspError | InvalidInput)
