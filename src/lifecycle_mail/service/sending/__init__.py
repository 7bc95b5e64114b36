"""Sending: claim, stage, screen what the log gained, unstage, read back, release.

Delivery is at most once. A claim is written before anything leaves, whoever holds a claim is the only one to send it,
and a call whose outcome is unknown leaves the claim `unknown` until `reconcile` asks the ESP. Everybody is screened
again on the way out, from the log as it stands then; where it cannot be read nothing is sent (F12).

For single mails hand-off is the claim's commit: an opt-out that arrives later is in flight. For a campaign that the
ESP sends itself it is the call of `release`.

A worker holds the campaign by a lease, which it prolongs as it goes on; once another has had it, nothing more leaves
(F19). Each transaction is tried again while the store is busy (F15, F21). Where a claim was written and the answer
lost, the next try finds it, and the mail is sent: nothing has left between the two. Where all tries fail the mail is
not sent: it stays claimed, is unknown to the next call, and then reconciled.
"""

from lifecycle_mail.service.sending.sender import send
from lifecycle_mail.service.sending.whole import READS

__all__ = ["READS", "send"]
