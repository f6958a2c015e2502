"""What people paste: into a web page, a tag manager, an app or a newsletter.

One place writes these texts, so that the page of a touchpoint and the command line give the same.
Everything a colleague typed is escaped for where it goes. The snippet of a web page names only
what differs from the usual; the link inside it is what stays where the widget cannot run.

Pure: standard library only, no Django, no clock, no I/O.
"""

import json
from dataclasses import dataclass
from html import escape
from typing import Any, Self
from urllib.parse import urlencode

from feedback.colours import on_dark
from feedback.scales import SCALES

LANGUAGES = ("nl", "en")

# The words of the widget: on the thumb up and down, and at the ends of a scale.
THUMBS = {
    "nl": {"": ("Ja", "Nee"), "good": ("Goed", "Niet goed"), "agree": ("Eens", "Oneens")},
    "en": {"": ("Yes", "No"), "good": ("Good", "Not good"), "agree": ("Agree", "Disagree")},
}
ENDS = {
    "nl": {
        "nps": ("zeker niet", "zeker wel"),
        "csat": ("heel ontevreden", "heel tevreden"),
        "ces": ("heel moeilijk", "heel makkelijk"),
    },
    "en": {
        "nps": ("certainly not", "certainly"),
        "csat": ("very dissatisfied", "very satisfied"),
        "ces": ("very hard", "very easy"),
    },
}
# Mail programs open links by themselves, so a link is no answer yet.
SMALL_PRINT = {
    "nl": "Anoniem. Je reactie telt pas als je op de volgende pagina op de knop tikt.",
    "en": "Anonymous. Your answer counts once you press the button on the next page.",
}
FORMAL_SMALL_PRINT = (
    "Anoniem. Uw reactie telt pas als u op de volgende pagina op de knop tikt."  # the Dutch
)

# Mail programs drop style sheets and know little of layout: each link carries its own look, and
# without any of it a plain link is left.
_STYLES = {
    "question": "margin:0 0 12px;font-weight:bold",
    "links": "margin:0;line-height:2.75",
    "link": "display:inline-block;margin:0 4px 8px 0;padding:8px 16px;border:1px solid #808b9c;"
    "border-radius:20px;color:#152033;line-height:1.25;text-decoration:underline",
    "small": "margin:4px 0 0;font-size:13px;color:#5c687c",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One answer of a newsletter: where it leads and what it is called."""

    url: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A touchpoint in one language, and the address where we are."""

    base_url: str
    key: str
    scale: str
    language: str
    question: str
    labels: str = ""
    theme: str = ""
    accent: str = ""
    counts_exposures: bool = False
    formal: bool = False

    @classmethod
    def at(cls, touchpoint: Any, language: str, base_url: str, *, formal: bool = False) -> Self:
        """Return a touchpoint as it asks in "nl" or "en"; formal Dutch says "u"."""
        return cls(
            base_url=base_url,
            key=touchpoint.key,
            scale=touchpoint.scale,
            language=language,
            question=touchpoint.question(language, formal=formal),
            labels=touchpoint.labels,
            theme=touchpoint.theme,
            accent=touchpoint.accent,
            counts_exposures=touchpoint.counts_exposures,
            formal=formal,
        )

    def attributes(self) -> dict[str, str]:
        """Return the attributes of the element; the page may not say what language it is in."""
        every = {
            "touchpoint": self.key,
            "lang": self.language,
            "labels": self.labels if self.scale == "thumb" else "",
            "theme": self.theme,
            "accent": self.accent,
            "accent-dark": on_dark(self.accent) if self.accent else "",
        }
        return {name: value for name, value in every.items() if value}


def hosted_url(asked: Asked, *, value: int | None = None, campaign: str = "") -> str:
    """Return the address of the hosted question, with an answer to confirm if one is given."""
    query: dict[str, object] = {"lang": asked.language}
    if value is not None:
        query["v"] = value
    if campaign:
        query["c"] = campaign
    return f"{asked.base_url}/v/{asked.key}/?{urlencode(query)}"


# -- Web pages -------------------------------------------------------------------------------------


def page_snippet(asked: Asked) -> str:
    """Return the snippet for a web page."""
    src = escape(f"{asked.base_url}/widget.js")
    return f'<script src="{src}" defer></script>\n{_element(asked)}'


def pinned_snippet(asked: Asked, *, version: str, integrity: str) -> str:
    """Return the snippet that runs one version of the script and no other."""
    src = escape(f"{asked.base_url}/widget.{version}.js")
    return (
        f'<script src="{src}" integrity="{escape(integrity)}" crossorigin="anonymous" defer>'
        f"</script>\n{_element(asked)}"
    )


def _element(asked: Asked) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in asked.attributes().items())
    exposures = " exposures" if asked.counts_exposures else ""
    return (
        f"<customer-feedback{attributes}{exposures}>\n"
        f'  <a href="{escape(hosted_url(asked))}">{escape(asked.question)}</a>\n'
        "</customer-feedback>"
    )


def tag_manager_snippet(asked: Asked) -> str:
    """Return the snippet for a tag manager, which puts the question after the first `main`.

    Google's strips the data attributes of a script that is pasted, so this one is made by script.
    """
    data = {"after": "main", "question": asked.question, **asked.attributes()}
    if asked.counts_exposures:
        data["exposures"] = ""
    lines = "".join(
        f"  script.setAttribute({_js('data-' + name)}, {_js(value)});\n"
        for name, value in data.items()
    )
    return (
        "<script>\n(function () {\n"
        '  var script = document.createElement("script");\n'
        f"  script.src = {_js(asked.base_url + '/widget.js')};\n"
        f"{lines}"
        "  document.head.appendChild(script);\n"
        "})();\n</script>"
    )


def app_snippet(asked: Asked) -> str:
    """Return how a page that draws itself by script shows and removes the question."""
    options: dict[str, str | bool] = {
        _camel(name): value for name, value in asked.attributes().items()
    }
    options["question"] = asked.question
    if asked.counts_exposures:
        options["exposures"] = True
    lines = "".join(f"  {name}: {_js(value)},\n" for name, value in options.items())
    src = escape(f"{asked.base_url}/widget.js")
    return (
        f'<!-- once in the page -->\n<script src="{src}" defer></script>\n\n'
        "// when the view is shown\n"
        'const place = document.querySelector("#feedback");\n'
        f"CustomerFeedback.mount(place, {{\n{lines}}});\n\n"
        "// before the view goes away\n"
        "CustomerFeedback.unmount(place);"
    )


def _js(value: str | bool) -> str:
    """Return a value as a script in a page may hold it: no text in it ends that script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _camel(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(other.title() for other in others)


# -- Newsletters -----------------------------------------------------------------------------------


def newsletter_links(asked: Asked, campaign: str = "") -> list[Link]:
    """Return one link for each answer, the thumb up first and scores from low to high."""
    values = list(SCALES[asked.scale].values)
    names = [str(value) for value in values]
    if asked.scale == "thumb":
        values.reverse()
        names = list(THUMBS[asked.language][asked.labels])
    return [
        Link(hosted_url(asked, value=value, campaign=campaign), name)
        for value, name in zip(values, names, strict=True)
    ]


def newsletter_ends(asked: Asked) -> str:
    """Return what the lowest and the highest score mean; thumbs say it themselves."""
    if asked.scale == "thumb":
        return ""
    first, last = ENDS[asked.language][asked.scale]
    scale = SCALES[asked.scale]
    return f"{scale.lowest} = {first}, {scale.highest} = {last}"


def small_print(asked: Asked) -> str:
    """Return what stands under the links."""
    formal = asked.formal and asked.language == "nl"
    return FORMAL_SMALL_PRINT if formal else SMALL_PRINT[asked.language]


def newsletter_html(asked: Asked, campaign: str = "") -> str:
    """Return the question with its links as HTML that mail programs leave alone."""
    links = "\n".join(
        f'  <a href="{escape(link.url)}" style="{_STYLES["link"]}">{escape(link.label)}</a>'
        for link in newsletter_links(asked, campaign)
    )
    small = " ".join(filter(None, [_sentence(newsletter_ends(asked)), small_print(asked)]))
    return (
        f'<p style="{_STYLES["question"]}">{escape(asked.question)}</p>\n'
        f'<p style="{_STYLES["links"]}">\n{links}\n</p>\n'
        f'<p style="{_STYLES["small"]}">{escape(small)}</p>'
    )


def newsletter_text(asked: Asked, campaign: str = "") -> str:
    """Return the same for the plain text of a mail."""
    links = [f"{link.label}: {link.url}" for link in newsletter_links(asked, campaign)]
    ends = [newsletter_ends(asked)] if newsletter_ends(asked) else []
    return "\n".join([asked.question, *ends, "", *links, "", small_print(asked)])


def _sentence(text: str) -> str:
    return f"{text}." if text else ""
