// What is shown: boxes and arrows for the blocks that are folded, and what each costs in the chosen colour.

import { human, humanBytes, percent, textWidth } from "./format.js";

const LINE = 15, PADDING = 7;

export class Model {
  constructor(data) {
    this.data = data;
    this.view = data.view;
    this.analysis = data.view.analysis;
    this.layers = data.view.layers;
    this.color = data.color;
    this.folded = new Set(data.folded);
    this.blockOf = new Map();
    for (const name of Object.keys(data.blocks)) for (const layer of data.view.blocks[name]) this.blockOf.set(layer, name);
    this.peak = Math.max(0, ...data.live);
    this.boxOf = new Map();
    data.view.boxes.forEach((box, index) => box.layers.forEach((layer) => this.boxOf.set(layer, index)));
    this.byName = new Map();
    this.layers.forEach((layer, index) => { if (!this.byName.has(layer.name)) this.byName.set(layer.name, index); });
    this.makers = new Map();
  }

  row(layer) {
    const row = this.layers[layer]?.row ?? null; // a box of what was removed has no layers
    return row === null ? null : this.analysis.layers[row];
  }

  /** A figure of a box or of a layer's row. */
  figure(one, color = this.color) {
    if (color === "params") return one.params;
    if (color === "memory") return one.live_bytes;
    return one.madds;
  }

  value(box) {
    const { totals } = this.analysis;
    if (box.state !== "known") return "";
    if (this.color === "madds" && box.madds) return `${human(box.madds)} madds · ${percent(box.madds, totals.madds)}`;
    if (this.color === "params" && box.params) return `${human(box.params)} params · ${percent(box.params, totals.params)}`;
    if (this.color === "memory" && box.live_bytes) return `${humanBytes(box.live_bytes)} alive`;
    return "";
  }

  tone(box) {
    if (this.color === "changes") return box.tone || "plain";
    if (box.state !== "known") return box.state;
    const step = (value, whole, steps) => (value && whole ? 1 + steps.filter((one) => value >= one * whole).length : 0);
    const { totals } = this.analysis;
    if (this.color === "type") return box.family;
    if (this.color === "madds") return step(box.madds, totals.madds, this.data.shares);
    if (this.color === "params") return step(box.params, totals.params, this.data.shares);
    if (this.color === "memory") return step(box.live_bytes, this.peak, this.data.peaks);
    return "plain";
  }

  fill(tone) { return this.data.fills[tone] ?? this.data.fills[""]; }

  /** The boxes and links as they are folded now. */
  drawn() {
    const boxes = [], home = [], groups = new Map(), { changes } = this.data, changing = this.color === "changes";
    this.view.boxes.forEach((box, index) => {
      const block = this.blockOf.get(box.layers[0]);
      if (block === undefined || !this.folded.has(block)) {
        home[index] = boxes.length;
        boxes.push({ ...box, family: this.data.families[index], lines: changes && !changing ? changes.plain[index] : box.lines });
        return;
      }
      if (!groups.has(block)) {
        groups.set(block, boxes.length);
        boxes.push({ name: block, block: true, layers: [], state: "known", params: 0, madds: 0, activations: 0,
          live_bytes: 0, family: this.data.families[index], most: -1,
          ...(changing ? changes.blocks[block] : { lines: this.data.blocks[block].map(([text, kind]) => ({ text, kind })) }) });
      }
      home[index] = groups.get(block);
      const group = boxes[home[index]];
      group.layers.push(...box.layers);
      if (box.state === "broken" || group.state === "known") group.state = box.state;
      for (const figure of ["params", "madds", "activations"]) group[figure] += box[figure];
      group.live_bytes = Math.max(group.live_bytes, box.live_bytes);
      if (box.madds > group.most) { group.most = box.madds; group.family = this.data.families[index]; }
    });
    const links = [], notes = [], blobs = [], ports = boxes.map(() => new Map()), seen = new Set(), noted = new Set();
    for (const [number, edge] of this.view.edges.entries()) {
      const source = home[edge.source], target = home[edge.target];
      if (source === target) continue;
      const key = `${edge.source} ${edge.port}`, mine = ports[source];
      if (!mine.has(key)) mine.set(key, mine.size);
      const link = [source, mine.get(key), target];
      if (seen.has(String(link))) continue;
      seen.add(String(link));
      links.push(link);
      blobs.push(edge);
      const output = `${source} ${link[1]}`;
      const read = this.row(boxes[source].layers[0])?.bottoms[0];
      const another = edge.shape && (!read || String(read.shape) !== String(edge.shape));
      notes.push(another && !noted.has(output) ? this.data.edges[number] : "");
      noted.add(output);
    }
    for (const box of boxes) {
      const value = this.value(box);
      box.shown = box.lines.filter((line) => changing || line.kind !== "value");
      if (value) {
        const at = box.shown.findIndex((line) => line.kind === "message");
        box.shown.splice(at < 0 ? box.shown.length : at, 0, { text: value, kind: "value" });
      }
      const wide = Math.max(...box.shown.map((line) => textWidth(line.text, line.kind === "name" ? 12 : 11, line.kind === "name")));
      box.size = [Math.max(72, wide + 2 * PADDING), LINE * box.shown.length + 2 * PADDING];
    }
    return { boxes, links, notes, blobs };
  }

  /** The layers that hand something to a layer, and those it hands something to, in the order of the file. */
  neighbours(layer) {
    if (!this.makers.size) {
      const current = new Map();
      this.layers.forEach((one, index) => {
        const row = this.row(index);
        const reads = row ? [...new Set(row.bottoms.map((blob) => current.get(blob.blob)))].filter((m) => m !== undefined) : [];
        this.makers.set(index, { above: reads, below: [] });
        for (const maker of reads) this.makers.get(maker).below.push(index);
        for (const blob of row ? row.tops : []) current.set(blob.blob, index);
      });
      for (const edge of this.view.edges) {
        const target = this.view.boxes[edge.target].layers[0], source = this.view.boxes[edge.source].layers.at(-1);
        if (target === undefined || source === undefined || this.row(target)) continue;
        this.makers.get(target).above.push(source);
        this.makers.get(source).below.push(target);
      }
    }
    return this.makers.get(layer);
  }

  /** The layers that a search means: part of a name or a type, or `>10M`, `params<=1k`. */
  matching(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return null;
    const limit = /^(madds|params|memory|activations)?\s*(>=|<=|>|<|=)\s*([\d.]+)\s*([kmgt]?)(i?b)?$/.exec(wanted);
    const indices = this.layers.map((_, index) => index);
    if (!limit)
      return indices.filter((i) => [this.layers[i].name, this.layers[i].type].some((one) => one.toLowerCase().includes(wanted)));
    const [, name, sign, digits, unit, bytes] = limit;
    const base = bytes === "ib" ? 1024 : 1000, factor = base ** " kmgt".indexOf(unit || " ");
    const value = Number(digits) * factor, color = name ?? (["params", "memory"].includes(this.color) ? this.color : "madds");
    const fits = { ">": (x) => x > value, "<": (x) => x < value, ">=": (x) => x >= value, "<=": (x) => x <= value, "=": (x) => x === value }[sign];
    return indices.filter((index) => {
      const row = this.row(index);
      if (!row) return false;
      return fits(color === "memory" ? this.data.live[this.layers[index].row] : row[color]);
    });
  }
}
