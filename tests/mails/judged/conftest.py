"""What the judges need: packages from npm, a JVM, Node, a browser. `nox -s mails` brings them; elsewhere they rest."""

import base64
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.mails.rendered import LOGO

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

TOOLS = "LIFECYCLE_MAIL_JUDGES"
PICTURES = "LIFECYCLE_MAIL_PICTURES"

Scheme = Literal["light", "dark"]


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the folder of the packages from npm that `tools.json` names, or skip the test."""
    if TOOLS not in os.environ:
        pytest.skip(f"no judges: `nox -s mails` installs them and names their folder in {TOOLS}")
    return Path(os.environ[TOOLS])


@pytest.fixture(scope="session")
def package(tools: Path) -> "PackageFinder":
    """Return what finds a file of a package from npm, or skips the test."""
    return PackageFinder(tools)


class PackageFinder:
    """Finds files of packages from npm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, path: str) -> Path:
        """Return the file, or skip the test."""
        found = self.folder / "node_modules" / path
        if not found.exists():
            pytest.skip(f"{path.split('/')[0]} is not installed: it comes with npm")
        return found


def program(*names: str) -> str:
    """Return the path of the first program that there is, or skip the test."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.skip(f"no {names[0]} is installed")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for pictures."""
    folder = Path(os.environ[PICTURES]) if PICTURES in os.environ else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser(tools: Path) -> Iterator["Browser"]:
    """Start the system's Chromium, once for all tests."""
    assert tools.is_dir()
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: the group `browser`")
    path = program("chromium", "chromium-browser", "google-chrome")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=path)
        yield found
        found.close()


@pytest.fixture(scope="session")
def screen(browser: "Browser") -> "Screen":
    """Return a tab of the browser."""
    return Screen(browser.new_page())


class Screen:
    """A tab that shows mails, at any width, by day and by night. Nothing that it shows reaches the network."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.images = False
        page.route("**/*", self._answer)

    def _answer(self, route: "Route") -> None:
        if self.images and route.request.resource_type == "image":
            body = _plain_image(LOGO.width, LOGO.height)
            route.fulfill(content_type="image/png", headers={"Cache-Control": "no-store"}, body=body)
        else:
            route.abort()

    def show(self, html: str, *, width: int, scheme: Scheme = "light", images: bool = False) -> None:
        """Show a page, with its images or as in a client that blocks them."""
        if images != self.images:
            self.images = images
            self.page.goto("about:blank")  # which forgets the images of what was shown
        self.page.set_viewport_size({"width": width, "height": 400})
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_content(html)

    def ask(self, script: str, argument: object = None) -> Any:
        """Return what a function in JavaScript returns about the page."""
        return self.page.evaluate(script, argument)

    def picture(self) -> bytes:
        """Return a picture of the whole page, as PNG."""
        return self.page.screenshot(full_page=True)


def _plain_image(width: int, height: int) -> bytes:
    """Return a picture in one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + bytes((10, 92, 99)) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def as_image(png: bytes) -> str:
    """Return the address of a picture that carries it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
