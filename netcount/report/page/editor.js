// A text that is edited: a textarea, and under it a mirror of the lines in sight with numbers, colours, the chosen layer and mistakes.

import { arrange, differing, element, visible } from "./format.js";

const TOKEN = /(#.*)|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?<![\w.])([A-Za-z_][\w.]*)(?=\s*[:{])|(-?\b\d[\w.+-]*)/g;
const KINDS = [null, "comment", "string", "field", "figure"];
const INDENT = "  ";
export const LINE = 18;
export const TOP = 6;
const BELOW = 40;
/** Columns between two stops of the tab (live.css). */
const TAB = 4;
/** What is of one width in the font of the text, and how many times that width any other sign is at most. */
const EVEN = /^[\t -~]*$/, BROADEST = 12;
/** More lines than these are inserted as one text; as a typed text 2,000 of them take ten seconds, each as if Enter was pressed. */
const MANY = 20;
/** Lines that are drawn above and below those in sight, so that scrolling does not wait for them. */
const AROUND = 40;

export class Editor {
  constructor(text, name, changed) {
    this.area = element("textarea", { "aria-label": `Text of ${name}`, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off" });
    this.mirror = element("ol", { "aria-hidden": "true" });
    this.widest = element("div", { class: "widest", "aria-hidden": "true" });
    this.host = element("div", { class: "editor" }, this.mirror, this.widest, this.area);
    this.area.value = text;
    this.texts = [];
    this.shown = new Map();
    this.faults = new Map();
    this.hits = [];
    this.chosen = null;
    this.sight = [0, AROUND];
    this.draw();
    this.area.addEventListener("input", () => { changed(); this.draw(); }); // while an answer is on its way
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("click", () => {
      if (!this.model || this.area.selectionStart !== this.area.selectionEnd) return;
      const line = this.lineOf(this.area.selectionStart);
      const layer = this.model.layers.findIndex((one) => this.now(one.line) <= line && line <= this.now(one.end_line));
      if (layer >= 0) this.choose(layer);
    });
  }

  get text() { return this.area.value; }

  /** Be the text of a net as it was read last; what is chosen and found in it is said next. */
  attach(model, choose) {
    Object.assign(this, { model, choose, chosen: null, hits: [] });
    this.read = model.view.text.split("\n");
    this.same = differing(this.read, this.texts);
  }

  lineOf(offset) { return this.text.slice(0, offset).split("\n").length; }

  /** Where a line of the text that was read last stands now. */
  now(line) {
    return moved(line, this.read, this.texts, this.same);
  }

  /** Mistakes at the lines of another text, as far as these stand in this one. */
  carried(faults, old, [first, last]) {
    const after = old.length - last;
    return new Map([...faults].filter(([index]) => index < first || index >= after).map(([index, message]) => [moved(index + 1, old, this.texts, [first, last]) - 1, message]));
  }

  /** The text has changed: mistakes move with their lines. */
  draw() {
    const old = this.texts, now = (this.texts = this.text.split("\n"));
    this.faults = this.carried(this.faults, old, differing(old, now));
    if (this.model) this.same = differing(this.read, now);
    this.mirror.style.height = `${TOP + LINE * now.length + BELOW}px`;
    const wide = widest(now);
    if (this.widest.textContent !== wide) this.widest.textContent = wide;
    this.render();
  }

  /** Draw the lines that are in sight now. */
  seen() {
    const scroller = this.host.parentElement;
    if (!scroller) return;
    const first = Math.floor((scroller.scrollTop - TOP) / LINE);
    this.sight = [first - AROUND, first + Math.ceil(scroller.clientHeight / LINE) + AROUND];
    this.render();
  }

  /** Draw the lines in sight; one that is drawn already and has the same text stays. */
  render() {
    const before = this.shown, shown = (this.shown = new Map()), lines = [];
    const chosen = this.chosen === null ? [0, -1] : this.span(this.chosen), hits = new Set(this.hits.map((layer) => this.span(layer)[0]));
    for (let index = Math.max(0, this.sight[0]); index < Math.min(this.texts.length, this.sight[1]); index++) {
      const text = this.texts[index], message = this.faults.get(index), same = before.get(index);
      const line = same?.text === text && same.message === message ? same.line : this.line(text, index, message);
      line.classList.toggle("chosen", chosen[0] <= index + 1 && index + 1 <= chosen[1]);
      line.classList.toggle("hit", hits.has(index + 1));
      shown.set(index, { text, message, line });
      lines.push(line);
    }
    arrange(this.mirror, lines);
  }

  line(text, index, message) {
    const line = element("li", { "data-number": index + 1, class: message === undefined ? null : "fault-line" }, element("span", {}, ...tokens(text)));
    line.style.top = `${TOP + LINE * index}px`;
    if (message !== undefined) line.append(element("span", { class: "fault" }, message));
    return line;
  }

  /** The lines of a layer. */
  span(layer) {
    const { line, end_line: end } = this.model.layers[layer];
    return [this.now(line), this.now(end)];
  }

  /** Show mistakes at their lines; text: what they are in, where this one has gone on since. */
  mark(problems, text = this.text) {
    const lines = text === this.text ? this.texts : text.split("\n"), faults = new Map();
    for (const { place, message } of problems) {
      const line = place?.line ? Math.min(place.line, lines.length) - 1 : -1;
      if (line >= 0 && !faults.has(line)) faults.set(line, visible(message).slice(0, 160));
    }
    this.faults = lines === this.texts ? faults : this.carried(faults, lines, differing(lines, this.texts));
    this.render();
  }

  /** Replace a part of the text, so that it can be undone. */
  replace(start, end, by) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(start, end);
    if (start === end && !by) return;
    const shown = document.activeElement === this.area; // else the command is for what has the focus: another text
    if (shown && by.split("\n").length > MANY && !by.includes("\0") && document.execCommand("insertHTML", false, by.replaceAll("&", "&amp;").replaceAll("<", "&lt;"))) {
      this.area.setSelectionRange(start + by.length, start + by.length);
    } else if (!shown || !document.execCommand(by ? "insertText" : "delete", false, by)) {
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
    this.chosen = layer;
    this.render();
    if (layer !== null && scroll && document.activeElement !== this.area) this.bring(...this.span(layer));
  }

  bring(first, last = first) {
    const scroller = this.host.parentElement, top = TOP + LINE * (first - 1), bottom = TOP + LINE * last;
    if (!scroller) return;
    if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top - 60;
  }

  /** A line as it is drawn, in sight at least in part; nothing where no text is in sight. */
  reveal(number) {
    const scroller = this.host.parentElement, top = TOP + LINE * (number - 1);
    if (!scroller) return undefined;
    if (top + LINE <= scroller.scrollTop || top >= scroller.scrollTop + scroller.clientHeight) this.bring(number);
    this.seen();
    return this.shown.get(number - 1)?.line;
  }

  /** Go to a line of the text that was read last. */
  show(line) { this.go(line, this.read); }

  /** Go to a line of a text that this one was. */
  go(line, lines) {
    const now = moved(line, lines, this.texts), at = this.offset(now, 1);
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(at, at);
    this.bring(now);
  }

  find(layers) {
    this.hits = layers ?? [];
    this.render();
  }
}

/** The lines among which the widest is: of those whose letters are all of one width the widest, and each other that may be wider. */
function widest(lines) {
  const others = [];
  let most = "", wide = 0;
  for (const line of lines) {
    if (line.length * BROADEST <= wide) continue;
    if (EVEN.test(line)) {
      const width = columns(line);
      if (width > wide) [most, wide] = [line, width];
    } else others.push(line);
  }
  return [most, ...others.filter((line) => line.length * BROADEST > wide)].join("\n");
}

/** How many letters wide a line is whose letters are all of one width. */
const columns = (line) => !line.includes("\t") ? line.length : line.split("\t").reduce((before, part) => before + TAB - (before % TAB) + part.length, -TAB);

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

/** Where a line of a text stands in another; one that is there no more, at the nearest. */
function moved(line, old, now, [first, last] = differing(old, now)) {
  if (line <= first) return line;
  return line > old.length - last ? line + now.length - old.length : Math.min(line, Math.max(1, now.length - last));
}
