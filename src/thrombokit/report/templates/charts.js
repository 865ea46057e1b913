"use strict";
// Charts of open sections are drawn at once, one after the other; those of closed sections when they come into view, so that the page
// opens quickly. Data sets arrive packed by column.
(() => {
  const specs = JSON.parse(document.getElementById("chart-specs").textContent);

  const unpack = (packed) => {
    const rows = Array.from({ length: packed.rows }, () => ({}));
    for (const [name, column] of Object.entries(packed.columns)) {
      column.of.forEach((value, i) => {
        rows[column.at ? column.at[i] : i][name] = column.words ? column.words[value] : value;
      });
    }
    return rows;
  };

  // A faceted chart takes as many panels side by side as fit; a single one takes the width there is.
  const fitted = (spec, width) => {
    const fit = spec.usermeta || {};
    const room = width - 48; // the menu of the chart stands at its right
    if (!spec.spec) {
      // one panel: what stands beside it keeps its room; a picture without such a margin is scrolled, not squeezed
      const margin = fit.panel_px ? fit.panel_px - spec.width : 0;
      if (margin > 0) spec.width = Math.max(220, Math.min(spec.width, room - margin));
      return spec;
    }
    if (fit.panel_px) {
      spec.columns = Math.max(1, Math.min(spec.columns, Math.floor(room / fit.panel_px)));
      const stretch = Math.min(1.4, Math.max(0.55, room / (spec.columns * fit.panel_px)));
      spec.spec.width = Math.floor(spec.spec.width * stretch);
      spec.spec.height = Math.floor(spec.spec.height * stretch);
    }
    if (fit.margin_px && spec.columns > 1) {
      spec.columns = Math.max(1, Math.min(spec.columns, Math.floor(room / (spec.spec.width + 40))));
    }
    if (fit.margin_px) spec.spec.width = Math.max(140, Math.min(spec.spec.width, room - fit.margin_px));
    return spec;
  };

  const draw = (box) => {
    if (box.dataset.drawn) return Promise.resolve();
    box.dataset.drawn = "yes";
    return Promise.resolve().then(() => {
      const spec = fitted(specs[box.dataset.chart], box.clientWidth);
      for (const name of Object.keys(spec.datasets || {})) spec.datasets[name] = unpack(spec.datasets[name]);
      return vegaEmbed(box, spec, {
        ast: true,
        renderer: "svg",
        actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
        downloadFileName: box.dataset.chart,
      });
    }).catch((error) => {
      box.textContent = "This chart could not be drawn: " + error.message;
    });
  };

  const boxes = Array.from(document.querySelectorAll("[data-chart]"));
  const watcher = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => { watcher.unobserve(entry.target); draw(entry.target); }),
    { rootMargin: "300px" },
  );
  const folded = (box) => { const section = box.closest("details"); return section !== null && !section.open; };
  boxes.filter(folded).forEach((box) => watcher.observe(box));
  boxes.filter((box) => !folded(box)).reduce((before, box) => before.then(() => draw(box)), Promise.resolve());

  const openAll = () => {
    document.querySelectorAll("details.fold").forEach((section) => { section.open = true; });
    return Promise.all(boxes.map(draw));
  };
  const button = document.getElementById("open-all");
  if (button) { button.hidden = false; button.addEventListener("click", openAll); }
  window.addEventListener("beforeprint", openAll);
})();
