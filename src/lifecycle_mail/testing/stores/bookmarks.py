"""The laws of bookmarks and bindings."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import timedelta

from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.ports import Attempt, Bookmark, Task, TaskKind, TaskState
from lifecycle_mail.testing.builders import frozen_now
from lifecycle_mail.testing.stores.making import MakesStores

MINUTE = timedelta(minutes=1)


def bookmark(name: str, place: int = 1, note: str = "") -> Bookmark:
    """Return a bookmark set now."""
    return Bookmark(name=name, place=place, at=frozen_now, note=note)


class BookmarksConformance(MakesStores, suite=True):
    """The laws of `ports.Bookmarks` and `ports.Bindings`."""

    def test_a_bookmark_comes_back_whole(self) -> None:
        """Name, place, instant and note are kept, a place beyond 32 bits among them."""
        import_ = Bookmark(
            name="import:9f2c/members (1).csv",
            place=5_000_000_000,
            at=frozen_now + timedelta(microseconds=1),
            note='{"rows": 3, "what": "\N{SNOWMAN}"}',
        )
        with self.opened() as store:
            assert store.bookmark(import_.name) is None
            store.mark(import_)
            assert import_ == store.bookmark(import_.name)
            assert store.bookmark("import:9f2c") is None

    def test_a_bookmark_is_set_forward_and_back(self) -> None:
        """The latest setting counts, whichever way it goes."""
        with self.opened() as store:
            for place in (5, 9, 3, 0):
                store.mark(bookmark("sweep:mailchimp", place, f"at {place}"))
                assert bookmark("sweep:mailchimp", place, f"at {place}") == store.bookmark("sweep:mailchimp")
            assert 1 == len(store.bookmarks())

    def test_bookmarks_are_found_by_how_their_names_begin(self) -> None:
        """In order of name; letters of a search pattern mean themselves, and so does case."""
        names = ["import:b", "import:a", "Import:a", "import%", "import_", "imports", "import:é", "outbox:x"]
        with self.opened() as store:
            assert [] == list(store.bookmarks())
            for name in names:
                store.mark(bookmark(name))
            for prefix in ("", "import:", "import", "import%", "import_", "I", "outbox:x", "outbox:xx"):
                expected = [bookmark(name) for name in sorted(names) if name.startswith(prefix)]
                assert expected == list(store.bookmarks(prefix)), prefix

    def test_what_is_bound_is_found_by_target_and_kind(self) -> None:
        """Keys of ours stand for their ids; another kind and another target are apart."""
        with self.opened() as store:
            assert {} == dict(store.bound("esp:mailchimp", "list"))
            store.bind("esp:mailchimp", "list", "offers", "a1b2")
            store.bind("esp:mailchimp", "list", "news", "a1b2")
            store.bind("esp:mailchimp", "tag", "offers", "77")
            store.bind("crm:acme", "list", "offers", "L\N{SNOWMAN}'9")
            assert {"offers": "a1b2", "news": "a1b2"} == dict(store.bound("esp:mailchimp", "list"))
            assert {"offers": "77"} == dict(store.bound("esp:mailchimp", "tag"))
            assert {"offers": "L\N{SNOWMAN}'9"} == dict(store.bound("crm:acme", "list"))

    def test_any_text_is_a_name(self) -> None:
        """Others give ids and names, and no database takes each as it is: with NUL, or half a character (F59)."""
        for odd in ("a\0b", "\ud800", '\\json:"x"', "it's \N{SNOWMAN}\n"):
            with self.opened() as store:
                assert store.bookmark(odd) is None
                assert store.record(EntryId(odd)) is None
                assert [] == list(store.find(odd))
                assert {} == dict(store.bound(odd, odd))
                store.bind(odd, odd, odd, odd)
                store.mark(bookmark(odd))
                assert {odd: odd} == dict(store.bound(odd, odd))
                assert bookmark(odd) == store.bookmark(odd)
                assert [bookmark(odd)] == list(store.bookmarks(odd[:1]))
                assert store.begin(odd, odd, at=frozen_now, until=frozen_now + MINUTE)
                assert not store.begin(odd, "else", at=frozen_now, until=frozen_now + MINUTE)
                store.finish(odd, odd)
                told = Task(target=odd, kind=TaskKind.TAG, contact_id=ContactId("ada"), detail=odd, made_at=frozen_now)
                assert 1 == store.post([told])
                assert [told] == list(store.take(odd, odd, most=1, at=frozen_now, until=frozen_now + MINUTE))
                store.note([Attempt(task=told.id, at=frozen_now, state=TaskState.DONE, note=odd)])
                assert [told] == [found.task for found in store.tasks(target=odd)]
                assert {(odd, TaskKind.TAG, TaskState.DONE): 1} == dict(store.waiting())

    def test_a_binding_is_replaced(self) -> None:
        """Keys are ours and stay; their ids may change."""
        with self.opened() as store:
            store.bind("esp:mailchimp", "list", "offers", "old")
            store.bind("esp:mailchimp", "list", "offers", "new")
            assert {"offers": "new"} == dict(store.bound("esp:mailchimp", "list"))

    def test_bookmarks_survive_a_restart(self) -> None:
        """Work goes on where it stopped, and keys stand for what they stood for."""
        store = self.make_store()
        store.mark(bookmark("import:a", 17, "x"))
        store.bind("esp:mailchimp", "list", "offers", "a1b2")
        with self.reopened(store) as again:
            assert [bookmark("import:a", 17, "x")] == list(again.bookmarks())
            assert {"offers": "a1b2"} == dict(again.bound("esp:mailchimp", "list"))
