"""The contract server needs its extra, and its tests a client: where they are not installed, nothing is collected."""

from importlib.util import find_spec

collect_ignore_glob = ["test_*.py"] if any(find_spec(name) is None for name in ("openapi_core", "requests")) else []
