// Which blobs live when: a bar a layer with the peak marked, and below it a line a blob.

import { element, humanBytes, visible } from "./format.js";

const TALL = 140, ROW = 13, MOST = 60;

export class MemoryView {
  constructor(model, host, choose) {
    this.model = model;
    const { live, lives } = model.data;
    this.layerOf = [];
    model.layers.forEach((layer, index) => { if (layer.row !== null) this.layerOf[layer.row] = index; });
    const peak = model.peak, at = live.indexOf(peak);
    if (!live.length || !peak) { host.append(element("p", {}, "Nothing is in memory.")); return; }
    const name = visible(model.analysis.layers[at].name);
    host.append(element("p", {}, `${humanBytes(peak)} of activations in float32 at the peak, while "${name}" runs. A bar per layer; a click selects it.`));
    const wide = 600, step = wide / live.length;
    this.bars = live.map((bytes, row) => {
      const tall = Math.max(1, (TALL * bytes) / peak);
      return element("rect", { class: bytes === peak ? "peak" : "live", x: row * step, y: TALL - tall, width: Math.max(step - (step > 3 ? 1 : 0), 0.5), height: tall, "data-row": row },
        element("title", {}, `${visible(model.analysis.layers[row].name)}: ${humanBytes(bytes)}`));
    });
    host.append(element("svg", { class: "chart", viewBox: `0 0 ${wide} ${TALL}`, role: "img", "aria-label": `Activations alive per layer; the peak is ${humanBytes(peak)} at ${name}` }, ...this.bars));
    const largest = [...lives.keys()].sort((a, b) => lives[b][3] - lives[a][3] || a - b).slice(0, MOST).sort((a, b) => a - b);
    this.rows = largest.map((index, number) => {
      const [blob, first, last, bytes] = lives[index], x = first * step, long = Math.max((last - first + 1) * step, 1.5);
      const text = `${visible(blob)} · ${humanBytes(bytes)}`, right = x + long < wide - 170;
      return element("g", { "data-row": first }, element("rect", { class: "life", x, y: number * ROW + 2, width: long, height: ROW - 4 }),
        element("text", { x: right ? x + long + 4 : x - 4, y: number * ROW + 10, "text-anchor": right ? "start" : "end" }, text.length > 40 ? `${text.slice(0, 39)}…` : text));
    });
    this.shown = largest;
    host.append(element("p", { class: "quiet" }, lives.length > MOST ? `The ${MOST} largest of ${lives.length} blobs, from the layer that makes each to the last that reads it:` : "Each blob, from the layer that makes it to the last that reads it:"),
      element("svg", { class: "chart", viewBox: `0 0 ${wide} ${largest.length * ROW + 4}`, role: "img", "aria-label": "How long each blob is in memory" }, ...this.rows));
    host.addEventListener("click", (event) => {
      const bar = event.target.closest("[data-row]");
      if (bar && this.layerOf[bar.dataset.row] !== undefined) choose(this.layerOf[bar.dataset.row]);
    });
  }

  select(layer) {
    if (!this.bars) return;
    const row = layer === null ? null : this.model.layers[layer].row;
    this.chosen?.classList.remove("chosen");
    this.chosen = row === null ? undefined : this.bars[row];
    this.chosen?.classList.add("chosen");
    this.rows.forEach((node, number) => {
      const [, first, last] = this.model.data.lives[this.shown[number]];
      node.firstChild.classList.toggle("on", row !== null && first <= row && row <= last);
    });
  }
}
