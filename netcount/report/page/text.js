// The file, line by line, with the layers' lines linked and mistakes beside theirs.
// A part of it that nobody has looked at is one plain text: a browser lays out ten thousand lines in half a second.

import { element, visible } from "./format.js";

const LINE = 18, PART = 100, NEAR = "600px";

export class TextView {
  constructor(model, host, choose) {
    Object.assign(this, { host, model, scroller: host.parentElement, layerOf: [], faults: new Map(), chosen: null, hits: new Set(), parts: [] });
    const lines = model.view.text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    model.layers.forEach((layer, index) => {
      for (let line = layer.line; line <= layer.end_line; line++) this.layerOf[line] ??= index;
    });
    for (const { place, message } of [...model.view.errors, ...model.analysis.warnings])
      if (place?.line) this.faults.set(place.line, [...(this.faults.get(place.line) ?? []), message]);
    for (let first = 0; first < lines.length; first += PART) {
      const texts = lines.slice(first, first + PART).map((text) => visible(text.replace(/\r$/, "").replaceAll("\t", "    ")) || " ");
      const node = element("div", { class: "part" }, texts.join("\n"));
      node.style.minHeight = `${LINE * texts.length}px`;
      this.parts.push({ first: first + 1, texts, node, lines: null });
    }
    host.append(...this.parts.map((part) => part.node));
    for (const line of this.faults.keys()) this.line(line);
    const partOf = new Map(this.parts.map((part) => [part.node, part]));
    const seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        this.open(partOf.get(target));
        seen.unobserve(target);
      }
    }, { root: this.scroller, rootMargin: NEAR });
    for (const { node } of this.parts) seen.observe(node);
    host.addEventListener("click", (event) => {
      const line = event.target.closest("[data-layer]");
      if (line && !String(getSelection())) choose(Number(line.dataset.layer));
    });
  }

  /** Make lines of a part. */
  open(part) {
    if (part.lines) return;
    part.lines = part.texts.map((text, index) => {
      const number = part.first + index, line = element("div", { class: "line", "data-layer": this.layerOf[number] ?? null },
        element("span", { class: "number", "aria-hidden": "true" }, String(number)), element("span", {}, text));
      for (const message of this.faults.get(number) ?? []) {
        line.classList.add("fault-line");
        line.append(element("span", { class: "fault" }, visible(message)));
      }
      return line;
    });
    part.node.replaceChildren(...part.lines);
    this.mark(part);
  }

  /** A line; undefined where there is none. */
  line(number) {
    const part = this.parts[Math.floor((number - 1) / PART)];
    if (!part) return undefined;
    this.open(part);
    return part.lines[number - part.first];
  }

  /** Show in a part what is chosen and what was searched for. */
  mark(part) {
    const [from, to] = this.chosen ?? [0, -1];
    part.lines?.forEach((line, index) => {
      const number = part.first + index;
      line.classList.toggle("chosen", from <= number && number <= to);
      line.classList.toggle("hit", this.hits.has(number));
    });
  }

  select(layer, scroll = true) {
    this.chosen = null;
    if (layer !== null) {
      const { line, end_line: end } = this.model.layers[layer];
      this.chosen = [line, end];
      if (scroll) this.show(line, end);
    }
    for (const part of this.parts) this.mark(part);
  }

  show(line, end = line) {
    const [first, last] = [this.line(line), this.line(end)];
    if (!first || !last) return;
    const { scroller } = this, top = first.offsetTop, bottom = last.offsetTop + last.offsetHeight;
    if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top - 60;
  }

  find(layers) {
    this.hits = new Set((layers ?? []).map((layer) => this.model.layers[layer].line));
    for (const part of this.parts) this.mark(part);
  }
}
