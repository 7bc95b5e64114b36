"""The in-memory store, ESP and CRM: real enough to run an application's tests on, and scriptable where it hurts (E4).

`MemoryStore` keeps the laws of every store (the conformance suite runs on it) and forgets everything at the end.
`MemoryEsp` refuses, fails, limits and lags when told to, and `MemoryCrm` the first three::

    esp = MemoryEsp()
    esp.refuse("bob@example.com", status=400, body="looks fake")    # one recipient, for good
    esp.fail("release", EspUnavailable, times=2)                    # not done, may be repeated
    esp.fail("send", OutcomeUnknown, done=True)                     # done, and the answer got lost
    esp.limit(10)                                                   # 429 after ten calls, until wait()
    esp.lag(3)                                                      # the next three reads show the past
    esp.delay(timedelta(hours=2))                                   # reports arrive two hours late
    crm.say(Left(who=Who("ada"), ...))                              # a colleague notes a no there
"""

from lifecycle_mail.memory.crm import MemoryCrm
from lifecycle_mail.memory.esp import MemoryEsp, Sent
from lifecycle_mail.memory.store import MemoryStore

__all__ = ["MemoryCrm", "MemoryEsp", "MemoryStore", "Sent"]
