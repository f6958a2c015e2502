"""What people wrote: the latest comments of a selection, without who wrote them."""

from dataclasses import dataclass
from datetime import datetime

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext_lazy

from feedback.models import Response
from feedback.scales import SCALES
from insights import exports, queries
from insights.dashboard.figures import Block
from insights.dashboard.reasons import asks_why
from insights.dashboard.selection import SAID, Selection

# As many as can be read at a glance; the rest is in the file.
LATEST = 10

# A longer comment scrolls within its own place, so that the next ones stay in sight.
LONG_CHARS, LONG_LINES = 700, 12

# What one answer counts as.
OUTCOMES = {
    "up": gettext_lazy("Thumb up"),
    "down": gettext_lazy("Thumb down"),
    "promoters": gettext_lazy("Promoter"),
    "passives": gettext_lazy("Passive"),
    "detractors": gettext_lazy("Detractor"),
    "satisfied": gettext_lazy("Satisfied"),
    "dissatisfied": gettext_lazy("Not satisfied"),
    "easy": gettext_lazy("Easy"),
    "neutral": gettext_lazy("Neutral"),
    "hard": gettext_lazy("Not easy"),
}


@dataclass(frozen=True)
class Comment:
    """One comment; `mood` is "up", "down" or "" and `score` is empty for a thumb."""

    text: str
    language: str
    mood: str
    score: str
    outcome: str
    reason: str
    touchpoint: str
    product: str
    channel: str
    answered_at: datetime

    @property
    def long(self) -> bool:
        return len(self.text) > LONG_CHARS or self.text.count("\n") >= LONG_LINES


@dataclass(frozen=True)
class CommentsPanel:
    """The latest comments; none at all where fewer than 5 people answered."""

    comments: list[Comment]
    hidden: bool
    files: bool
    tabs: list[tuple[str, str, bool]]
    most_csv: int = exports.MAX_ROWS
    most_excel: int = exports.MAX_WORKBOOK_ROWS


def comments_panel(selection: Selection, block: Block) -> CommentsPanel:
    """Return the comments for a selection; `block` is the whole."""
    comments = latest_comments(selection) if block.drawn else []
    return CommentsPanel(
        comments=comments,
        hidden=block.hidden,
        files=block.drawn,
        tabs=[
            (str(label), selection.link(said=said), said == selection.said)
            for said, label in SAID.items()
        ],
    )


def latest_comments(selection: Selection) -> list[Comment]:
    """Return the latest comments, whose reader has to mind the rule of 5."""
    if not asks_why(selection):
        return []
    found = queries.comments(selection.kpi, selection.period, selection.where, selection.said)
    return [as_comment(response) for response in found[:LATEST]]


def as_comment(response: Response) -> Comment:
    """Return an answer as people read it; the text is empty where nobody wrote one."""
    scale = SCALES[response.scale]
    outcome = scale.outcome(response.value)
    product, touchpoint = response.product, response.touchpoint
    return Comment(
        text=response.comment.strip(),
        language=known_language(response.language),
        mood={scale.positive: "up", scale.negative: "down"}.get(outcome, ""),
        score="" if response.scale == "thumb" else str(response.value),
        outcome=str(OUTCOMES[outcome]),
        reason=response.get_reason_display() if response.reason else "",
        touchpoint=touchpoint.name if touchpoint else "",
        product=(product.name or product.sku) if product else "",
        channel=response.get_channel_display() if response.channel else "",
        answered_at=response.answered_at,
    )


def known_language(code: str) -> str:
    """Return the language of a text if there is one by this code: a browser may send anything."""
    language = code.partition("-")[0].lower()
    return language if language in LANG_INFO else ""
