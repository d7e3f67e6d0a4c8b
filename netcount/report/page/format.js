// Numbers and texts as netcount/core/units.py and netcount/report/picture.py write them.

const DECIMAL = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]];
const BINARY = [[" TiB", 2 ** 40], [" GiB", 2 ** 30], [" MiB", 2 ** 20], [" KiB", 2 ** 10]];
const PLAIN = /^[ -~]*$/;
const NARROW = new Set("ijl.,:;'|! I()[]/frt-·`"), BROAD = new Set("mwMW%@—…+×");

function scaled(value, steps) {
  for (let at = 0; at < steps.length; at++) {
    const [name, factor] = steps[at];
    if (value < factor) continue;
    const hundredths = Math.floor((value * 200 + factor) / (2 * factor));
    if (at && hundredths * factor >= steps[at - 1][1] * 100) return scaled(steps[at - 1][1], steps);
    return `${(hundredths / 100).toFixed(2)}${name}`;
  }
  return null;
}

export const human = (value) => scaled(value, DECIMAL) ?? String(value);
export const humanBytes = (value) => scaled(value, BINARY) ?? `${value} B`;
export const exact = (value) => value.toLocaleString("en-US");
export const layerCount = (number) => `${exact(number)} ${number === 1 ? "layer" : "layers"}`;
export const percent = (part, whole) =>
  whole ? `${(Math.floor((part * 20000 + whole) / (2 * whole)) / 100).toFixed(2)}%` : "-";

/** A name on one line, with every sign that is not seen shown as an escape. */
export const visible = (text) => PLAIN.test(text) ? text : text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (sign) => {
  const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[sign];
  if (short) return short;
  const code = sign.codePointAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
});

export function textWidth(text, size, bold) {
  let units = 0;
  for (const sign of text) {
    const code = sign.codePointAt(0);
    if (NARROW.has(sign)) units += 40;
    else if (BROAD.has(sign)) units += 92;
    else if (code < 128) units += sign >= "A" && sign <= "Z" ? 74 : 64;
    else units += code > 0x2e80 ? 100 : 72;
  }
  return Math.floor((units * size * (bold ? 108 : 100)) / 10000) + 1;
}

/** An element with attributes and children; texts become text. */
export function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "path", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  made.append(...children);
  return made;
}

/** Let an element have these children and no others; one that stands where it should is not touched, so it is not laid out again. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/** Where two lists or texts differ: how much is the same at the beginning and at the end. */
export function differing(old, now) {
  const most = Math.min(old.length, now.length);
  let first = 0, last = 0;
  while (first < most && old[first] === now[first]) first++;
  while (last < most - first && old[old.length - 1 - last] === now[now.length - 1 - last]) last++;
  return [first, last];
}
