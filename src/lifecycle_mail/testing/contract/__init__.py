"""A server that holds an adapter against the contract of its vendor.

Every request of the adapter, and every answer of the simulator behind the server, is held against the vendor's own
OpenAPI specification, and against a written overlay of what that gets wrong or leaves out. Keys and parameters that
nobody specified are violations too. Needs `openapi-core`: `pip install 'lifecycle-mail[contract]'`::

    with ContractServer([spec], simulator, overlay=OVERLAY, prefix="/3.0") as server:
        client = Client(host=server.url)
        ...
        server.require_clean()

Faults are scripted by operation: `server.fail("POST /lists/{list_id}", Answer(status=503), times=2)`.
"""

from lifecycle_mail.testing.contract.exchanges import Answer, Request, Simulator, Violation
from lifecycle_mail.testing.contract.overlay import Correction, Limit, Overlay
from lifecycle_mail.testing.contract.server import ContractServer

__all__ = ["Answer", "ContractServer", "Correction", "Limit", "Overlay", "Request", "Simulator", "Violation"]
