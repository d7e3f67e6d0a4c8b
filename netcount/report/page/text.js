// The file, line by line, with the layers' lines linked and mistakes beside theirs.

import { element, visible } from "./format.js";

export class TextView {
  constructor(model, host, choose) {
    this.host = host;
    this.scroller = host.parentElement;
    this.model = model;
    const lines = model.view.text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    const layerOf = [];
    model.layers.forEach((layer, index) => {
      for (let line = layer.line; line <= layer.end_line; line++) layerOf[line] ??= index;
    });
    const faults = new Map();
    for (const { place, message } of [...model.view.errors, ...model.analysis.warnings])
      if (place?.line) faults.set(place.line, [...(faults.get(place.line) ?? []), message]);
    this.lines = lines.map((text, index) => {
      const line = element("li", { "data-layer": layerOf[index + 1] ?? null },
        element("span", { class: "number", "aria-hidden": "true" }, String(index + 1)), element("span", {}, visible(text.replace(/\r$/, "").replaceAll("\t", "    ")) || " "));
      for (const message of faults.get(index + 1) ?? []) {
        line.classList.add("fault-line");
        line.append(element("span", { class: "fault" }, visible(message)));
      }
      return line;
    });
    host.append(...this.lines);
    host.addEventListener("click", (event) => {
      const line = event.target.closest("li[data-layer]");
      if (line && !String(getSelection())) choose(Number(line.dataset.layer));
    });
  }

  select(layer, scroll = true) {
    for (const line of this.host.querySelectorAll(".chosen")) line.classList.remove("chosen");
    if (layer === null) return;
    const { line, end_line: end } = this.model.layers[layer];
    for (const one of this.lines.slice(line - 1, end)) one.classList.add("chosen");
    if (scroll) this.show(line, end);
  }

  show(line, end = line) {
    const [first, last] = [this.lines[line - 1], this.lines[end - 1]];
    if (!first || !last) return;
    const { scroller } = this, top = first.offsetTop, bottom = last.offsetTop + last.offsetHeight;
    if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top - 60;
  }

  find(layers) {
    for (const line of this.host.querySelectorAll(".hit")) line.classList.remove("hit");
    for (const layer of layers ?? []) this.lines[this.model.layers[layer].line - 1]?.classList.add("hit");
  }
}
