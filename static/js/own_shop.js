// Waits until the own shop answers instead of the demo shop, and goes there. Without this script,
// and when it takes long, the reader presses the button.

const page = document.querySelector("[data-opening]");
const EVERY = 1000;
const PATIENCE = 60;

let asked = 0;

async function isOpen() {
  try {
    const answer = await fetch(page.dataset.opening, { cache: "no-store" });
    return answer.ok && (await answer.json()).open;
  } catch {
    // Between the two shops nobody answers.
    return false;
  }
}

async function look() {
  if (await isOpen()) {
    location.replace(page.dataset.next);
    return;
  }
  asked += 1;
  page.querySelector("[data-go]").hidden = asked < PATIENCE;
  setTimeout(look, EVERY);
}

if (page) {
  page.querySelector("[data-go]").hidden = true;
  page.querySelector("[data-waiting]").hidden = false;
  setTimeout(look, EVERY);
}
