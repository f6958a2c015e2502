// Says so when the server is out of reach: the figures are those of when the page was made. A change
// of filters waits for the connection, and other forms keep what was typed.

const banner = document.querySelector("[data-offline]");
let cutOff = false;
let waiting = null;

// A browser without a network calls itself offline, and may still reach a server on its own machine.
async function reachable() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

async function look() {
  const gone = !navigator.onLine && !(await reachable());
  // The connection may have come back while we asked.
  cutOff = gone && !navigator.onLine;
  banner.hidden = !cutOff;
  if (cutOff) return;
  waiting?.();
  waiting = null;
}

function hold(event, later) {
  event.preventDefault();
  event.stopImmediatePropagation();
  waiting = later ?? waiting;
}

function held(form) {
  // The theme is changed in the page itself.
  return cutOff && !form.matches("[data-theme-form]");
}

addEventListener("offline", look);
addEventListener("online", look);
// Back from a page that was out of reach.
addEventListener("pageshow", look);

// Before the scripts of the forms: what they do on sending would be for nothing.
const FIRST = { capture: true };
addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (held(form)) hold(event, form.matches("[data-filters]") ? () => form.requestSubmit() : null);
  },
  FIRST,
);
addEventListener(
  "click",
  (event) => {
    const choice = event.target.closest("a[href^='?']");
    if (cutOff && choice) hold(event, () => choice.click());
  },
  FIRST,
);
