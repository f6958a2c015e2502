// Draws the figure that the page carries. The server names roles; here each role gets its colour
// from the tokens, again when the theme changes. Plotly needs resolved colours.

const PHONE = matchMedia("(max-width: 56rem)");

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
};

const SHAPES = {
  zone: () => ({ fillcolor: token("--ci-canvas") }),
  average: () => ({ line: { color: token("--ci-grey") } }),
};

const TEXTS = {
  muted: () => ({ color: token("--ci-ink-3") }),
  wide: () => ({ color: token("--ci-ink-2") }),
  narrow: () => ({ color: token("--ci-ink-2") }),
  strong: () => ({ color: token("--ci-ink"), weight: 600 }),
  end: () => ({ color: token("--ci-data"), size: 15, weight: 600 }),
};

function merge(target, extra) {
  for (const [key, value] of Object.entries(extra)) {
    if (value && typeof value === "object") target[key] = merge(target[key] ?? {}, value);
    else target[key] = value;
  }
  return target;
}

function paint(figure) {
  const { data, layout } = structuredClone(figure);
  for (const trace of data) merge(trace, TRACES[trace.meta.role]());
  for (const shape of layout.shapes) merge(shape, SHAPES[shape.name]());
  const left_out = PHONE.matches ? "wide" : "narrow";
  layout.annotations = layout.annotations.filter((text) => text.name !== left_out);
  for (const text of layout.annotations) text.font = TEXTS[text.name]();
  merge(layout.template.layout, {
    font: { family: getComputedStyle(document.body).fontFamily, color: token("--ci-ink-3") },
    hoverlabel: {
      bgcolor: token("--ci-raised"),
      bordercolor: token("--ci-line-2"),
      font: { color: token("--ci-ink") },
    },
    xaxis: { tickcolor: token("--ci-line-2") },
    yaxis: { gridcolor: token("--ci-grid"), zerolinecolor: token("--ci-line-2") },
  });
  if (PHONE.matches) merge(layout.template.layout, { margin: { r: 64 } });
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

function draw(element) {
  const figure = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  const { data, layout } = paint(figure);
  return window.Plotly.react(element, data, layout, CONFIG);
}

function drawAll() {
  for (const element of document.querySelectorAll("[data-chart]")) draw(element);
}

// The font first: Plotly measures text once.
document.fonts.ready.then(drawAll);
document.addEventListener("themechange", drawAll);
PHONE.addEventListener("change", drawAll);
