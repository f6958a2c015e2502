// Asks once a second how far an import is; when its state changes, the page is loaded anew. Without
// this script, and when the server does not answer, the reader loads the page again.

const panel = document.querySelector("[data-progress]");
const EVERY = 1000;
const PATIENCE = 5;

let failures = 0;

async function ask() {
  const answer = await fetch(panel.dataset.progress, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  return answer.json();
}

function show({ percent, percent_text, text }) {
  panel.querySelector("progress").value = percent;
  panel.querySelector("[data-percent]").textContent = percent_text;
  panel.querySelector("[data-text]").textContent = text;
}

async function look() {
  try {
    const state = await ask();
    failures = 0;
    if (state.status !== panel.dataset.status) {
      location.reload();
      return;
    }
    show(state);
  } catch {
    failures += 1;
  }
  // After a few silent answers the reader takes over.
  panel.querySelector("[data-reload]").hidden = failures < PATIENCE;
  setTimeout(look, EVERY);
}

if (panel) {
  panel.querySelector("[data-reload]").hidden = true;
  setTimeout(look, EVERY);
}
