// A filter chosen from a list is used at once, and the reader stays where they were. What is typed
// waits for the button or Enter: a half-typed date is a date too. Without scripts the button does it
// all; with them the style sheet shows it only beside a field to type in, so that nothing jumps.

const form = document.querySelector("[data-filters]");
const KEY = "filters.focus";

if (form) {
  form.addEventListener("submit", () => {
    // A form sends empty fields too; the address stays short without them.
    for (const field of form.elements) {
      if (field.name && !field.value) field.disabled = true;
    }
  });
  // Back from the next page, the fields can be used again.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
  form.addEventListener("change", (event) => {
    if (!event.target.matches("select")) return;
    sessionStorage.setItem(KEY, event.target.name);
    form.requestSubmit();
  });
  const name = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (name) form.elements.namedItem(name)?.focus({ preventScroll: true });
}
