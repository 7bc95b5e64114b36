"""Lists, channels and the scope of a no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope, ScopeKind

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
ANY_SCOPE = st.one_of(st.just(Scope.all()), st.sampled_from(Channel).map(Scope.channel), SLUGS.map(Scope.list))


class TestScope:
    """How far a no reaches."""

    @given(ANY_SCOPE)
    def test_is_read_as_it_is_written(self, scope: Scope) -> None:
        """A scope survives being written and read (O2)."""
        assert Scope.parse(str(scope)) == scope

    @given(ANY_SCOPE, SLUGS, st.sampled_from(Channel))
    def test_covers(self, scope: Scope, list_key: str, channel: Channel) -> None:
        """All covers all; a channel its channel; a list itself, over every channel (O2)."""
        covered = {
            ScopeKind.ALL: True,
            ScopeKind.CHANNEL: scope.key == channel.value,
            ScopeKind.LIST: scope.key == list_key,
        }
        assert scope.covers(list_key, channel) == covered[scope.kind]
        assert Scope.list(list_key).covers(list_key, channel)

    def test_mail_is_the_channel_unless_said_otherwise(self) -> None:
        """Left out, the channel is e-mail."""
        assert Scope.channel(Channel.EMAIL).covers("news")
        assert not Scope.channel(Channel.SMS).covers("news")

    @pytest.mark.parametrize(
        "text", ["", "everything", "list:", "list", "channel:", "all:news", "List:news", "list news"]
    )
    def test_refuses_what_is_none(self, text: str) -> None:
        """What is no scope is refused, with the three ways to write one."""
        with pytest.raises(InvalidInput, match="write 'all', 'list:KEY' or 'channel:NAME'"):
            Scope.parse(text)

    @pytest.mark.parametrize("name", ["e-mail", "EMAIL", "fax"])
    def test_refuses_a_channel_that_is_none(self, name: str) -> None:
        """A no to a channel that does not exist would bind nothing and be lost, so it is refused (O2)."""
        with pytest.raises(InvalidInput, match="write one of community, email, "):
            Scope(ScopeKind.CHANNEL, name)
        with pytest.raises(InvalidInput, match="channel:NAME"):
            Scope.parse(f"channel:{name}")

    def test_a_kind_and_its_key_go_together(self) -> None:
        """All marketing has no key; a list and a channel have one."""
        with pytest.raises(InvalidInput, match="scope all"):
            Scope(ScopeKind.ALL, "news")
        with pytest.raises(InvalidInput, match="scope list"):
            Scope(ScopeKind.LIST)

    def test_a_long_text_is_cut(self) -> None:
        """The error quotes the beginning of what was given, not a megabyte."""
        with pytest.raises(InvalidInput) as refused:
            Scope.parse("x" * 1_000_000)
        assert len(str(refused.value)) < 200

    @given(st.lists(ANY_SCOPE, max_size=5), st.data())
    def test_sorts(self, scopes: list[Scope], data: st.DataObject) -> None:
        """Scopes sort, so that lists of them are the same on every run."""
        assert sorted(scopes) == sorted(data.draw(st.permutations(scopes)))


class TestMailingList:
    """A topic that people join."""

    @given(SLUGS)
    def test_takes_a_slug(self, key: str) -> None:
        """Every slug is a key."""
        assert MailingList(key).key == key

    @pytest.mark.parametrize(
        "key",
        ["", "Offers", "-offers", "_offers", "of fers", "offers\n", "offérs", "offers.", "a" * 65, "list:a", "a/b"],
    )
    def test_refuses_what_is_no_slug(self, key: str) -> None:
        """A key ends up in URLs, file names and tags, so anything else is refused, by name and with the rule (L1)."""
        with pytest.raises(InvalidInput, match=r"key .*1 to 64 characters of a-z, 0-9"):
            MailingList(key)

    def test_refuses_what_is_no_text(self) -> None:
        """A number is no key."""
        with pytest.raises(InvalidInput, match="key '7'"):
            MailingList(7)  # type: ignore[arg-type]

    def test_says_what_to_expect(self) -> None:
        """A list has a title, what to expect and how often; it needs no double opt-in unless it says so (L1)."""
        offers = MailingList("offers", title="Offers", expect="one deal a week", frequency=Frequency.WEEKLY)
        assert (offers.title, offers.expect, offers.frequency) == ("Offers", "one deal a week", Frequency.WEEKLY)
        assert (offers.channel, offers.double_opt_in) == (Channel.EMAIL, False)
