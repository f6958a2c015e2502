// Lets people explore a chart: Plotly draws the figure that the page carries in the place of its
// picture. The server names roles; here each role gets its colour from the tokens, again when the
// theme changes. Plotly needs resolved colours.

const PHONE = matchMedia("(max-width: 56rem)");
// Dragging with a finger is scrolling; the dates above do the same.
const MOUSE = matchMedia("(pointer: fine)");

function token(name) {
  // light-dark() is resolved only for real properties, so ask a probe.
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const TRACES = {
  band: () => ({ fillcolor: token("--ci-data-band") }),
  single: () => ({ marker: { color: token("--ci-grey") } }),
  line: () => ({ line: { color: token("--ci-data") } }),
  end: () => ({ marker: { color: token("--ci-data"), line: { color: token("--ci-paper") } } }),
  scores: ({ roles }) => ({
    marker: { color: roles.map((role) => token(SOFT[role])) },
  }),
  numbers: () => ({ textfont: { color: token("--ci-ink-2") } }),
  before: () => ({ line: { color: token("--ci-ink-3") } }),
};

const SOFT = { good: "--ci-up-soft", grey: "--ci-data-soft", bad: "--ci-down-soft" };
const FULL = { good: "--ci-up", grey: "--ci-grey", bad: "--ci-down" };

const SHAPES = {
  zone: () => ({ fillcolor: token("--ci-canvas") }),
  average: () => ({ line: { color: token("--ci-grey") } }),
  event: () => ({ line: { color: token("--ci-ink-3") } }),
  ...Object.fromEntries(
    Object.entries(FULL).map(([role, name]) => [role, () => ({ line: { color: token(name) } })]),
  ),
};

const TEXTS = {
  muted: () => ({ color: token("--ci-ink-3") }),
  wide: () => ({ color: token("--ci-ink-2") }),
  narrow: () => ({ color: token("--ci-ink-2") }),
  strong: () => ({ color: token("--ci-ink"), weight: 600 }),
  end: () => ({ color: token("--ci-data"), size: 15, weight: 600 }),
  event: () => ({ color: token("--ci-ink-2") }),
  good: () => ({ color: token("--ci-up"), weight: 600 }),
  grey: () => ({ color: token("--ci-ink-2") }),
  bad: () => ({ color: token("--ci-down"), weight: 600 }),
};

// "wide-good" is left out on a phone and otherwise looks like "good".
const look = (name) => TEXTS[name.split("-").pop()]();
const width = (name) => name.split("-")[0];

function merge(target, extra) {
  for (const [key, value] of Object.entries(extra)) {
    if (value && typeof value === "object" && !Array.isArray(value)) target[key] = merge(target[key] ?? {}, value);
    else target[key] = value;
  }
  return target;
}

// Names of months that fit beside each other on a phone.
const MOST_TICKS = 6;

function thinOut(axis) {
  const step = Math.ceil((axis.tickvals?.length ?? 0) / MOST_TICKS);
  if (step < 2 || axis.type === "linear") return;
  for (const name of ["tickvals", "ticktext"]) axis[name] = axis[name].filter((_, at) => at % step === 0);
}

function paint(figure) {
  const { data, layout } = structuredClone(figure);
  for (const trace of data) merge(trace, TRACES[trace.meta.role](trace.meta));
  for (const shape of layout.shapes ?? []) merge(shape, SHAPES[shape.name]());
  const leftOut = PHONE.matches ? ["wide", "event"] : ["narrow"];
  layout.annotations = (layout.annotations ?? []).filter((text) => !leftOut.includes(width(text.name)));
  for (const text of layout.annotations) text.font = look(text.name);
  merge(layout.template.layout, {
    font: { family: getComputedStyle(document.body).fontFamily, color: token("--ci-ink-3") },
    hoverlabel: {
      bgcolor: token("--ci-raised"),
      bordercolor: token("--ci-line-2"),
      font: { color: token("--ci-ink") },
    },
    xaxis: { tickcolor: token("--ci-line-2") },
    yaxis: { ticklabelstandoff: 5, gridcolor: token("--ci-grid"), zerolinecolor: token("--ci-line-2") },
  });
  if (PHONE.matches) thinOut(layout.xaxis);
  if (PHONE.matches && !layout.margin) merge(layout.template.layout, { margin: { r: 64 } });
  return { data, layout };
}

// No mode bar and no address to send data to: nothing leaves the page.
const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  modeBarButtonsToRemove: ["sendChartToCloud"],
  plotlyServerURL: "",
  responsive: true,
};

// A stretch dragged over becomes the period, in the address like every other choice.
function zoomable(element, layout) {
  layout.dragmode = "zoom";
  layout.xaxis.fixedrange = false;
  element.removeAllListeners?.("plotly_relayout");
}

function choosePeriod(range) {
  const [from, to] = range.map((moment) => moment.slice(0, 10)).sort();
  const address = new URL(location.href);
  address.searchParams.set("period", "own");
  address.searchParams.set("from", from);
  address.searchParams.set("to", to);
  location.assign(address);
}

// Plotly comes once, for whoever explores first.
let plotly;

function loadPlotly(address) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("Plotly was not loaded")));
    script.onerror = () => reject(new Error("Plotly was not loaded"));
    document.head.append(script);
  });
  return plotly;
}

async function draw(element) {
  const Plotly = await loadPlotly(element.dataset.plotly);
  // The font first: Plotly measures text once.
  await document.fonts.ready;
  const figure = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const { data, layout } = paint(figure);
  const zoom = "zoom" in element.dataset && MOUSE.matches;
  if (zoom) zoomable(element, layout);
  element.hidden = false;
  element.parentElement.querySelector("[data-picture]").hidden = true;
  await Plotly.react(element, data, layout, CONFIG);
  if (!zoom) return;
  element.on("plotly_relayout", (change) => {
    if (change["xaxis.range[0]"]) {
      choosePeriod([change["xaxis.range[0]"], change["xaxis.range[1]"]]);
    }
  });
}

// When it fails the picture stays, and a line below it says what is missing.
async function explore(element) {
  try {
    await draw(element);
  } catch (error) {
    element.hidden = true;
    element.parentElement.querySelector("[data-picture]").hidden = false;
    element.closest("figure").querySelector("[data-failed]").hidden = false;
    element.closest("section").querySelector("[data-zoom-hint]")?.setAttribute("hidden", "");
    throw error;
  }
}

for (const element of document.querySelectorAll("[data-chart]")) {
  const begin = () => explore(element);
  for (const kind of ["pointerenter", "touchstart"]) {
    element.parentElement.addEventListener(kind, begin, { once: true, passive: true });
  }
}

function drawAgain() {
  for (const element of document.querySelectorAll("[data-chart]:not([hidden])")) explore(element);
}

document.addEventListener("themechange", drawAgain);
PHONE.addEventListener("change", drawAgain);
