// Where boxes and lines stand: netcount/picture in JavaScript, number for number, so that blocks can be folded here.

const LANE = 14, APART = 16, TRACK = 8, ABOVE_TRACKS = 22, BELOW_TRACKS = 18, GAP = 34, PORT = 14, PARTS = 48;
const WIDEST = 480, MARGIN = 6, MOST_SORTED = 48, FAR = 2 ** 50;

const half = (number) => Math.floor(number / 2);

/** Indices in an order in which arrows go forward, the smallest first; without those in circles. */
export function ordered(below) {
  const waiting = below.map(() => 0);
  for (const targets of below) for (const target of targets) waiting[target]++;
  const heap = [], order = [];
  const push = (value) => {
    let at = heap.push(value) - 1;
    while (at > 0 && heap[(at - 1) >> 1] > value) { heap[at] = heap[(at - 1) >> 1]; at = (at - 1) >> 1; }
    heap[at] = value;
  };
  const pop = () => {
    const first = heap[0], value = heap.pop();
    if (heap.length) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= value) break;
        heap[at] = heap[child]; at = child;
      }
      heap[at] = value;
    }
    return first;
  };
  waiting.forEach((number, box) => { if (!number) push(box); });
  while (heap.length) {
    const box = pop();
    order.push(box);
    for (const target of below[box]) if (!--waiting[target]) push(target);
  }
  return order;
}

function strips(count, links) {
  const nets = new Map(), inputs = Array.from({ length: count }, () => []);
  for (const [source, port, target] of links) {
    const key = `${source} ${port}`;
    if (!nets.has(key)) nets.set(key, { key, source, port, targets: [], carrier: null, lane: null });
    const net = nets.get(key);
    if (!inputs[target].includes(net)) { inputs[target].push(net); net.targets.push(target); }
  }
  const outputs = Array.from({ length: count }, () => []);
  for (const net of nets.values()) outputs[net.source].push(net);
  for (const list of outputs) list.sort((a, b) => a.port - b.port);
  const below = outputs.map((list) => [...new Set(list.flatMap((net) => net.targets))]);
  const above = inputs.map((list) => [...new Set(list.map((net) => net.source))]);
  const rank = Array(count).fill(0), height = Array(count).fill(0), at = Array(count).fill(-1);
  const all = [], main = Array(count).fill(null);
  const order = ordered(below);
  for (const box of order) for (const up of above[box]) rank[box] = Math.max(rank[box], rank[up] + 1);
  for (const box of [...order].reverse())
    for (const down of below[box]) height[box] = Math.max(height[box], height[down] + 1);
  const part = Array(count).fill(-1), parts = [];
  for (let start = 0; start < count; start++) {
    if (part[start] >= 0) continue;
    part[start] = parts.length;
    const stack = [start];
    while (stack.length) {
      const box = stack.pop();
      for (const other of [...below[box], ...above[box]])
        if (part[other] < 0) { part[other] = parts.length; stack.push(other); }
    }
    parts.push([]);
  }
  for (const box of order) parts[part[box]].push(box);

  const strip = (boxes, parent) => {
    for (const box of boxes) at[box] = all.length;
    const [first, last] = [2 * rank[boxes[0]], 2 * rank[boxes.at(-1)]];
    all.push({ boxes, first, last, parent, net: null, side: 1, x: 0 });
  };
  for (const members of parts) {
    const tall = Math.max(...members.map((box) => height[box]));
    let box = Math.min(...members.filter((one) => height[one] === tall));
    const chain = [box];
    while (height[box]) {
      const from = box;
      box = below[from].find((down) => height[down] === height[from] - 1);
      chain.push(box);
    }
    const fed = new Set(chain);
    for (const one of members) if (above[one].some((up) => fed.has(up))) fed.add(one);
    for (const one of [...members].reverse())
      if (!fed.has(one) && below[one].length) rank[one] = Math.min(...below[one].map((down) => rank[down])) - 1;
    const root = all.length, pending = [];
    strip(chain, root);
    for (const start of members) {
      if (at[start] >= 0) continue;
      pending.push(all.length);
      const run = [start];
      for (;;) {
        const free = below[run.at(-1)].filter((d) => at[d] < 0 && fed.has(d) === fed.has(run.at(-1)));
        if (!free.length) break;
        run.push(free.reduce((best, one) => (height[one] > height[best] ? one : best)));
      }
      strip(run, root);
    }
    for (const index of pending) {
      const boxes = all[index].boxes, first = boxes[0];
      if (fed.has(first)) {
        const ups = above[first].filter((up) => fed.has(up));
        all[index].parent = at[ups.reduce((best, one) => (rank[one] > rank[best] ? one : best))];
      } else {
        const around = [...below[boxes.at(-1)], ...above[first], ...boxes.flatMap((one) => below[one])];
        const other = around.find((one) => at[one] !== index);
        all[index].parent = other === undefined ? root : at[other];
      }
    }
    const home = new Map([[root, root]]);
    const top = (index) => {
      const way = [];
      while ((home.get(index) ?? index) !== index) { way.push(index); index = home.get(index); }
      for (const passed of way) home.set(passed, index);
      return index;
    };
    for (const index of pending) {
      if (top(all[index].parent) === index) all[index].parent = root;
      home.set(index, all[index].parent);
    }
    for (const index of [root, ...pending]) {
      const one = all[index], first = one.boxes[0], last = one.boxes.at(-1);
      if (inputs[first].length) {
        one.first--;
        main[first] = inputs[first].reduce((best, net) => (rank[net.source] > rank[best.source] ? net : best));
      }
      for (let i = 1; i < one.boxes.length; i++) {
        const following = one.boxes[i];
        const net = inputs[following].find((other) => other.source === one.boxes[i - 1]);
        main[following] = net;
        net.carrier = { strip: index, reach: rank[following] };
      }
      if (outputs[last].length) {
        const net = (one.net = outputs[last][0]);
        const reach = Math.max(...net.targets.map((target) => rank[target]));
        net.carrier = { strip: index, reach };
        one.last = 2 * reach - 1;
      }
    }
    for (const one of members) for (const net of outputs[one]) {
      const near = net.carrier ? net.carrier.reach : rank[net.source] + 1;
      const furthest = Math.max(...net.targets.map((target) => rank[target]));
      if (furthest > near) {
        net.lane = all.length;
        all.push({ boxes: [], first: 2 * near - 1, last: 2 * furthest - 1, parent: at[net.source], net, side: 1, x: 0 });
      }
    }
  }
  return { rank, all, at, inputs, outputs, main, parts, nets };
}

function takenBy(found, net, target) {
  if (found.rank[target] === found.rank[net.source] + 1) return null;
  return net.carrier && found.rank[target] <= net.carrier.reach ? net.carrier.strip : net.lane;
}

function sideOf(found, index) {
  const { all, at, inputs, main } = found, { net, parent } = all[index];
  if (!net) return 1;
  const target = net.targets[0];
  if (at[target] === parent)
    return main[target] && inputs[target].indexOf(net) < inputs[target].indexOf(main[target]) ? -1 : 1;
  const wayUp = (one) => {
    const way = [one];
    while (all[one].parent !== one) way.push((one = all[one].parent));
    return way;
  };
  const down = wayUp(at[target]), own = wayUp(parent);
  while (down.length > 1 && own.length > 1 && down.at(-2) === own.at(-2)) { down.pop(); own.pop(); }
  if (own.length === 1) return down.at(-2) !== index ? all[down.at(-2)].side : 1;
  return -all[own.at(-2)].side;
}

function touch(own, other, side) {
  const before = Math.max(0, own.first - other.first);
  const after = Math.max(0, other.first + other.left.length - own.first - own.left.length);
  if (before || after) {
    own.first -= before;
    own.left = [...Array(before).fill(FAR), ...own.left, ...Array(after).fill(FAR)];
    own.right = [...Array(before).fill(-FAR), ...own.right, ...Array(after).fill(-FAR)];
  }
  const start = other.first - own.first, { left, right } = own;
  let room = side > 0 ? -2 * FAR : 2 * FAR;
  for (let i = 0; i < other.left.length; i++)
    room = side > 0 ? Math.max(room, right[start + i] - other.left[i]) : Math.min(room, left[start + i] - other.right[i]);
  const x = Math.abs(room) < FAR / 2 ? room + side * APART : 0;
  for (let i = 0; i < other.left.length; i++) {
    left[start + i] = Math.min(left[start + i], other.left[i] + x);
    right[start + i] = Math.max(right[start + i], other.right[i] + x);
  }
  return x;
}

function placeColumns(found, widths) {
  const { all, rank, inputs, outputs } = found, children = all.map(() => []), downwards = [];
  all.forEach((one, index) => (one.parent === index ? downwards : children[one.parent]).push(index));
  for (let i = 0; i < downwards.length; i++) downwards.push(...children[downwards[i]]);
  for (const index of downwards) if (all[index].parent !== index) all[index].side = sideOf(found, index);
  const outlines = [];
  for (const index of [...downwards].reverse()) {
    const one = all[index], right = Array(one.last - one.first + 1).fill(LANE / 2);
    for (const box of one.boxes) {
      const wide = half(widths[box]), here = 2 * rank[box] - one.first;
      right[here] = wide;
      if (inputs[box].length > 1) right[here - 1] = Math.max(right[here - 1], wide);
      if (outputs[box].length > 1) right[here + 1] = wide;
    }
    const own = { first: one.first, left: right.map((value) => -value), right };
    const beside = [...children[index]].sort((a, b) =>
      outlines[a].left.length - outlines[b].left.length || outlines[a].first - outlines[b].first || a - b);
    for (const child of beside) all[child].x = touch(own, outlines[child], all[child].side);
    outlines[index] = own;
  }
  for (const index of downwards) if (all[index].parent !== index) all[index].x += all[all[index].parent].x;
}

function spread(wanted, straight, x, wide, shift) {
  const found = new Map([[straight, x]]);
  const others = wanted.filter(([, net]) => net !== straight);
  const byPlace = (a, b) => a[0] - b[0] || a[1].source - b[1].source || a[1].port - b[1].port;
  const left = others.filter(([to]) => to < x).sort((a, b) => byPlace(b, a));
  const right = others.filter(([to]) => to >= x).sort(byPlace);
  for (const [sign, pairs] of [[-1, left], [1, right]])
    pairs.forEach(([, net], i) => {
      const number = i + 1;
      let away = PORT * number - shift;
      if (PORT * pairs.length > wide - 6)
        away = Math.max(1, Math.floor(((wide - 6) * number) / pairs.length)
          - Math.floor((shift * (wide - 6)) / (PORT * pairs.length)));
      found.set(net, x + sign * away);
    });
  return found;
}

function crossings(upper, lower) {
  let found = upper.left < lower.top && lower.top < upper.right ? 1 : 0;
  for (const drop of upper.drops) if (lower.left < drop && drop < lower.right) found++;
  return found;
}

function heights(buses) {
  const tracks = buses.map(() => 0);
  let number = 0;
  for (const bus of buses) { bus.left = Math.min(bus.top, ...bus.drops); bus.right = Math.max(bus.top, ...bus.drops); }
  const sideways = buses.map((_, index) => index).filter((index) => buses[index].left < buses[index].right);
  if (sideways.length > MOST_SORTED) {
    const busy = [];
    for (const index of sideways.sort((a, b) => buses[a].left - buses[b].left || a - b)) {
      busy.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const track = busy.length && busy[0][0] + MARGIN <= buses[index].left ? busy.shift()[1] : number++;
      tracks[index] = track;
      busy.push([buses[index].right, track]);
    }
    return [tracks, number];
  }
  const nearest = (bus) => (2 * bus.top < bus.left + bus.right ? -bus.top : bus.top);
  const order = sideways.sort((a, b) => nearest(buses[a]) - nearest(buses[b]) || a - b);
  for (let pass = 0; pass < order.length; pass++) {
    let changed = false;
    for (let i = 0; i + 1 < order.length; i++) {
      const [one, other] = [buses[order[i]], buses[order[i + 1]]];
      if (crossings(other, one) < crossings(one, other)) {
        [order[i], order[i + 1]] = [order[i + 1], order[i]];
        changed = true;
      }
    }
    if (!changed) break;
  }
  order.forEach((index, i) => {
    const bus = buses[index];
    for (const above of order.slice(0, i))
      if (buses[above].left < bus.right + MARGIN && bus.left < buses[above].right + MARGIN)
        tracks[index] = Math.max(tracks[index], tracks[above] + 1);
    number = Math.max(number, tracks[index] + 1);
  });
  return [tracks, number];
}

function hops(found, leaves, enters, net, target) {
  const { rank, all } = found, taken = takenBy(found, net, target), gap = rank[target] - 1;
  const leave = leaves.get(net), enter = enters.get(`${net.key} ${target}`);
  if (taken === null) return [["box", gap, leave, enter]];
  const x = all[taken].x, { carrier } = net;
  if (carrier && taken === carrier.strip) return [[taken, gap, x, enter]];
  if (!carrier || carrier.reach === rank[net.source] + 1)
    return [["box", rank[net.source], leave, x], [taken, gap, x, enter]];
  return [[carrier.strip, carrier.reach - 1, all[carrier.strip].x, x], [taken, gap, x, enter]];
}

/** Place boxes: sizes [[width, height]], links [[source, port, target]] in the order in which a box reads. */
export function layout(sizes, links) {
  const found = strips(sizes.length, links), { rank, all, at, inputs, outputs, main, parts } = found;
  const widths = sizes.map(([width], box) => {
    const most = Math.max(inputs[box].length, outputs[box].length);
    const wanted = Math.max(width, Math.min(WIDEST, PORT * most + PORT));
    return wanted + (wanted % 2);
  });
  placeColumns(found, widths);
  const x = sizes.map((_, box) => all[at[box]].x), leaves = new Map(), enters = new Map();
  outputs.forEach((list, box) => {
    if (!list.length) return;
    const straight = list.find((net) => net.carrier) ?? list[0];
    const wanted = list.map((net) => [net.lane !== null ? all[net.lane].x
      : Math.floor(net.targets.reduce((sum, target) => sum + x[target], 0) / net.targets.length), net]);
    for (const [net, end] of spread(wanted, straight, x[box], half(widths[box]), PORT / 2)) leaves.set(net, end);
  });
  inputs.forEach((list, box) => {
    if (!list.length) return;
    const wanted = list.map((net) => {
      const strip = takenBy(found, net, box);
      return [strip === null ? leaves.get(net) : all[strip].x, net];
    });
    for (const [net, end] of spread(wanted, main[box] ?? list[0], x[box], half(widths[box]), 0))
      enters.set(`${net.key} ${box}`, end);
  });
  const left = [], top = [], floors = [], tracks = new Map();
  const placed = parts.map((members) => {
    const gaps = new Map(), deep = new Map();
    let low = Infinity, high = -Infinity;
    for (const box of members) {
      low = Math.min(low, x[box] - half(widths[box]));
      high = Math.max(high, x[box] + half(widths[box]));
      deep.set(rank[box], Math.max(deep.get(rank[box]) ?? 0, sizes[box][1]));
      for (const net of outputs[box]) {
        for (const end of [leaves.get(net), ...(net.lane === null ? [] : [all[net.lane].x])]) {
          low = Math.min(low, end - LANE / 2);
          high = Math.max(high, end + LANE / 2);
        }
        for (const target of net.targets)
          for (const [strip, gap, start, end] of hops(found, leaves, enters, net, target)) {
            if (!gaps.has(gap)) gaps.set(gap, new Map());
            const turn = `${net.key} ${strip} ${gap}`;
            if (!gaps.get(gap).has(turn)) gaps.get(gap).set(turn, { top: start, drops: [] });
            gaps.get(gap).get(turn).drops.push(end);
          }
      }
    }
    const rows = new Map(), own = new Map();
    const [lowest, highest] = [Math.min(...deep.keys()), Math.max(...deep.keys())];
    let y = 0;
    for (let row = lowest; row <= highest; row++) {
      const upper = y;
      y += deep.get(row) ?? 0;
      rows.set(row, [upper, y]);
      const turns = gaps.get(row) ?? new Map();
      const [numbers, used] = heights([...turns.values()].map(({ top, drops }) => ({ top, drops: [...new Set(drops)] })));
      [...turns.keys()].forEach((turn, i) => own.set(turn, y + ABOVE_TRACKS + TRACK * numbers[i]));
      y += Math.max(GAP, ABOVE_TRACKS + TRACK * (used - 1) + BELOW_TRACKS);
    }
    return { low, high, rows, own, height: rows.get(highest)[1] };
  });
  const area = placed.reduce((sum, part) => sum + (part.high - part.low + PARTS) * (part.height + PARTS), 0);
  const widest = Math.max(Math.floor(Math.sqrt(2 * area)), ...placed.map((part) => part.high - part.low));
  let across = 0, down = 0, deepest = 0, width = 0, height = 0;
  parts.forEach((members, index) => {
    const part = placed[index];
    if (across && across + part.high - part.low > widest) { across = 0; down += deepest + PARTS; deepest = 0; }
    for (const box of members) {
      const [upper, lower] = part.rows.get(rank[box]);
      left[box] = across - part.low; top[box] = upper + down; floors[box] = lower + down;
    }
    for (const [turn, y] of part.own) tracks.set(turn, y + down);
    across += part.high - part.low;
    width = Math.max(width, across);
    deepest = Math.max(deepest, part.height);
    height = Math.max(height, down + deepest);
    across += PARTS;
  });
  const boxes = sizes.map(([, tall], box) => [left[box] + x[box] - half(widths[box]), top[box], widths[box], tall]);
  const routes = links.map(([source, port, target]) => {
    const net = found.nets.get(`${source} ${port}`);
    const corners = [[left[source] + leaves.get(net), boxes[source][1] + boxes[source][3]]];
    for (const [strip, gap, start, end] of hops(found, leaves, enters, net, target)) {
      const y = tracks.get(`${net.key} ${strip} ${gap}`);
      if (start !== end) corners.push([left[source] + start, y], [left[source] + end, y]);
    }
    corners.push([left[source] + enters.get(`${net.key} ${target}`), top[target]]);
    return corners;
  });
  return { width, height, boxes, routes, floors };
}
