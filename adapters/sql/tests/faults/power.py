"""What a disk holds after the power failed: a model of it, fed with the system calls that a program really made.

A write, a change of size, a new name and a name taken away reach the disk for certain once the file, or the folder, is
synced. Until then each of them may have reached it or not, in any combination; a write may have reached it in part, by
sectors. `Disk.images` makes what could be there, from "all that was not synced is lost" to "all of it is there".
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import Factory, define, frozen

TRACED = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2"
OPTIONS = ["-y", "-xx", "-s", "100000000", "-e", f"trace={TRACED}"]
"""Of strace: all bytes of all calls, and the path behind each number of a file."""

_SECTOR = 512
_LINE = re.compile(r"^\d+ +(?P<call>\w+)\((?P<said>.*)\) += (?P<answer>-?\d+)")
_FILE = re.compile(r"^(?:AT_FDCWD|\d+)<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


# -- what was called


@frozen
class Write:
    """Bytes were written to a file."""

    path: str
    offset: int
    data: bytes


@frozen
class Resize:
    """A file was cut, or made longer with zeros."""

    path: str
    size: int


@frozen
class Sync:
    """A file, or a folder, was synced."""

    path: str


@frozen
class Create:
    """A file was made, if it was not there."""

    path: str


@frozen
class Unlink:
    """A name was taken away."""

    path: str


@frozen
class Said:
    """The program said something to the world outside."""

    line: str


Operation = Write | Resize | Sync | Create | Unlink | Said


def operations(lines: Iterable[str]) -> list[Operation]:
    """Read what a program did from what strace wrote with `OPTIONS`.

    Raises:
        ValueError: it did something that this model does not know.
    """
    return [found for line in lines for found in _operation(line)]


def _operation(line: str) -> Iterator[Operation]:
    match = _LINE.match(line)
    if match is None or int(match["answer"]) < 0:
        return
    call, said = match["call"], match["said"]
    texts = [_bytes(text) for text in _TEXT.findall(said)]
    behind = _FILE.match(said)
    path = "" if behind is None else _bytes(behind["path"]).decode()
    if call == "pwrite64":
        offset = int(said.rpartition(", ")[2])
        yield Write(path, offset, texts[0][: int(match["answer"])])
    elif call == "write":
        if said.startswith("1<"):
            yield from (Said(line) for line in texts[0].decode().splitlines())
    elif call == "ftruncate":
        yield Resize(path, int(said.rpartition(", ")[2]))
    elif call in ("fsync", "fdatasync"):
        yield Sync(path)
    elif call == "openat":
        if "O_TRUNC" in said:
            raise ValueError(f"opened and cut at once: {said}")
        if "O_CREAT" in said:
            yield Create(texts[-1].decode())
    elif call in ("unlink", "unlinkat"):
        yield Unlink(texts[-1].decode())
    else:
        raise ValueError(f"{call} is not modelled: {said}")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


# -- what may have reached the disk


@define
class _File:
    """A file on the disk: what is certain, and what has come since."""

    certain: bytes = b""
    since: list[Write | Resize] = Factory(list)

    def content(self, kept: Sequence[Write | Resize]) -> bytes:
        """Return what is there, where these calls have reached the disk."""
        data = bytearray(self.certain)
        for one in kept:
            if isinstance(one, Resize):
                del data[one.size :]
                data.extend(bytes(one.size - len(data)))
            else:
                data.extend(bytes(max(0, one.offset + len(one.data) - len(data))))
                data[one.offset : one.offset + len(one.data)] = one.data
        return bytes(data)


@define
class Disk:
    """A folder on a disk, as a program changes it.

    Attributes:
        folder: the folder.
        names: which file each name stands for, for certain.
        now: likewise as the program sees it.
        changes: what was done to names since the folder was synced.
        said: what the program has said so far.
    """

    folder: Path
    names: dict[str, _File] = Factory(dict)
    now: dict[str, _File] = Factory(dict)
    changes: list[tuple[str, _File | None]] = Factory(list)
    said: list[str] = Factory(list)

    @classmethod
    def holding(cls, folder: Path, names: Iterable[str]) -> Disk:
        """Return a disk on which these files of a folder are for certain; those that are not there are not."""
        files = {name: _File((folder / name).read_bytes()) for name in names if (folder / name).exists()}
        return cls(folder, dict(files), dict(files))

    def do(self, one: Operation) -> None:
        """Let a call happen."""
        if isinstance(one, Said):
            self.said.append(one.line)
            return
        if Path(one.path) == self.folder:
            self._sync_names()
            return
        if Path(one.path).parent != self.folder:
            return
        name = Path(one.path).name
        if isinstance(one, Create):
            if name not in self.now:
                self._name(name, _File())
        elif isinstance(one, Unlink):
            self._name(name, None)
        elif isinstance(one, Sync):
            file = self.now[name]
            file.certain, file.since = file.content(file.since), []
        else:
            self.now[name].since.append(one)

    def _name(self, name: str, file: _File | None) -> None:
        self.changes.append((name, file))
        _apply(self.now, name, file)

    def _sync_names(self) -> None:
        for name, file in self.changes:
            _apply(self.names, name, file)
        self.changes.clear()

    def images(self, chance: random.Random, count: int) -> Iterator[Mapping[str, bytes]]:
        """Yield what the disk may hold if the power fails now: nothing of what is not certain, all of it, and some."""
        yield self._image(lambda: False)
        if self._uncertain():
            yield self._image(lambda: True)
            for _ in range(count):
                yield self._image(partial(_falls_below, chance, chance.random()), torn=True)

    def _uncertain(self) -> bool:
        return bool(self.changes) or any(file.since for file in [*self.now.values(), *self.names.values()])

    def _image(self, reached: Callable[[], bool], *, torn: bool = False) -> Mapping[str, bytes]:
        names = dict(self.names)
        for name, file in self.changes:
            if reached():
                _apply(names, name, file)
        return {
            name: file.content([part for one in file.since for part in _parts(one, torn=torn) if reached()])
            for name, file in names.items()
        }


def _falls_below(chance: random.Random, share: float) -> bool:
    return chance.random() < share


def _apply(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _parts(one: Write | Resize, *, torn: bool) -> Iterator[Write | Resize]:
    """Yield the sectors of a write, each of which is written whole."""
    if isinstance(one, Resize) or not torn:
        yield one
        return
    place = one.offset
    end = one.offset + len(one.data)
    while place < end:
        after = min(end, (place // _SECTOR + 1) * _SECTOR)
        yield Write(one.path, place, one.data[place - one.offset : after - one.offset])
        place = after
