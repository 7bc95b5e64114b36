"""What the two judges of client support are asked, what our mails are measured against, and what may be left.

Each kind is measured against the template of Postmark's that comes nearest in purpose (`NEAREST`): professionals made
them for the same clients. Ours have to use fewer things that a client does not know. What is left is named, once and
for all kinds, with what a reader of such a client gets instead (`LEFT`); a name that is not needed any more fails too.
"""

from collections.abc import Mapping
from typing import Final

from lifecycle_mail.mails.kinds import Kind

CLIENTS: Final = (
    "gmail.desktop-webmail", "gmail.ios", "gmail.android", "gmail.mobile-webmail",
    "outlook.windows", "outlook.outlook-com", "outlook.ios", "outlook.android", "outlook.macos",
    "apple-mail.macos", "apple-mail.ios",
    "yahoo.desktop-webmail", "yahoo.ios", "yahoo.android",
)  # fmt: skip
"""The clients that most people use, family and platform.

`outlook.windows` is the classic Outlook, which renders with Word. The new Outlook for Windows is Outlook on the web in
a window, `outlook.outlook-com`. `outlook.windows-mail` is left out: it is the Mail app that came with Windows 10, which
the new Outlook has replaced.
"""

NEAREST: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.CANCELLATION_CONFIRMED: ("receipt", "both confirm what was just done, with its facts in rows"),
    Kind.CANCELLATION_NOTE: ("trial-expired", "both write after the end and ask what was missing"),
    Kind.CANCELLATION_SURVEY: ("trial-expired", "both write after the end and lead to a page for feedback"),
    Kind.CANCELLATION_REASON: ("trial-expired", "both write after the end and list choices as links"),
    Kind.TECHNICAL_FOLLOW_UP: ("comment-notification", "both quote what a person wrote, and name what comes of it"),
    Kind.PLAN_ENDING: ("trial-expiring", "both say on which day something ends, and what then"),
    Kind.MEMBERSHIP_ENDED: ("trial-expired", "both say that something has ended, and show the way back"),
    Kind.INACTIVITY_NOTICE: ("trial-expiring", "both announce the end of an account, with a button to keep it"),
    Kind.PAYMENT_FAILED: ("dunning", "both say that a card could not be charged, and what to do"),
    Kind.WE_MISS_YOU: ("trial-expired", "both write to somebody who is gone, and show ways to go on"),
    Kind.VALUE_PROPOSITION: ("welcome", "both show what there is to find, with one next step"),
    Kind.INCENTIVE: ("receipt", "it has a coupon with a day until which it is good"),
    Kind.PREFERENCE_UPDATE: ("welcome", "both ask to set something up, with details in a list"),
    Kind.SURVEY: ("trial-expired", "both ask what was not right, and list the choices"),
    Kind.LAST_CHANCE: ("trial-expiring", "both ask for a decision by a day"),
    Kind.FINAL_NOTICE: ("trial-expiring", "both announce the end, with a button that prevents it"),
    Kind.GOODBYE: ("trial-expired", "both come after the end, and list what else can be chosen"),
    Kind.CONFIRM_SUBSCRIPTION: ("user-invitation", "both lead with one button into what was asked for"),
    Kind.PREFERENCE_REQUEST: ("password-reset", "both send a private link because somebody asked for it"),
    Kind.CONFIRM_RESUBSCRIPTION: ("user-invitation", "both lead with one button into what was asked for"),
    Kind.FRESH_LINK: ("password-reset", "both send a new link, and say what to do if one did not ask"),
}
"""The template of Postmark's that each kind is measured against, and why."""

LEFT: Final[Mapping[str, str]] = {
    "<body> element": (
        "clients on the web put the mail into an element of theirs: its background is on the outer table as well, and "
        "the paddings are on cells"
    ),
    "<style> element": (
        "where it is dropped the mail loses its dark colours alone: everything else stands in the elements"
    ),
    "<ul>, <ol> and <dl>": "only `reversed` and `value` are not known, and our lists have no numbers",
    "@media": "only the dark colours stand in it: without it the light ones stay, which can be read as well",
    "@media (prefers-color-scheme)": "the light colours stay, or the client darkens them in its own way",
    "color-scheme meta tag": "it tells Apple Mail that dark colours are there; others pass over it",
    "Class selector": "only the dark colours need it: without it the light ones stay",
    "!important keyword": "only the dark colours need it, in small letters and after a space, as all know it",
    "HTML5 doctype": "no rule here depends on it: sizes and colours are said where a browser of old would guess them",
    "border-spacing": "where it is not known the button stands two pixels further in than the text",
    "border-radius": "the button has square corners in Outlook; nothing here is elliptical, which Yahoo lacks",
    "dir attribute": "in one client it is ignored or guessed: each cell says itself on which side its text begins",
    "lang attribute": "it stands on the root alone, and not on cells, where Yahoo drops it",
    "display": "only `none` and `inline-block`: where the latter is not known, the cell of the button has the padding",
    "display:none": "where it does not hide the preheader, one pixel of the page's own colour does; no table is in it",
    "font-size": "only pixels are used, which all know",
    "font-weight": "only `normal` and `bold` are used, which all know",
    "line-height": "Outlook may add a pixel to a line: numbers without a unit are what it reads best",
    "margin": "nothing is negative; Outlook knows no `auto`, and a table in a conditional comment centres the mail",
    "max-width": "Outlook knows it on tables alone, and the table in a conditional comment is 560 pixels wide for it",
    "padding": "Outlook knows it on cells, and wherever it has to hold there it is on one; lists lose their indent",
    "role attribute": "where it is dropped a screen reader may announce tables; they read well in their order",
    "text-align": "only `left` and `right` are used, which all know",
    "text-decoration": "only one value at a time, `none` or `underline`; where it is dropped, links look like links",
    "width attribute": "only the logo has it, in pixels: Outlook does not enlarge it where Windows enlarges texts",
    "height attribute": "as with its width, and both are said in pixels, so the logo keeps its proportions",
    "width property": "only tables have it, where Outlook knows it",
    "height property": "only the logo has it, as `auto`, where a phone is narrower; elsewhere the attribute holds",
    "word-break": (
        "where it is not known a word that is longer than the screen makes the mail wider; elsewhere it breaks inside"
    ),
}
"""Features that some client does not know, and what its readers get instead. Both judges name them by these titles."""

LEFT_BY_TITLE: Final[Mapping[str, str]] = {
    "background": "the judge takes `background-color` for it, which all know",
    "border": "the judge takes `border-collapse` and `border-radius` for it; nothing here has a border",
}
"""What the judge from npm finds beside, because it looks for a title anywhere in the name of a property."""
