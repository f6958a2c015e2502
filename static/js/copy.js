// Copies what a button points to, and says so. It answers the browser's own copy command, which
// works on plain http too and hands over formatted text as it is. Without this script the text can
// be selected.

function select(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

function copy(plain, html) {
  const fill = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", plain);
    if (html) event.clipboardData.setData("text/html", html);
  };
  document.addEventListener("copy", fill);
  const copied = document.execCommand("copy");
  document.removeEventListener("copy", fill);
  return copied;
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.querySelector(button.dataset.copy);
  const rich = button.dataset.rich && document.querySelector(button.dataset.rich);
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", () => {
    // Emptied first, or the same word again is not read out.
    status.textContent = "";
    select(rich || source);
    const copied = copy(source.textContent, rich?.textContent);
    const { done, failed } = button.dataset;
    setTimeout(() => (status.textContent = copied ? done : failed));
  });
}
