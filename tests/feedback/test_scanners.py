"""Whatever opens the links of a mail by itself: no vote moves by a single byte.

Sixty ways in which scanners, previews, proxies and prefetching browsers present themselves. Many
of them look like a usual browser, which is why nothing may depend on telling them apart.
"""

import re
from html import unescape

import pytest
from django.test import Client

from feedback import tallies
from feedback.models import (
    DayCube,
    Exposure,
    Invitation,
    Response,
    ResponseChange,
    ResponseEdit,
    Tally,
)
from feedback.places import name_campaign
from tests.feedback.posts import an_answer_body, an_edit_body, make_asking, send
from tests.makers import NOW, make_invitation

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko)"
)
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"

# Each with its user agent and what else tells of it.
PROFILES: dict[str, tuple[str, dict[str, str]]] = {
    # Security gateways that follow the links of a mail.
    "Defender Safe Links": (CHROME + "42.0.2311.135 Safari/537.36 Edge/12.246", {}),
    "Defender detonation": (CHROME + "120.0.0.0 Safari/537.36 Edg/120.0.0.0", {}),
    "Defender, headless": (CHROME + "119.0.0.0 Safari/537.36 HeadlessChrome", {}),
    "Barracuda": ("Mozilla/5.0 (compatible; Barracuda Link Protection)", {"via": "1.1 barracuda"}),
    "Barracuda Sentinel": ("Barracuda Sentinel (EE)", {}),
    "Mimecast": (CHROME + "98.0.4758.102 Safari/537.36", {"via": "1.1 mimecast"}),
    "Mimecast, plain": ("Mozilla/5.0 (compatible; Mimecast URL Protect)", {}),
    "Proofpoint": (CHROME + "79.0.3945.130 Safari/537.36", {"x-proofpoint": "urldefense"}),
    "Proofpoint, old": ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", {}),
    "Cisco": ("Cisco Secure Email Gateway", {"via": "1.1 ironport:80 (Cisco-WSA/X)"}),
    "Symantec": ("Mozilla/5.0 (compatible; Symantec Email Security.cloud)", {}),
    "Trend Micro": ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; TMASE)", {}),
    "Sophos": ("Mozilla/5.0 (compatible; Sophos Time-of-Click)", {}),
    "FortiMail": ("FortiMail URI click protection", {}),
    "Forcepoint": ("Mozilla/5.0 (compatible; Forcepoint URL sandboxing)", {}),
    "Zscaler": (CHROME + "107.0.0.0 Safari/537.36", {"via": "1.1 zscaler", "z-forwarded-for": "x"}),
    "Palo Alto": ("Expanse, a Palo Alto Networks company, searches across the internet", {}),
    "Check Point": (CHROME + "109.0.0.0 Safari/537.36", {"x-checkpoint": "threat-emulation"}),
    "Avanan": ("python-requests/2.32.3", {}),
    "Trellix": ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", {}),
    "Abnormal": (CHROME + "116.0.5845.96 Safari/537.36", {"sec-ch-ua": '"HeadlessChrome"'}),
    "urlscan": (CHROME + "126.0.0.0 Safari/537.36", {"referer": "https://urlscan.example/"}),
    "VirusTotal": ("Mozilla/5.0 (compatible; virustotalcloud)", {"accept-encoding": "gzip"}),
    "SpamAssassin plug-in": ("libwww-perl/6.72", {}),
    "ClamAV": ("ClamAV/1.3.1 (OS: linux-gnu, ARCH: x86_64)", {}),
    # Mail programs and their proxies.
    "Gmail's image proxy": (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        {"accept": "image/avif,image/webp,*/*"},
    ),
    "Yahoo's mail proxy": ("YahooMailProxy; https://help.yahoo.com/kb/", {"accept": "image/*"}),
    "Apple's mail privacy": ("Mozilla/5.0", {"accept": "*/*"}),
    "Outlook on Windows": (
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17628; Pro)",
        {"x-office-major-version": "16"},
    ),
    "Outlook looks first": ("Microsoft Office Protocol Discovery", {}),
    "Office looks first": ("Microsoft Office Existence Discovery", {}),
    "Outlook's preview": ("Mozilla/5.0 (compatible; BingPreview/1.0b) Chrome/103.0 Safari", {}),
    "Thunderbird": ("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Thunderbird/115.12.2", {}),
    "Spark": ("Mozilla/5.0 (compatible; SparkPreview/1.0)", {}),
    # Previews of a link that somebody passes on.
    "iOS": (
        MAC + " Version/17.0 Safari/605.1.15 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        {},
    ),
    "WhatsApp": ("WhatsApp/2.24.13.77 A", {"accept-language": "nl"}),
    "WhatsApp on the web": ("WhatsApp/2.2424.6 W", {}),
    "Facebook": ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", {}),
    "Slack": ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", {"range": "bytes=0-"}),
    "Slack's images": ("Slack-ImgProxy (+https://api.slack.com/robots)", {}),
    "Teams": ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", {}),
    "Telegram": ("TelegramBot (like TwitterBot)", {}),
    "Signal": ("WhatsApp/2", {"accept": "text/html"}),
    "Discord": ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", {}),
    "LinkedIn": ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)", {}),
    "X": ("Twitterbot/1.0", {}),
    "Pinterest": ("Pinterest/0.2 (+https://www.pinterest.com/bot.html)", {}),
    "Mastodon": ("http.rb/5.1.1 (Mastodon/4.2.9; +https://social.example/)", {}),
    # Browsers that fetch what might be opened next.
    "Chrome prefetches": (
        ANDROID + "126.0.0.0 Mobile Safari/537.36",
        {"purpose": "prefetch", "sec-purpose": "prefetch", "sec-fetch-dest": "empty"},
    ),
    "Chrome prerenders": (
        CHROME + "126.0.0.0 Safari/537.36",
        {"sec-purpose": "prefetch;prerender", "sec-fetch-dest": "document"},
    ),
    "Chrome, through a proxy": (
        CHROME + "126.0.0.0 Safari/537.36",
        {"sec-purpose": "prefetch;anonymous-client-ip"},
    ),
    "Firefox prefetches": (FIREFOX, {"x-moz": "prefetch"}),
    "Safari previews": (MAC + " Version/17.5 Safari/605.1.15", {"x-purpose": "preview"}),
    "Safari on a phone": (IPHONE + " Version/17.5 Mobile/15E148", {"purpose": "prefetch"}),
    "Samsung looks ahead": (
        ANDROID + "115.0 SamsungBrowser/25.0 Mobile Safari/537.36",
        {"purpose": "prefetch"},
    ),
    # Programs, and what hides behind nothing at all.
    "Google": ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}),
    "curl": ("curl/8.7.1", {"accept": "*/*"}),
    "Go": ("Go-http-client/2.0", {"accept-encoding": "gzip"}),
    "Java": ("Apache-HttpClient/4.5.14 (Java/17.0.11)", {}),
    "nothing": ("", {}),
}
VOTES = (Response, ResponseChange, ResponseEdit, Tally, DayCube, Invitation)


def votes() -> dict[str, list[tuple]]:
    return {model._meta.label: list(model.objects.order_by("pk").values_list()) for model in VOTES}


def opened() -> int:
    assert set(Exposure.objects.values_list("kind", flat=True)) <= {"opened"}
    return sum(Exposure.objects.values_list("n", flat=True))


@pytest.fixture
def links() -> list[str]:
    """The links of a newsletter: both thumbs, the same of a named sending, and an NPS row."""
    thumb, nps = make_asking(scale="thumb"), make_asking(scale="nps")
    campaign = name_campaign(name="November", now=NOW)[0]
    # Something of everything that must not move.
    answer = an_answer_body(value=1)
    send(thumb, answer)
    tallies.fold_all()
    send(thumb, an_edit_body(answer, value=0))
    make_invitation(touchpoint=thumb)
    thumbs = [f"/v/{thumb.key}/?v={value}&lang=nl" for value in (1, 0)]
    scores = [f"/v/{nps.key}/?v={value}&lang=en" for value in range(11)]
    return [*thumbs, *(f"{link}&c={campaign.key}" for link in thumbs), *scores]


def test_there_are_sixty_of_them():
    assert len(PROFILES) == 60
    assert len({(agent, *sorted(headers.items())) for agent, headers in PROFILES.values()}) == 60


@pytest.mark.django_db
@pytest.mark.parametrize("name", PROFILES)
def test_links_that_a_program_opens_move_no_vote(name, links):
    agent, headers = PROFILES[name]
    scanner = Client(headers={"user-agent": agent, **headers}, enforce_csrf_checks=True)
    before = votes()
    assert all(before.values())
    for link in links:
        assert scanner.head(link).status_code == 200
        assert scanner.options(link).status_code == 405
        assert scanner.get(link, headers={"purpose": "prefetch"}).status_code == 200
    # Only what looks like a person opening a link is counted as opened, and as nothing else.
    assert opened() == 0
    for link in links:
        page = scanner.get(link)
        assert page.status_code == 200
        assert not page.cookies
    prefetches = any("prefetch" in value for value in headers.values())
    assert opened() == (0 if prefetches else len(links))
    follow_what_is_on(page, link, scanner)
    assert votes() == before


def follow_what_is_on(page, link: str, scanner: Client) -> None:
    """Open whatever a page links to, and check that nothing there presses the button."""
    text = page.content.decode()
    assert 'method="post"' in text
    assert not re.search(r"<script|http-equiv|formmethod|onload", text)
    for href in re.findall(r'<a [^>]*href="([^"]*)"', text):
        address = unescape(href)
        scanner.get(link.partition("?")[0] + address if address.startswith("?") else address)


@pytest.mark.django_db
def test_a_person_who_then_presses_the_button_is_counted(links):
    """The same page that no scanner moves, so that the table above has something to refuse."""
    person = Client(headers={"user-agent": FIREFOX})
    page = person.get(links[0])
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]
    before = votes()
    pressed = person.post(links[0].partition("?")[0], {"key": key, "v": "1", "mail": "1"})
    assert pressed.status_code == 200
    assert votes() != before
    assert Response.objects.count() == 2
