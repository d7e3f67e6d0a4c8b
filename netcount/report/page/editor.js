// A text that is edited: a textarea, and under it a mirror of its lines with numbers, colours, the chosen layer and mistakes.

import { differing, element, visible } from "./format.js";

const TOKEN = /(#.*)|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|([A-Za-z_][\w.]*)(?=\s*[:{])|(-?\b\d[\w.+-]*)/g;
const KINDS = [null, "comment", "string", "field", "figure"];
const INDENT = "  ";

export class Editor {
  constructor(text, name, changed) {
    this.area = element("textarea", { "aria-label": `Text of ${name}`, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off" });
    this.mirror = element("ol", { "aria-hidden": "true" });
    this.host = element("div", { class: "editor" }, this.mirror, this.area);
    this.area.value = text;
    this.lines = [];
    this.texts = [];
    this.faults = [];
    this.draw();
    this.area.addEventListener("input", () => { this.draw(); changed(); });
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("click", () => {
      if (!this.model || this.area.selectionStart !== this.area.selectionEnd) return;
      const line = this.lineOf(this.area.selectionStart);
      const layer = this.model.layers.findIndex((one) => this.now(one.line) <= line && line <= this.now(one.end_line));
      if (layer >= 0) this.choose(layer);
    });
  }

  get text() { return this.area.value; }

  /** Be the text of a net as it was read last. */
  attach(model, choose) {
    Object.assign(this, { model, choose });
    this.read = model.view.text.split("\n");
  }

  lineOf(offset) { return this.text.slice(0, offset).split("\n").length; }

  /** Where a line of the text that was read last stands now. */
  now(line) {
    const [first, last] = differing(this.read, this.texts);
    if (line <= first) return line;
    return line > this.read.length - last ? line + this.texts.length - this.read.length : Math.min(line, Math.max(1, this.texts.length - last));
  }

  draw() {
    const now = this.text.split("\n"), [first, last] = differing(this.texts, now);
    const made = now.slice(first, now.length - last).map((text) => element("li", {}, element("span", {}, ...tokens(text))));
    const old = this.lines.slice(first, this.lines.length - last), next = this.lines[this.lines.length - last] ?? null;
    for (const line of old) line.remove();
    if (made.length) {
      const piece = document.createDocumentFragment();
      piece.append(...made);
      this.mirror.insertBefore(piece, last ? next : null);
    }
    this.lines.splice(first, old.length, ...made);
    this.texts = now;
  }

  /** Show mistakes at their lines. */
  mark(problems) {
    for (const line of this.faults) {
      line.classList.remove("fault-line");
      line.querySelector(".fault")?.remove();
    }
    this.faults = [];
    for (const { place, message } of problems) {
      const line = place?.line ? this.lines[Math.min(place.line, this.lines.length) - 1] : undefined;
      if (!line || line.classList.contains("fault-line")) continue;
      line.classList.add("fault-line");
      line.append(element("span", { class: "fault" }, visible(message).slice(0, 160)));
      this.faults.push(line);
    }
  }

  /** Replace a part of the text, so that it can be undone. */
  replace(start, end, by) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(start, end);
    if (start === end && !by) return;
    if (!document.execCommand(by ? "insertText" : "delete", false, by)) {
      this.area.setRangeText(by, start, end, "end");
      this.area.dispatchEvent(new Event("input"));
    }
  }

  /** Another text in place of this one; what was here comes back by undoing. */
  become(text) {
    const old = this.text, focused = document.activeElement, caret = this.area.selectionStart;
    let [first, last] = differing(old, text);
    const splits = (at, one) => at > 0 && /[\uD800-\uDBFF]/.test(one[at - 1]) && /[\uDC00-\uDFFF]/.test(one[at] ?? "");
    while (splits(first, old) || splits(first, text)) first--;
    while (last && (splits(old.length - last, old) || splits(text.length - last, text))) last--;
    this.replace(first, old.length - last, text.slice(first, text.length - last));
    const at = caret <= first ? caret : Math.min(text.length, Math.max(first, caret + text.length - old.length));
    this.area.setSelectionRange(at, at);
    if (focused !== this.area) focused?.focus?.({ preventScroll: true });
  }

  /** The offset of a line and column, both from 1; columns count characters. */
  offset(line, column) {
    let at = 0;
    for (const text of this.texts.slice(0, line - 1)) at += text.length + 1;
    return at + [...(this.texts[line - 1] ?? "")].slice(0, column - 1).join("").length;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { selectionStart: start, selectionEnd: end } = this.area, before = this.text.slice(0, start), from = before.lastIndexOf("\n") + 1;
    if (event.key === "Escape") { this.leaving = true; return; }
    if (event.key === "Tab" && !this.leaving) {
      event.preventDefault();
      if (event.shiftKey || this.text.slice(start, end).includes("\n")) this.indent(from, end, event.shiftKey);
      else this.replace(start, end, INDENT);
    } else if (event.key === "Enter" && start === end) {
      event.preventDefault();
      const line = before.slice(from), inner = /\{\s*(#.*)?$/.test(line), space = /^\s*/.exec(line)[0];
      const closing = inner && this.text[start] === "}";
      this.replace(start, end, `\n${space}${inner ? INDENT : ""}${closing ? `\n${space}` : ""}`);
      if (closing) this.area.setSelectionRange(start + 1 + space.length + INDENT.length, start + 1 + space.length + INDENT.length);
    } else if (event.key === "}" && start === end && /^\s+$/.test(before.slice(from))) {
      event.preventDefault();
      this.replace(start - Math.min(INDENT.length, start - from), end, "}");
    }
    if (event.key !== "Shift") this.leaving = false;
  }

  indent(from, end, back) {
    const lines = this.text.slice(from, end).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^( {1,2}|\t)/, "") : line && INDENT + line)).join("\n");
    this.replace(from, end, moved);
    this.area.setSelectionRange(from, from + moved.length);
  }

  select(layer, scroll = true) {
    for (const line of this.mirror.querySelectorAll(".chosen")) line.classList.remove("chosen");
    if (layer === null) return;
    const { line, end_line: end } = this.model.layers[layer], [first, last] = [this.now(line), this.now(end)];
    for (const one of this.lines.slice(first - 1, last)) one.classList.add("chosen");
    if (scroll && document.activeElement !== this.area) this.bring(first, last);
  }

  bring(first, last = first) {
    const [one, other] = [this.lines[first - 1], this.lines[last - 1] ?? this.lines[first - 1]], scroller = this.host.parentElement;
    if (!one || !scroller) return;
    const top = one.offsetTop, bottom = other.offsetTop + other.offsetHeight;
    if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top - 60;
  }

  show(line) {
    const at = this.offset(line, 1);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(at, at);
    this.bring(line);
  }

  find(layers) {
    for (const line of this.mirror.querySelectorAll(".hit")) line.classList.remove("hit");
    for (const layer of layers ?? []) this.lines[this.now(this.model.layers[layer].line) - 1]?.classList.add("hit");
  }
}

/** A line in its colours; what it holds is text. */
function tokens(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    const kind = match.findIndex((group, number) => number && group !== undefined);
    parts.push(element("span", { class: KINDS[kind] }, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return text ? parts : ["\u200b"];
}
