// Customer Insights
"use strict";
{
  const TAG = "customer-feedback";
  const script = document.currentScript;

  // lowest, highest, lowest happy
  const SCALES = { thumb: [0, 1, 1], nps: [0, 10, 9], csat: [1, 5, 4], ces: [1, 7, 5] };
  // nl, en
  const WORDS = {
    thumb: ["Heeft deze pagina je geholpen?|Nee|Ja", "Did this page help you?|No|Yes"],
    thumbgood: ["Heeft deze pagina je geholpen?|Niet goed|Goed", "Did this page help you?|Not good|Good"],
    thumbagree: ["Heeft deze pagina je geholpen?|Oneens|Eens", "Did this page help you?|Disagree|Agree"],
    nps: [
      "Hoe waarschijnlijk is het dat je ons aanraadt aan een vriend of collega?|0 zeker niet|zeker wel 10",
      "How likely are you to recommend us to a friend or colleague?|0 certainly not|certainly 10",
    ],
    csat: [
      "Hoe tevreden ben je over je bestelling?|1 heel ontevreden|heel tevreden 5",
      "How satisfied are you with your order?|1 very dissatisfied|very satisfied 5",
    ],
    ces: [
      "Hoe makkelijk was het om te vinden wat je zocht?|1 heel moeilijk|heel makkelijk 7",
      "How easy was it to find what you were looking for?|1 very hard|very easy 7",
    ],
    anonymous: [
      "Anoniem. We bewaren je antwoord, de tijd, de taal en waar het over gaat.",
      "Anonymous. We keep your answer, the time, the language and what it is about.",
    ],
    send: ["Verstuur", "Send"],
    change: ["Wijzig", "Change"],
    again: ["Probeer opnieuw", "Try again"],
    sending: ["Versturen…", "Sending…"],
    noted: ["Genoteerd, dank je.", "Noted, thank you."],
    offline: [
      "Je bent offline.|Je antwoord gaat mee zodra er weer verbinding is.",
      "You are offline.|Your answer goes out once you are online.",
    ],
    failed: [
      "Dat lukte niet.|Dit is niet bewaard. Het ligt aan ons.",
      "That did not work.|This was not stored. It is our fault.",
    ],
    refused: ["We kunnen dit niet bewaren.", "We cannot store this."],
    late: ["Na 24 uur kun je niet meer wijzigen.", "You cannot change it after 24 hours."],
    liked: ["Wat vond je goed? (niet verplicht)", "What did you like? (optional)"],
    better: ["Wat kan beter? (niet verplicht)", "What could be better? (optional)"],
  };
  const HAPPY = { useful: ["Nuttig", "Useful"], fun: ["Leuk", "Fun"], easy: ["Makkelijk", "Easy"] };
  const UNHAPPY = {
    not_relevant: ["Past niet bij mij", "Not relevant"],
    too_often: ["Te vaak", "Too often"],
    too_personal: ["Te persoonlijk", "Too personal"],
    effort: ["Te veel moeite", "Too much effort"],
    other: ["Iets anders", "Something else"],
  };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{all:initial;display:block;max-width:22.5em;font:inherit;font-size:max(1em,16px);line-height:1.4;color-scheme:light dark;
--ciw-bg:light-dark(#fff,#171e29);
--ciw-ink:light-dark(#152033,#e9edf4);
--ciw-soft:light-dark(#5c687c,#a3adbd);
--ciw-line:light-dark(#dde2e9,#303a49);
--ciw-edge:light-dark(#808b9c,#7a869b);
--ciw-well:light-dark(#f4f6f8,#202937);
--ciw-accent:light-dark(#3c48b8,#aab4ff);
--ciw-on:light-dark(#fff,#11161f);
--ciw-up:light-dark(#0a7167,#4fc8b6);
--ciw-up-t:light-dark(#dcf1ec,#10332f);
--ciw-down:light-dark(#b23e0b,#ff9b6b);
--ciw-down-t:light-dark(#fce8dc,#3f2012)}
:host([hidden]){display:none}
*{box-sizing:border-box;margin:0;padding:0;border:0 solid;border-radius:6px;font:inherit;color:inherit;background:none}
div{display:grid;gap:.625em}
div:empty{position:absolute}
.card{padding:1em;border:1px solid var(--ciw-line);border-radius:12px;color:var(--ciw-ink);background:var(--ciw-bg);overflow-wrap:anywhere}
.ask{order:-1}
fieldset{min-width:0}
legend,b,.send,.again,.face{font-weight:600}
.choices{grid-auto-flow:column;grid-auto-columns:1fr;gap:3px;margin:.75em 0 .375em}
.thumb{gap:.625em}
/* 11 or 6 in a row */
.nps{grid-auto-flow:row;grid-template-columns:repeat(auto-fit,minmax(clamp(8%,(294px - 100%)*999,15%),1fr))}
label{position:relative}
input{position:absolute;inset:0;opacity:0;width:100%;height:100%}
input,button{cursor:pointer}
.face,button,.dot{display:flex;align-items:center;justify-content:center;gap:.5em}
.face,button{min-height:44px}
button{justify-self:start}
.face,.reason,textarea{border:1px solid var(--ciw-edge)}
.thumb .face,.reason,.dot{border-radius:99px}
.send,.again,.reason{padding:0 1em}
.send,.again,:checked+.face,[aria-pressed=true]{color:var(--ciw-on);background:var(--ciw-accent);border:3px solid var(--ciw-accent)}
.thumb :checked+.face{border-color:currentColor}
.dot.up,:checked+.up{color:var(--ciw-up);background:var(--ciw-up-t)}
.dot.down,:checked+.down{color:var(--ciw-down);background:var(--ciw-down-t)}
:focus-visible,:focus-visible+.face{outline:2px solid var(--ciw-accent);outline-offset:2px}
svg{width:1.375em;fill:none;stroke:currentColor;stroke-width:1.75}
.down svg{rotate:180deg}
.row{display:flex;flex-wrap:wrap;align-items:center}
.ends{justify-content:space-between}
.thumb+.ends{display:none}
small,.ends{font-size:.8125em;color:var(--ciw-soft)}
.dot{width:2.25em;height:2.25em;background:var(--ciw-well)}
b{flex:1}
a,.change{color:var(--ciw-accent);text-decoration:underline}
textarea{padding:.625em}`);

  const h = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  const thumb = () => {
    const make = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
    const node = make("svg");
    const path = make("path");
    node.setAttribute("viewBox", "0 0 24 24");
    path.setAttribute(
      "d",
      "M7 10v12H4a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2h3l5-8a3 3 0 0 1 3 4l-1 4h6a2 2 0 0 1 2 2l-3 9a2 2 0 0 1-2 1H7",
    );
    node.append(path);
    return node;
  };

  // randomUUID needs https
  const uuid = () => crypto.getRandomValues(new Uint8Array(32)).map((n) => n % 10).join("");

  // text: no preflight
  const post = (url, body) =>
    fetch(url, { method: "POST", credentials: "omit", keepalive: true, body });

  const warn = (text) => console.warn(`${TAG}: ${text}`);

  function start(element) {
    const read = (name) => element.getAttribute(name) || undefined;
    const touchpoint = read("touchpoint");
    const [scale] = `${touchpoint}`.split("-");
    const lang = (element.closest("[lang]") || element).lang.slice(0, 2).toLowerCase();
    const language = ["nl", "en"].indexOf(lang);
    const send = element.send || post;
    const own = send === post;
    if (language < 0 || !SCALES[scale] || (own && origin === "null")) {
      return element.shadowRoot?.replaceChildren(h("slot"));
    }
    const url = new URL(`collect/${touchpoint}/`, script.src);
    const text = (name) => WORDS[name][language].split("|");
    const [lowest, highest, happy] = SCALES[scale];
    const isThumb = scale === "thumb";

    let vote;
    let now = { reason: "", comment: "" };
    let stored;
    let queue = [];
    let draft = "";
    let next; // the view after that
    let view, thanks, offer, busy, saying, later;

    const status = h("div", { role: "status" });
    const body = h("div");
    const card = h("div", { className: "card", lang, dir: "ltr", tabIndex: -1 }, status, body);
    const root = element.shadowRoot || element.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(card);
    card.style.colorScheme = read("theme") || "";
    if (read("accent")) {
      element.style.setProperty(
        "--ciw-accent",
        `light-dark(${read("accent")},${read("accent-dark") || "#aab4ff"})`,
      );
    }

    const side = (value) => (isThumb ? (value ? "up" : "down") : "");
    const button = (name, onclick) => h("button", { className: name, onclick }, text(name));

    function fill(part, ...nodes) {
      clearTimeout(saying);
      const focused = root.activeElement;
      part.replaceChildren(...nodes);
      if (focused && !root.activeElement) (root.querySelector(":checked,button") || card).focus();
    }

    function say(tone, mark, [title, note = ""], ...buttons) {
      const dot = h("div", { className: `dot ${tone}` }, mark);
      fill(status, h("div", { className: "row" }, dot, h("b", {}, title)), note, ...buttons);
    }

    function stop(name, ...buttons) {
      if (view === ask) {
        fill(body);
        next ||= more;
      }
      say("", "!", text(name), ...buttons);
    }

    function draw(given) {
      if (given && given !== view) {
        view = given;
        fill(body, ...view());
      }
      next = "";
      body.className = view.name;
      if (view === ask) fill(status);
      else {
        const words = [thanks || text("noted"), now.value ? offer : ""];
        say(side(now.value), isThumb ? thumb() : now.value, words);
      }
    }

    function ask() {
      const named = scale + read("labels");
      const [title, low, high] = text(WORDS[named] ? named : scale);
      const choices = [];
      for (let value = lowest; value <= highest; value++) {
        const name = value === lowest ? low : value === highest ? high : value;
        const input = h("input", {
          type: "radio",
          name: "value",
          value,
          checked: value === now.value,
          ariaLabel: name,
          // 0: an arrow key, which only chooses
          onclick: (event) => (event.detail ? choose(event) : group.after(go)),
        });
        const className = `face ${side(value)}`;
        const face = h("span", { className }, ...(isThumb ? [thumb(), name] : [value]));
        choices.push(h("label", {}, input, face));
      }
      // scripts click, too
      const choose = ({ isTrusted }) => {
        if (isTrusted || !own) answer(+root.querySelector(":checked").value);
      };
      const go = button("send", choose);
      const group = h(
        "fieldset",
        {
          onkeydown(event) {
            if (event.key === "Enter" && go.isConnected) choose(event);
          },
        },
        h("legend", {}, read("question") || element.querySelector("a")?.textContent || title),
        h("div", { className: `choices ${scale}` }, ...(isThumb ? choices.reverse() : choices)),
        h("div", { className: "row ends" }, h("p", {}, low), h("p", {}, high)),
      );
      return [group, stored ? go : "", h("small", {}, text("anonymous"))];
    }

    function more() {
      const isHappy = now.value >= happy;
      const title = text(isHappy ? "liked" : "better");
      const buttons = Object.entries(isHappy ? HAPPY : UNHAPPY).map(([value, words]) => {
        const onclick = () => {
          put({ reason: value === now.reason ? "" : value });
          press();
        };
        return h("button", { className: "reason", value, onclick }, words[language]);
      });
      const press = () => buttons.forEach((one) => (one.ariaPressed = one.value === now.reason));
      press();
      const area = h("textarea", {
        ariaLabel: title,
        maxLength: 2000,
        value: draft,
        oninput: () => (draft = area.value),
      });
      const comment = () => put(draft !== now.comment && { comment: draft }, thanked);
      return [
        h("p", {}, title),
        h("div", { className: "row", role: "group", ariaLabel: title }, ...buttons),
        area,
        h("div", { className: "row" }, button("send", comment), ...thanked()),
      ];
    }

    const thanked = () => [button("change", () => draw(ask))];

    const answer = (value) =>
      put(value !== now.value && (vote ? { value, reason: "" } : { value }), more);

    function put(change, then = next) {
      next = then;
      if (change) {
        const key = uuid();
        const rest = vote
          ? { edits: vote }
          : { product: read("product"), lang, subject: read("subject") };
        vote ||= key;
        now = { ...now, ...change };
        queue.push({ body: JSON.stringify({ key, ...change, ...rest }), now, tries: 0, lost: 0 });
        pump();
      } else if (!queue.length) draw(next);
    }

    // the same key counts once
    const leave = () => own && queue.forEach((item) => navigator.sendBeacon(url, item.body));

    // not always, or a removed one leaks
    function watch(listen) {
      listen("online", pump);
      listen("pagehide", leave);
    }

    async function pump() {
      const item = queue[0];
      if (busy || !item) return;
      clearTimeout(later);
      clearTimeout(saying);
      watch(addEventListener);
      if (!navigator.onLine) return stop("offline");
      saying = setTimeout(() => fill(status, text("sending")), 400);
      busy = true;
      const reply = await send(url, item.body).catch(() => ({}));
      const data = await reply.json?.().catch(() => ({}));
      const code = reply.status;
      busy = false;
      if (reply.ok) {
        queue.shift();
        stored = item.now;
        thanks = data.thanks;
        offer ||= data.offer && h("a", { href: data.offer, target: "_blank" }, data.offer_text);
        if (queue.length) return pump();
        draw(next);
      } else if (/^4(?!29)/.test(code)) {
        warn(`${code} ${data.message}`);
        queue = [];
        if (stored) {
          now = stored;
          view = "";
          draw(more);
        }
        stop(code === 409 ? "late" : "refused");
      } else {
        if (!code && !item.lost++) warn(`no reply. Does ${touchpoint} allow ${origin}?`);
        const wait = (3e3 + 1e3 * Math.random()) * 2 ** item.tries++;
        if (item.tries < 5 && item.lost < 3) {
          later = setTimeout(pump, wait + 1e3 * (+reply.headers?.get("Retry-After") || 0));
          return;
        }
        item.tries = item.lost = 0;
        stop("failed", button("again", pump));
      }
      watch(removeEventListener);
    }

    draw(ask);
    if (element.hasAttribute("exposures")) {
      const seen = ([entry], observer) => {
        if (entry.intersectionRatio < 0.5) return;
        observer.disconnect();
        send(`${url}shown/`, "").catch(() => {});
      };
      new IntersectionObserver(seen, { threshold: 0.5 }).observe(element);
    }
  }

  const find = (place) => (place.matches(TAG) ? place : place.querySelector(TAG));

  function write(element, options) {
    for (const [name, value] of Object.entries(options)) {
      // accentDark is accent-dark
      const attribute = name.replace("D", "-d");
      if (value || value === "") element.setAttribute(attribute, value);
      else element.removeAttribute(attribute);
    }
    return element;
  }

  function mount(place, { send, ...options }) {
    const element = find(place) || place.appendChild(h(TAG));
    const before = element.outerHTML;
    element.send = send;
    // not those of the last view
    write(element, { product: 0, subject: 0, ...options });
    if (element.outerHTML !== before) start(element);
  }

  const unmount = (place) => find(place)?.remove();

  function define() {
    if (origin === "null") warn("needs http, not file:// or a sandbox");
    if (!customElements.get(TAG)) {
      class Feedback extends HTMLElement {
        connectedCallback() {
          this.shadowRoot || start(this); // else moved
        }
      }
      customElements.define(TAG, Feedback);
    }
    const { after, ...options } = script.dataset;
    if (after && !document.querySelector(`[touchpoint="${options.touchpoint}"]`)) {
      document.querySelector(after)?.after(write(h(TAG), options));
    }
  }

  window.CustomerFeedback ||= { mount, unmount };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", define);
  else define();
}
