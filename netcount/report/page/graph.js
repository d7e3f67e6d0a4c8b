// The picture: boxes and lines as SVG, folded and coloured as the model says.

import { arrange, element } from "./format.js";
import { layout } from "./layout.js";

const ARROW = 7, CORNER = 6, LINE = 15, PADDING = 7, AROUND = 16;
const INK = "#1b1f24";

function pathOf(route) {
  const points = [...route.slice(0, -1), [route.at(-1)[0], route.at(-1)[1] - ARROW + 1]];
  const piece = ([x0, y0], [x1, y1], short) =>
    x0 === x1 ? `V${y1 - Math.sign(y1 - y0) * short}` : `H${x1 - Math.sign(x1 - x0) * short}`;
  let text = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i + 1 < points.length; i++) {
    const [[x0, y0], [x1, y1], [x2, y2]] = points.slice(i - 1, i + 2);
    const by = Math.min(CORNER, Math.floor((Math.abs(x1 - x0) + Math.abs(y1 - y0)) / 2), Math.floor((Math.abs(x2 - x1) + Math.abs(y2 - y1)) / 2));
    text += piece(points[i - 1], points[i], by) + `Q${x1} ${y1} ${x1 + Math.sign(x2 - x1) * by} ${y1 + Math.sign(y2 - y1) * by}`;
  }
  return text + piece(points.at(-2), points.at(-1), 0);
}

const put = (node, name, value) => { if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value); };

const headOf = ([x, y]) => `M${x} ${y}L${x - 4} ${y - ARROW}H${x + 4}Z`;

export class GraphView {
  constructor(host, choose) {
    Object.assign(this, { host, choose, scale: 1, pieces: new Map() });
    this.inner = element("g", { transform: `translate(${AROUND} ${AROUND})` });
    this.svg = element("svg", { xmlns: "http://www.w3.org/2000/svg",
      "font-family": "Helvetica, Arial, DejaVu Sans, sans-serif", "font-size": "11" }, this.inner);
    host.replaceChildren(this.svg);
    host.addEventListener("click", (event) => {
      const box = event.target.closest("[role=button]");
      const [layer] = box ? this.boxes[box.dataset.box].layers : [];
      if (layer !== undefined) choose(layer);
    });
    host.addEventListener("dblclick", (event) => {
      const box = event.target.closest("[role=button]");
      if (box) host.dispatchEvent(new CustomEvent("fold", { bubbles: true, detail: this.boxes[box.dataset.box].layers[0] }));
    });
    host.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(this.scale * Math.exp(-event.deltaY / 300));
    }, { passive: false });
    let from = null;
    host.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType === "mouse" && !event.target.closest("[role=button]"))
        from = [event.clientX + host.scrollLeft, event.clientY + host.scrollTop];
    });
    host.addEventListener("pointermove", (event) => {
      if (from) host.scrollTo(from[0] - event.clientX, from[1] - event.clientY);
    });
    for (const end of ["pointerup", "pointerleave"]) host.addEventListener(end, () => (from = null));
  }

  /** Draw the model as it is folded and coloured; what is written as before is only moved, and where it is scrolled to stays. */
  render() {
    const before = this.pieces, pieces = (this.pieces = new Map()), times = new Map(), all = [], written = [];
    const piece = (make, ...said) => {
      const text = JSON.stringify(said), time = times.get(text) ?? 0, key = `${time} ${text}`, made = before.get(key) ?? make();
      times.set(text, time + 1);
      pieces.set(key, made);
      return made;
    };
    const move = (node, x, y) => put(node, "transform", `translate(${x} ${y})`);
    const { boxes, links, notes, blobs } = this.model.drawn();
    const placed = layout(boxes.map((box) => box.size), links);
    Object.assign(this, { boxes, links, placed, blobs });
    this.boxOf = new Map();
    boxes.forEach((box, index) => box.layers.forEach((layer) => this.boxOf.set(layer, index)));
    const [width, height] = [placed.width + 2 * AROUND + 90, placed.height + 2 * AROUND];
    this.size = [width, height];
    this.lines = placed.routes.map((route, index) => {
      const [line, head] = piece(() => [element("path", { class: "line" }), element("path", { class: "head" })], "line");
      put(line, "d", pathOf(route));
      put(head, "d", headOf(route.at(-1)));
      all.push(line, head);
      if (notes[index]) {
        const [note] = piece(() => [element("text", { class: "note" }, notes[index])], "note", notes[index]);
        move(note, route[0][0] + 5, placed.floors[links[index][0]] + 13);
        written.push([notes[index], note]);
      }
      return [line, head];
    });
    this.nodes = boxes.map((box, index) => {
      const tone = this.model.tone(box), [x, y, wide, tall] = placed.boxes[index];
      const [node] = piece(() => [this.boxNode(box, wide, tall, tone)], "box", wide, tall, tone, box.state, Boolean(box.block), box.shown);
      put(node, "data-box", index);
      move(node, x, y);
      return node;
    });
    written.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)); // so that one that stays need not be put elsewhere
    arrange(this.inner, [...all, ...written.map(([, note]) => note), ...this.nodes]);
    this.resize();
  }

  boxNode(box, wide, tall, tone) {
    const node = element("g", { role: "button", tabindex: "-1", "aria-label": box.shown.map((line) => line.text).join(", ") });
    const lost = box.state !== "known";
    node.append(element("rect", { width: wide, height: tall, rx: 5, fill: this.model.fill(tone), "stroke-width": box.block || box.state === "broken" ? 2 : 1,
      stroke: box.state === "broken" ? "#cf222e" : lost ? "#afb8c1" : "#8c959f", "stroke-dasharray": ["unknown", "removed"].includes(box.state) ? "4 3" : null }));
    box.shown.forEach((line, number) => node.append(element("text", { x: Math.floor(wide / 2), y: PADDING + LINE * number + 11,
      "text-anchor": "middle", "font-size": line.kind === "name" ? 12 : 11, "font-weight": line.kind === "name" ? "bold" : null,
      fill: line.kind === "message" ? "#a40e26" : box.state === "unknown" ? "#57606a" : INK }, line.text)));
    return node;
  }

  resize() {
    const [width, height] = this.size;
    put(this.svg, "viewBox", `0 0 ${width} ${height}`);
    put(this.svg, "width", width * this.scale);
    put(this.svg, "height", height * this.scale);
  }

  zoom(scale) {
    const { host } = this;
    const middle = [(host.scrollLeft + host.clientWidth / 2) / this.scale, (host.scrollTop + host.clientHeight / 2) / this.scale];
    this.scale = Math.min(4, Math.max(0.02, scale));
    this.resize();
    host.scrollTo(middle[0] * this.scale - host.clientWidth / 2, middle[1] * this.scale - host.clientHeight / 2);
  }

  fit() {
    this.zoom(Math.min(this.host.clientWidth / this.size[0], this.host.clientHeight / this.size[1]));
  }

  /** Mark a layer's box and its lines, and bring it into sight. */
  select(layer, scroll = true) {
    for (const node of this.host.querySelectorAll(".chosen, .near")) node.classList.remove("chosen", "near");
    for (const node of this.host.querySelectorAll("[tabindex='0']")) node.setAttribute("tabindex", "-1");
    const index = layer === null ? 0 : this.boxOf.get(layer);
    if (this.nodes[index]) this.nodes[index].setAttribute("tabindex", "0");
    if (layer === null || index === undefined) return;
    this.nodes[index].classList.add("chosen");
    this.links.forEach(([source, , target], number) => {
      if (source === index || target === index) for (const piece of this.lines[number]) piece.classList.add("near");
    });
    if (!scroll) return;
    const { host, scale } = this, [x, y, wide, tall] = this.placed.boxes[index].map((value) => value * scale);
    const offset = Math.max(0, (host.clientWidth - this.size[0] * scale) / 2) + AROUND * scale;
    const seen = x + offset >= host.scrollLeft && x + offset + wide <= host.scrollLeft + host.clientWidth
      && y + AROUND >= host.scrollTop && y + AROUND + tall <= host.scrollTop + host.clientHeight;
    if (!seen) host.scrollTo(x + offset + wide / 2 - host.clientWidth / 2, y + tall / 2 - host.clientHeight / 2);
  }

  find(layers) {
    this.host.classList.toggle("finding", layers !== null);
    const hit = new Set((layers ?? []).map((layer) => this.boxOf.get(layer)));
    this.nodes.forEach((node, index) => node.classList.toggle("hit", hit.has(index)));
  }

  /** The picture as a file of its own, on white. */
  file() {
    const copy = this.svg.cloneNode(true), [width, height] = this.size;
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.prepend(element("rect", { width, height, fill: "#ffffff" }));
    for (const node of copy.querySelectorAll("[role]")) for (const name of ["role", "tabindex", "data-box", "class", "aria-label"]) node.removeAttribute(name);
    for (const node of copy.querySelectorAll(".line")) { node.setAttribute("fill", "none"); node.setAttribute("stroke", "#6e7781"); node.setAttribute("stroke-width", "1.2"); }
    for (const node of copy.querySelectorAll(".head")) node.setAttribute("fill", "#6e7781");
    for (const node of copy.querySelectorAll(".note")) node.setAttribute("fill", "#57606a");
    return new XMLSerializer().serializeToString(copy);
  }
}
