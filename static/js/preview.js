// Draws the real widget in every state, with a sender of its own: nothing here is sent or stored.

const { options, language, texts } = JSON.parse(document.querySelector("#preview").textContent);
const scale = options.touchpoint.split("-")[0];
const [LOW, HIGH] = { thumb: [0, 1], nps: [4, 10], csat: [2, 5], ces: [2, 7] }[scale];
const OTHER = language === "nl" ? "en" : "nl";
// The widget tries four times more before it says that it failed.
const TRIES = 5;

// What the server would say.
const reply = (status, data = {}) => ({
  ok: status < 300,
  status,
  headers: new Headers(),
  json: async () => data,
});
const accept = (lang) => async (_url, body) =>
  reply(201, { key: JSON.parse(body).key, thanks: texts[lang].thanks });
const fail = async () => reply(503);
const wait = () => new Promise(() => {});

function mount(place, { lang = language, theme = options.theme, send = accept(lang) } = {}) {
  place.replaceChildren();
  const { question } = texts[lang];
  CustomerFeedback.mount(place, { ...options, lang, theme, question, send });
  return place.querySelector("customer-feedback").shadowRoot;
}

const settle = () => new Promise((done) => setTimeout(done));

// With detail 0 it would be an arrow key, which only chooses.
async function answer(root, value) {
  const click = new MouseEvent("click", { bubbles: true, detail: 1 });
  root.querySelector(`input[value="${value}"]`).dispatchEvent(click);
  await settle();
}

const low = (root) => answer(root, LOW);

const STATES = {
  ask: {},
  low: { drive: low },
  high: { drive: (root) => answer(root, HIGH) },
  done: {
    drive: async (root) => {
      await answer(root, HIGH);
      root.querySelector(".send").click();
    },
  },
  sending: { send: wait, drive: low },
  error: {
    send: fail,
    drive: async (root) => {
      await low(root);
      // "You are online again" makes it try at once.
      for (let tries = 1; tries < TRIES; tries++) {
        dispatchEvent(new Event("online"));
        await settle();
      }
    },
  },
  offline: {
    drive: (root) => {
      Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
      const answered = low(root);
      delete navigator.onLine;
      return answered;
    },
  },
  other: { lang: OTHER },
};

async function draw(place) {
  const { drive, ...given } = STATES[place.dataset.state];
  const root = mount(place, { theme: place.dataset.theme, ...given });
  await drive?.(root);
}

async function drawAll(gallery) {
  // Out of reach until it stands, so that a screen reader does not read what changes in it.
  gallery.inert = true;
  const places = [...gallery.querySelectorAll("[data-state]")];
  // Last the one that is offline: "online" would wake it.
  places.sort((a, b) => (a.dataset.state === "offline") - (b.dataset.state === "offline"));
  for (const place of places) await draw(place);
  gallery.inert = false;
  gallery.dataset.drawn = "";
}

mount(document.querySelector("[data-widget]"));
drawAll(document.querySelector("[data-gallery]"));
