// The table of layers, the shares by kernel with the conventions, and the messages.

import { arrange, differing, element, exact, human, humanBytes, layerCount, percent, visible } from "./format.js";

const COLUMNS = [
  ["layer", (one) => visible(one.layer.name), (one) => one.index],
  ["type", (one) => visible(one.layer.type), (one) => one.layer.type],
  ["kernel", (one) => one.kernel, (one) => one.kernel],
  ["output", (one) => one.output, (one) => one.output],
  ["params", (one) => (one.row?.params ? human(one.row.params) : ""), (one) => one.row?.params ?? -1],
  ["madds", (one) => (one.row?.madds ? human(one.row.madds) : ""), (one) => one.row?.madds ?? -1],
  ["share", (one) => (one.row?.madds ? percent(one.row.madds, one.whole) : ""), (one) => one.row?.madds ?? -1],
  ["alive", (one) => (one.row ? humanBytes(one.alive) : ""), (one) => one.alive ?? -1],
];

function kernelOf(row) {
  if (!row?.kernel) return "";
  const said = (values) => (new Set(values).size === 1 ? String(values[0]) : values.join("×"));
  let text = row.kernel.join("×");
  if (row.stride && said(row.stride) !== "1") text += `/${said(row.stride)}`;
  if (row.pad && said(row.pad) !== "0") text += ` p${said(row.pad)}`;
  if (row.dilation && said(row.dilation) !== "1") text += ` d${said(row.dilation)}`;
  return row.group > 1 ? `${text} g${row.group}` : text;
}

/** Rows that are written at once. */
const SOME = 150;

export class TableView {
  constructor(host, choose, link) {
    Object.assign(this, { host, link, sorted: 0, down: false, names: [], lines: [], written: new WeakMap() });
    const head = element("tr");
    COLUMNS.forEach(([title], number) => {
      const button = element("button", { type: "button" }, title);
      button.addEventListener("click", () => this.sort(number));
      head.append(element("th", { scope: "col", "aria-sort": "none", class: number && number < 4 ? "left" : null }, button));
    });
    this.body = element("tbody");
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest("tr");
      if (line && !event.target.closest("a")) choose(Number(line.dataset.layer));
    });
    this.caption = element("caption");
    this.foot = element("tfoot");
    this.table = element("table", {}, this.caption, element("thead", {}, head), this.body, this.foot);
    host.replaceChildren(this.table);
  }

  /** Show a model; a layer that was there before keeps its row, in which only what differs is written again.
      Of a net that was not there before some rows come at once, the others when these are painted. */
  show(model) {
    const { analysis, data } = model, { totals } = analysis;
    this.rows = model.layers.map((layer, index) => {
      const row = model.row(index);
      const top = row?.tops[0];
      const more = row && row.tops.length > 1 ? ` (+${row.tops.length - 1})` : "";
      return { index, layer, row, kernel: kernelOf(row), output: top ? data.shapes[layer.row][1][0] + more : "",
        whole: analysis.totals.madds, alive: row ? data.live[layer.row] : null };
    });
    const shown = this.lines.length ? model.layers : model.layers.slice(0, SOME);
    const names = shown.map((layer) => layer.name), [first, last] = differing(this.names, names), old = this.lines;
    this.lines = this.rows.slice(0, shown.length).map((one, index) => {
      const line = index < first ? old[index] : index >= names.length - last ? old[index + old.length - names.length] : this.line();
      this.write(line, one);
      return line;
    });
    this.names = names;
    const foot = element("tr", {}, ...[`total of ${layerCount(model.layers.length)}`, "", "", "", human(totals.params), human(totals.madds),
      percent(totals.madds, totals.madds), ""].map((text, number) => element(number ? "td" : "th", { scope: number ? null : "row" }, text)));
    this.foot.replaceChildren(foot);
    this.caption.textContent = `exactly: ${exact(totals.params)} params, ${exact(totals.madds)} madds, ` +
      `${exact(totals.activations)} activations, ${exact(totals.weight_bytes)} bytes of weights`;
    this.restore(this.sorted, this.down);
    this.later();
  }

  later() {
    if (this.lines.length < this.rows.length) requestAnimationFrame(() => setTimeout(() => this.complete(SOME)));
  }

  /** Show more rows, or all, where some are still to come; they stand in the order of the file. */
  complete(most = Infinity) {
    const more = this.rows.slice(this.lines.length, this.lines.length + most);
    if (!more.length) return;
    const lines = more.map((one) => {
      const line = this.line();
      this.write(line, one);
      return line;
    });
    this.lines.push(...lines);
    this.names.push(...more.map((one) => one.layer.name));
    this.body.append(...lines);
    this.later();
  }

  /** A row in which nothing is written yet. */
  line() {
    return element("tr", {}, ...COLUMNS.map((_, number) => element(number ? "td" : "th", { scope: number ? null : "row", class: number < 4 ? "left" : null },
      number ? "" : element("a"))));
  }

  write(line, one) {
    const link = line.firstChild.firstChild, put = (node, name, value) => { if (node.getAttribute(name) !== value) node.setAttribute(name, value); };
    put(line, "data-layer", String(one.index));
    put(link, "data-go", String(one.index));
    put(link, "href", this.link(one.index));
    line.firstChild.classList.toggle("wrong", Boolean(one.layer.message));
    const before = this.written.get(line) ?? [], texts = COLUMNS.map(([, shown]) => shown(one));
    texts.forEach((text, number) => {
      if (text !== before[number]) (number ? line.childNodes[number] : link).textContent = text;
    });
    this.written.set(line, texts);
  }

  sort(number) {
    this.complete();
    this.restore(number, number === this.sorted ? !this.down : number > 3);
  }

  restore(number, down) {
    Object.assign(this, { sorted: number, down });
    const key = COLUMNS[number][2];
    const order = this.rows.slice(0, this.lines.length).map((one) => [key(one), one.index]);
    order.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : 0) * (this.down ? -1 : 1) || i - j);
    arrange(this.body, order.map(([, index]) => this.lines[index]));
    this.table.querySelectorAll("thead th").forEach((cell, index) =>
      cell.setAttribute("aria-sort", index !== number ? "none" : this.down ? "descending" : "ascending"));
  }

  select(layer, scroll = true) {
    this.chosen?.classList.remove("chosen");
    this.chosen?.removeAttribute("aria-current");
    if (layer !== null && layer >= this.lines.length) this.complete();
    this.chosen = layer === null ? undefined : this.lines[layer];
    this.chosen?.classList.add("chosen");
    this.chosen?.setAttribute("aria-current", "true");
    if (scroll) this.chosen?.scrollIntoView({ block: "nearest" });
  }

  find(layers) {
    if (layers) this.complete();
    const hit = layers && new Set(layers);
    this.lines.forEach((line, index) => line.classList.toggle("off", Boolean(hit) && !hit.has(index)));
  }

  /** The layers as CSV, in the order shown; a text that a spreadsheet would take for a formula is one no more. */
  csv() {
    this.complete();
    const cell = (value) => {
      let text = String(value ?? "");
      if (typeof value === "string" && /^\s*[=+\-@\t\r＝＋－＠]/.test(text)) text = `'${text}`;
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = [["name", "type", "line", "output", "params", "statistics", "madds", "activations", "live_bytes"]];
    for (const line of this.body.children) {
      if (line.classList.contains("off")) continue;
      const { layer, row, alive } = this.rows[line.dataset.layer];
      lines.push([layer.name, layer.type, layer.line, (row?.tops[0]?.shape ?? []).join("x"), row?.params, row?.statistics, row?.madds, row?.activations, alive]);
    }
    return lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
  }
}

export function sharesView(model, host) {
  const { analysis, data } = model;
  const scopes = new Map();
  analysis.kernels.forEach((share, index) => scopes.set(share.scope, [...(scopes.get(share.scope) ?? []), [share, data.kernels[index]]]));
  const table = (caption, titles, rows) => element("table", {}, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((text, i) => element(i ? "td" : "th", { scope: i ? null : "row" }, text))))));
  for (const [scope, shares] of scopes)
    host.append(table(scope === "net" ? "madds by kernel, whole net" : `inside ${visible(scope)}`, ["kernel", "layers", "params", "madds", "share"],
      shares.map(([share, kernel]) => [kernel, String(share.layers), human(share.params), human(share.madds), `${(100 * share.share_madds).toFixed(2)}%`])));
  if (!scopes.size) host.append(element("p", {}, "No layer has madds."));
  host.append(table("what conventions of counting make of the net", ["convention", "total"],
    data.conventions.map(([name, about, total]) => [`${name}: ${about}`, human(total)])));
  for (const cell of host.querySelectorAll("table:last-child tbody th")) cell.classList.add("wrap");
}

export function messagesView(model, host, go) {
  const entry = ({ place, message }, wrong) => {
    const item = element("li", { class: wrong ? "wrong" : null });
    if (place?.line) {
      const anchor = element("a", { href: "#" }, `line ${place.line}`);
      anchor.addEventListener("click", (event) => { event.preventDefault(); go(place.line); });
      item.append(anchor, ": ");
    }
    item.append(visible(message));
    return item;
  };
  const { errors, analysis } = model.view;
  const all = [...errors.map((one) => entry(one, true)), ...analysis.warnings.map((one) => entry(one, false))];
  host.append(all.length ? element("ul", {}, ...all) : element("p", {}, "No mistakes, no warnings."));
  return all.length;
}

/** A text that may go on in the next line behind each sign that joins words to a name, but not within an arrow. */
const breaking = (text) => visible(text).split(/(->)|(?<=[._/])/).map((part) =>
  part === undefined ? element("wbr") : part === "->" ? element("span", { class: "arrow" }, part) : part);

/** What one net changes of another, as `netcount compare` tells it. link: what a row of a layer leads to, of its sign and line; nothing for none. */
export function changesView(report, link) {
  const table = ({ head, rows, right, lines }) => {
    const cell = (name, number, ...what) => element(name, { class: right[number] ? null : "left", scope: name === "th" ? "col" : null }, ...what);
    const row = (cells) => {
      const go = Number(cells[lines]) ? link(cells[0], Number(cells[lines])) : null;
      return element("tr", {}, ...cells.map((words, number) => {
        if (!go || number !== 1) return cell("td", number, ...(number === cells.length - 1 ? breaking(words) : [visible(words)]));
        const anchor = element("a", { href: "#" }, visible(words));
        anchor.addEventListener("click", (event) => { event.preventDefault(); go(); });
        return cell("td", number, anchor);
      }));
    };
    return element("table", { class: "changes" }, element("thead", {}, element("tr", {}, ...head.map((title, number) => cell(title ? "th" : "td", number, ...breaking(title))))),
      element("tbody", {}, ...rows.map(row)));
  };
  return report.map((part) => (typeof part === "string" ? element("p", {}, visible(part)) : table(part)));
}
