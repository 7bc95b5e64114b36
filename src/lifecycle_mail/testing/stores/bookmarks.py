"""The laws of bookmarks and bindings."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from datetime import timedelta

from lifecycle_mail.ports import Bookmark
from lifecycle_mail.testing.builders import frozen_now
from lifecycle_mail.testing.stores.making import MakesStores


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
