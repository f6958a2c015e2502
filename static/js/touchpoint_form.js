// A ready-made question fills in the fields, and the preview follows what is typed. Without this
// script the server does the same with a ready-made question when the fields are empty.

const form = document.querySelector("[data-touchpoint-form]");
const { scale: fixed, ready, usual } = JSON.parse(document.querySelector("#preview").textContent);
const host = document.querySelector("[data-host]");
const place = host.querySelector("[data-widget]");
const switches = [...document.querySelectorAll("[data-preview-language]")];
const field = (name) => form.elements.namedItem(name);
let drawn = null; // the accent colour
const text = (name) => field(name)?.value.trim() ?? "";

place.replaceChildren();

// The widget talks to this instead of to the server.
async function send(_url, body) {
  const { key } = JSON.parse(body);
  const thanks = text(`thanks_${language()}`);
  return { ok: true, status: 201, headers: new Headers(), json: async () => ({ key, thanks }) };
}

const language = () =>
  switches.find((one) => one.getAttribute("aria-pressed") === "true").dataset.previewLanguage;

function fill() {
  const chosen = ready[text("ready")];
  if (!chosen) return;
  if (field("scale")) field("scale").value = chosen.scale;
  field("question_nl").value = chosen.nl;
  field("question_en").value = chosen.en;
  if (field("labels")) field("labels").value = chosen.labels;
}

function show() {
  const scale = fixed || text("scale");
  const lang = language();
  // Only thumbs have words.
  const labels = document.querySelector("#div_id_labels");
  if (labels) labels.hidden = Boolean(scale) && scale !== "thumb";
  document.querySelector("[data-choose-first]").hidden = Boolean(scale);
  host.lang = lang;
  for (const one of host.querySelectorAll("[data-in]")) one.hidden = one.dataset.in !== lang;
  if (!scale) {
    CustomerFeedback.unmount(place);
    return;
  }
  const typed = text("accent").toLowerCase();
  const accent = /^#[0-9a-f]{6}$/.test(typed) ? typed : null;
  // The widget does not forget a colour.
  if (accent !== drawn) CustomerFeedback.unmount(place);
  drawn = accent;
  CustomerFeedback.mount(place, {
    touchpoint: `${scale}-000000000000`,
    lang,
    question: text(`question_${lang}`) || usual[scale][lang],
    labels: text("labels") || null,
    theme: text("theme") || null,
    accent,
    send,
  });
}

field("ready").addEventListener("change", fill);
form.addEventListener("input", show);
form.addEventListener("change", show);
for (const one of switches) {
  one.addEventListener("click", () => {
    for (const other of switches) other.setAttribute("aria-pressed", String(other === one));
    show();
  });
}
show();
