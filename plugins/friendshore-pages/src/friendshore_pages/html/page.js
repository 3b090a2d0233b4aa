"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, set = {}) => Object.assign(document.createElement(name), set);

  // Rows as a tree by level. A row of totals isn't sorted.
  const rowTree = body => {
    const root = {rows: []}, path = [root];
    for (const row of body.rows) {
      const level = Math.min(+(row.dataset.level || 0), path.length - 1);
      const node = {row, rows: []};
      path.length = level + 1;
      path[level].rows.push(node);
      path.push(node);
    }
    return root;
  };
  const isTotal = node => node.row.classList.contains("strong") && !node.rows.length;
  const key = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return "";
    const value = (cell.dataset.v ?? cell.textContent).trim();
    const number = value === "" ? NaN : +value.replace(/^(-?\d{1,3})(,\d{3})+(?=\.|$)/, found => found.replaceAll(",", ""));
    return Number.isNaN(number) ? value : number;
  };
  const order = new Intl.Collator("en", {numeric: true}).compare;
  const compare = (a, b) => {
    if (a === "" || b === "") return 0;
    const numbers = (typeof a === "number") - (typeof b === "number");
    return numbers ? -numbers : typeof a === "number" ? a - b : order(a, b);
  };
  const sorted = (nodes, column, sign) => {
    const free = nodes.filter(node => !isTotal(node));
    const keys = new Map(free.map((node, place) => [node, [key(node.row, column), place]]));
    free.sort((x, y) => {
      const [a, first] = keys.get(x), [b, second] = keys.get(y);
      return (a === "") - (b === "") || sign * compare(a, b) || first - second;
    });
    return nodes.map(node => isTotal(node) ? node : free.shift());
  };
  const flattened = (nodes, column, sign, found) => {
    for (const node of sign ? sorted(nodes, column, sign) : nodes) {
      found.push(node.row);
      flattened(node.rows, column, sign, found);
    }
    return found;
  };

  for (const table of all("table")) {
    const body = table.tBodies[0], box = table.parentElement;
    if (!body || body.rows.length < 3) continue;
    const tree = rowTree(body), heads = all("thead th", table);
    let filtered = false;
    const markMoved = () => table.classList.toggle("moved", filtered || heads.some(head => head.ariaSort));
    heads.forEach((head, column) => {
      const button = make("button", {type: "button"});
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("n") ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        const now = head.getAttribute("aria-sort");
        const next = now === first ? second : now === second ? null : first;
        heads.forEach(other => other.removeAttribute("aria-sort"));
        if (next) head.setAttribute("aria-sort", next);
        body.append(...flattened(tree.rows, column, {ascending: 1, descending: -1}[next] || 0, []));
        markMoved();
      });
    });
    if (body.rows.length < 20) continue;
    const tools = make("div", {className: "tools"}), label = make("label", {textContent: "Filter rows"});
    const input = make("input", {type: "search"}), counter = make("output");
    counter.setAttribute("aria-live", "polite");
    label.append(input);
    tools.append(label, counter);
    box.before(tools);
    const filterNode = (node, words, above) => {
      const own = words.every(word => node.row.textContent.toLowerCase().includes(word));
      const below = node.rows.map(child => filterNode(child, words, above || own)).some(Boolean);
      node.row.hidden = !(own || above || below);
      return own || below;
    };
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      filtered = words.length > 0;
      tree.rows.forEach(node => filterNode(node, words, false));
      const left = [...body.rows].filter(row => !row.hidden).length;
      counter.textContent = filtered ? `${left} of ${body.rows.length} rows` : "";
      markMoved();
    });
  }

  // A box that doesn't scroll needs no keyboard focus.
  const boxes = all(".scroll");
  const setFocusable = () => {
    const wide = boxes.map(box => box.scrollWidth > box.clientWidth + 1);
    boxes.forEach((box, place) => wide[place] ? box.setAttribute("tabindex", "0") : box.removeAttribute("tabindex"));
  };
  setFocusable();
  addEventListener("resize", setFocusable);

  // Tooltips of parts of pictures.
  const tip = make("div", {className: "tip", hidden: true});
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const figure of all("figure")) {
    const [wide, narrow] = ["wide", "narrow"].map(name => all(`svg.${name} .parts > :not(title)`, figure));
    wide.forEach((part, place) => {
      const titles = [part.parentElement, part].map(of => of.querySelector(":scope > title")?.textContent);
      if (!titles[1]) return;
      part.dataset.tooltip = titles.filter(Boolean).join(": ");
      if (narrow[place]) narrow[place].dataset.tooltip = part.dataset.tooltip;
    });
    all("svg.wide .parts title", figure).forEach(title => title.remove());
  }
  const showTip = event => {
    const part = event.target.closest?.("[data-tooltip]");
    tip.hidden = !part;
    if (!part) return;
    tip.textContent = part.dataset.tooltip;
    const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${scrollX + Math.max(8, Math.min(event.clientX + 14, right))}px`;
    const above = event.clientY + 18 + tip.offsetHeight > innerHeight;
    tip.style.top = `${scrollY + event.clientY + (above ? -tip.offsetHeight - 12 : 18)}px`;
  };
  addEventListener("pointermove", showTip);
  addEventListener("pointerdown", showTip);

  // Print folded parts too.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach(details => details.open = true);
  });
  addEventListener("afterprint", () => folded.forEach(details => details.open = false));

  // Mark the current section in the table of contents.
  const links = new Map(all(".contents a").map(link => [link.hash.slice(1), link]));
  const headings = all("main h2[id], main h3[id]").filter(heading => links.has(heading.id));
  const markCurrent = () => {
    const above = headings.filter(heading => heading.checkVisibility() && heading.getBoundingClientRect().top < innerHeight / 3).pop();
    for (const [id, link] of links) {
      if (above && id === above.id) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  if (headings.length) {
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; markCurrent(); });
    }, {passive: true});
    markCurrent();
  }
})();
