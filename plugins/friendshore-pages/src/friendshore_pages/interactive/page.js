// Interactive part of the page: controls for changes, and the current answer beside the original plan.
(() => {
  const place = document.getElementById("plan-again");
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== "" && child !== undefined));
    return element;
  };

  let data = null;
  let plan = null;
  // Changes as lever -> {lever, factor, from}. `shown` are those of the answer on the page.
  let chosen = [];
  let committed = [];
  let shown = null;
  let isPlanning = false;
  let isLoading = true;
  const past = [];

  // Figures as in reports: three digits, whole numbers in full.
  const number = (value, digits = 3) =>
    value.toLocaleString("en-US", Math.abs(value) >= 10 ** (digits - 1) ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits });
  const money = (amount) => {
    for (const [size, word] of [[1e9, " billion"], [1e6, " million"]]) if (Math.abs(amount) >= size) return `${number(amount / size)}${word}`;
    return number(amount);
  };
  const mass = (kilograms, basis = "") => `${kilograms >= 1000 ? `${number(kilograms / 1000)} t` : `${number(kilograms)} kg`} ${basis}`.trimEnd();
  const percent = (share) => (share && share < 1e-5 ? "below 0.001%" : `${number(share * 100, 2)}%`);
  const factorText = (factor) => `${Number((100 * factor).toPrecision(6))}%`;
  const isSmall = (kilograms) => kilograms <= data.resolution * 100;

  // Changes in the address: kind:name:choice=factor or first day. Returns the changes that fit the case, and how many don't.
  const keyOf = ({ kind, name, choice }) => [kind, name, choice].map(encodeURIComponent).join(":");
  const hashOf = (changes) =>
    changes.map(({ lever, factor, from }) => `${keyOf(data.levers[lever])}=${data.levers[lever].hasFactor ? factor : from ? data.periods[from][1] : ""}`).join("&");
  function changesOf(hash) {
    const leverByKey = new Map(data.levers.map((lever, i) => [keyOf(lever), i]));
    const changes = [];
    let unknown = 0;
    for (const text of hash.replace(/^#/, "").split("&").filter(Boolean)) {
      const [key, value = ""] = text.split("=");
      const lever = leverByKey.get(key);
      const { kind, name, hasFactor } = data.levers[lever] || {};
      const factor = hasFactor ? Number(value || NaN) : 1;
      const from = value && kind === "remove" ? data.periods.findIndex(([, start]) => start === value) : 0;
      const next = [...changes, { lever, factor, from }];
      const isTwice = changes.some((one) => data.levers[one.lever].kind === kind && data.levers[one.lever].name === name);
      if (lever === undefined || isTwice || !(factor >= 0 && factor <= MAX_FACTOR) || from < 0 || planner.arrange(next).clash) unknown += 1;
      else changes.push(next.pop());
    }
    return { changes, unknown };
  }
  const MAX_FACTOR = 1000;

  // Losses come last, since the price of a lost offer can't change.
  function command() {
    const isLoss = ({ lever }) => data.levers[lever].kind === "remove";
    const parts = [...chosen].sort((one, other) => isLoss(one) - isLoss(other)).map(({ lever, factor, from }) => {
      const { optionText, hasFactor } = data.levers[lever];
      return ` --change '${optionText}${hasFactor ? `, factor=${factor}` : from ? `, from=${data.periods[from][1]}` : ""}'`;
    });
    return `friendshore plan ${data.case}${parts.join("")}`;
  }

  const status = make("p", { role: "status" });
  const figures = make("dl");
  const note = make("p", { role: "status", class: "note" });
  const rows = make("ul", { class: "changes", "data-input": true });
  const materials = make("ul", { class: "materials" });
  const tables = make("div");
  const commandLine = make("code");
  const answer = make("div", { class: "answer", role: "region", "aria-label": "Results" }, status, figures);

  const describe = ({ lever, factor, from }) => {
    const { label, hasFactor } = data.levers[lever];
    return hasFactor ? `${label}: ${factorText(factor)}` : from ? `${label} from ${data.periods[from][0]}` : label;
  };

  // Replaces the changes if they can be combined. While a slider moves, only its end position can be undone.
  function choose(next, isMoving = false) {
    const { clash, limits, why = "their effects don't add up" } = planner.arrange(next);
    if (clash) {
      const against = clash.find((one) => chosen.some(({ lever }) => lever === one.lever)) || clash[0];
      note.textContent = limits || `Can't be combined with “${describe(against)}”: ${why}. Remove that first, or use the command line.`;
      showControls();
      return false;
    }
    note.textContent = "";
    chosen = next;
    if (!isMoving) commit();
    update();
    return true;
  }
  function writeAddress() {
    try {
      history.replaceState(null, "", `#${hashOf(chosen)}`);
    } catch {
      // Some browsers limit how often the address may change. The next change writes it.
    }
  }
  function commit() {
    if (hashOf(chosen) === hashOf(committed)) return;
    past.push(committed);
    committed = chosen;
    writeAddress();
  }
  const without = (levers) => {
    const same = ({ kind, name }) => levers.some((lever) => data.levers[lever].kind === kind && data.levers[lever].name === name);
    return chosen.filter(({ lever }) => !same(data.levers[lever]));
  };
  // A slider that passes 100% keeps its row until it stops.
  const withFactor = (levers, factor, isMoving) => {
    const own = factor === 1 && !isMoving ? [] : levers.map((lever) => ({ lever, factor, from: 0 }));
    const places = chosen.map(({ lever }) => lever);
    return [...without(levers), ...own].sort((one, other) => (places.indexOf(one.lever) + 1 || Infinity) - (places.indexOf(other.lever) + 1 || Infinity) || 0);
  };

  // Returns a slider and a field for the factor of some levers, which show the current factor on `refresh`.
  function factorControls(levers, name) {
    const isPrice = data.levers[levers[0]].kind === "price";
    const low = isPrice ? 0 : 5;
    const set = (input, isMoving) => {
      if (input.value === "" || !(Number(input.value) >= 0)) input.focus();
      else choose(withFactor(levers, Number((Number(input.value) / 100).toPrecision(12)), isMoving), isMoving);
    };
    const slider = make("input", { type: "range", min: low, max: 300, step: 5, "aria-label": name, oninput: () => set(slider, true), onchange: () => set(slider, false) });
    const field = make("input", { type: "number", min: isPrice ? 0 : 100 * data.minFactor, max: 100 * MAX_FACTOR, step: "any", "aria-label": `${name}, percent of the original`, onchange: () => set(field, false) });
    const refresh = () => {
      const change = chosen.find(({ lever }) => lever === levers[0]);
      const value = Number((100 * (change ? change.factor : 1)).toPrecision(6));
      if (document.activeElement !== slider || Number(slider.value) !== value) slider.value = value;
      field.value = value;
      slider.setAttribute("aria-valuetext", `${value}%`);
      slider.parentElement.classList.toggle("changed", value !== 100);
    };
    return { element: make("span", { class: "factor" }, slider, field, "%"), refresh };
  }

  // Rows of changes. Many demands with the same factor share one.
  const MIN_GROUP = 3;
  const rowByKey = new Map();
  function groups() {
    const demands = new Map();
    for (const { lever, factor } of chosen) if (data.levers[lever].kind === "demand") demands.set(factor, [...(demands.get(factor) || []), lever]);
    const grouped = [...demands.values()].filter((levers) => levers.length >= MIN_GROUP);
    const single = chosen.filter(({ lever }) => !grouped.some((levers) => levers.includes(lever)));
    return [...grouped, ...single.map(({ lever }) => [lever])];
  }
  function rowOf(levers) {
    const { label, kind, hasFactor, group } = data.levers[levers[0]];
    const name = levers.length > 1 ? `Demand of ${levers.length} needs` : label;
    const effect = make("span", { class: "effect" });
    const row = { effect, refresh: () => {}, levers };
    const parts = [make("span", { class: "name" }, ...(levers.length > 1 ? [name] : [make("small", {}, group), " ", name]))];
    if (hasFactor) {
      const controls = factorControls(levers, name);
      row.refresh = controls.refresh;
      parts.push(controls.element);
    } else if (kind === "remove") {
      const from = make("select", { "aria-label": `First period of: ${name}`, onchange: () => choose(chosen.map((one) => (one.lever === levers[0] ? { ...one, from: Number(from.value) } : one))) });
      data.periods.forEach(([text], i) => from.append(make("option", { value: i }, text)));
      row.refresh = () => (from.value = chosen.find(({ lever }) => lever === levers[0]).from);
      parts.push(make("label", {}, "from ", from));
    }
    const remove = make("button", { type: "button", "aria-label": `Remove: ${name}`, onclick: () => choose(chosen.filter(({ lever }) => !levers.includes(lever))) }, "×");
    row.element = make("li", {}, ...parts, effect, remove);
    return row;
  }
  const undo = make("button", { type: "button", onclick: () => {
    committed = chosen = past.pop();
    writeAddress();
    update();
  } }, "Undo");
  const reset = make("button", { type: "button", onclick: () => choose([]) }, "Original plan");
  const examples = make("div", { class: "examples", role: "group", "aria-label": "Examples", "data-input": true });
  function showControls() {
    const keys = groups().map((levers) => [levers.join(), levers]);
    for (const [key, row] of rowByKey) {
      if (keys.some(([kept]) => kept === key)) continue;
      if (row.element.contains(document.activeElement)) field.focus();
      row.element.remove();
      rowByKey.delete(key);
    }
    for (const [key, levers] of keys) {
      if (!rowByKey.has(key)) {
        rowByKey.set(key, rowOf(levers));
        rows.append(rowByKey.get(key).element);
      }
      rowByKey.get(key).refresh();
    }
    for (const { refresh } of sliders) refresh();
    undo.disabled = past.length === 0;
    reset.disabled = chosen.length === 0;
    if (document.activeElement && document.activeElement.disabled) field.focus();
    for (const chip of examples.children) chip.setAttribute("aria-pressed", String(isOn(chip.changes)));
    commandLine.textContent = command();
  }
  const isOn = (changes) => changes.every(([lever, factor]) => chosen.some((one) => one.lever === lever && one.factor === factor && !one.from));
  function addExamples() {
    for (const [label, title, changes] of data.examples) {
      const levers = changes.map(([lever]) => lever);
      const own = changes.map(([lever, factor]) => ({ lever, factor, from: 0 }));
      if (planner.arrange(own).clash) continue;
      const chip = make("button", { type: "button", title: title || undefined, onclick: () => {
        choose(isOn(changes) ? chosen.filter(({ lever }) => !levers.includes(lever)) : [...without(levers), ...own]);
      } }, label);
      chip.changes = changes;
      examples.append(chip);
    }
  }

  // Field that suggests changes by material, supplier, country, or rule.
  const MAX_OPTIONS = 60;
  const list = make("div", { role: "listbox", id: "change-list", "aria-label": "Changes", hidden: true });
  const field = make("input", { id: "change-field", role: "combobox", "aria-expanded": "false", "aria-controls": "change-list", "aria-autocomplete": "list", autocomplete: "off", placeholder: "material, supplier, country, or rule" });
  let active = -1;
  const options = () => [...list.querySelectorAll("[role=option]")];
  function closeList() {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
  function openList() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (lever) => words.every((word) => `${lever.group} ${lever.label} ${lever.name}`.toLowerCase().includes(word));
    const found = data.levers.map((lever, i) => [lever, i]).filter(([lever]) => matches(lever));
    const byGroup = new Map();
    for (const [lever, i] of found.slice(0, MAX_OPTIONS)) byGroup.set(lever.group, [...(byGroup.get(lever.group) || []), i]);
    list.replaceChildren(...[...byGroup].map(([group, levers]) =>
      make("div", { role: "group", "aria-label": group }, make("span", { "aria-hidden": "true" }, group), ...levers.map((lever) =>
        make("div", { role: "option", id: `change-${lever}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); pick(lever); } }, data.levers[lever].label)))));
    const rest = found.length - MAX_OPTIONS;
    if (!found.length || rest > 0) list.append(make("div", { role: "presentation", class: "aside" }, found.length ? `${rest} more: type to narrow the list` : "No change matches."));
    list.hidden = false;
    active = -1;
    field.setAttribute("aria-expanded", "true");
    field.removeAttribute("aria-activedescendant");
  }
  function activate(step) {
    if (list.hidden) openList();
    const all = options();
    if (!all.length) return;
    if (active >= 0) all[active].setAttribute("aria-selected", "false");
    active = (active + step + all.length + (active < 0 && step < 0 ? 1 : 0)) % all.length;
    all[active].setAttribute("aria-selected", "true");
    all[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", all[active].id);
  }
  function pick(lever) {
    closeList();
    field.value = "";
    const { hasFactor } = data.levers[lever];
    if (!chosen.some((one) => one.lever === lever) && !choose([...without([lever]), { lever, factor: hasFactor ? 1.5 : 1, from: 0 }])) return;
    const row = [...rowByKey.values()].find(({ levers }) => levers.includes(lever));
    (row.element.querySelector("input, select") || field).focus();
  }
  function addPicker() {
    field.addEventListener("input", openList);
    field.addEventListener("click", openList);
    field.addEventListener("blur", closeList);
    field.addEventListener("keydown", (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      const all = options();
      if (event.key in steps) activate(steps[event.key]);
      else if (event.key === "Escape" && !list.hidden) closeList();
      else if (event.key === "Enter" && field.value.trim() === "" && active < 0) openList();
      else if (event.key === "Enter" && !list.hidden && all.length) pick(Number(all[Math.max(0, active)].id.replace("change-", "")));
      else return;
      event.preventDefault();
    });
    return make("div", { class: "pick", "data-input": true }, make("label", { for: "change-field" }, "Add a change"), make("div", { class: "combobox" }, field, list), undo, reset);
  }

  // Rows of materials: bars of what is bought and short, and a slider for each demand.
  const COLORS = [["concern", "from countries of concern"], ["unknown", "possibly from countries of concern"], ["other", "from other countries"], ["short", "short"]];
  const sliders = [];
  const barsByMaterial = new Map();
  function addMaterials() {
    const spend = new Map();
    for (const [purchase, sums] of plan.bought) spend.set(data.purchases[purchase][0], (spend.get(data.purchases[purchase][0]) || 0) + sums[3]);
    const ids = Object.keys(data.materials).sort((one, other) => (spend.get(other) || 0) - (spend.get(one) || 0));
    for (const id of ids) {
      const [name] = data.materials[id];
      const bars = make("div", { class: "bars" });
      const demands = Object.entries(data.demands).filter(([, [material]]) => material === id);
      const own = demands.map(([demand, [, endUse]]) => [endUse, data.levers.findIndex((lever) => lever.kind === "demand" && lever.name === demand)]).filter(([, lever]) => lever >= 0);
      const controls = own.map(([endUse, lever]) => {
        const isAlone = own.filter(([other]) => other === endUse).length === 1;
        const text = isAlone ? `Demand, ${endUse}` : data.levers[lever].label;
        const { element, refresh } = factorControls([lever], `${name}: ${text}`);
        sliders.push({ refresh });
        return make("div", { class: "demand" }, make("span", {}, text), element);
      });
      const more = make("button", { type: "button", class: "link", "aria-label": `Add a change of ${name}`, onclick: () => {
        field.value = name;
        field.focus();
        openList();
      } }, "Add a change");
      barsByMaterial.set(id, bars);
      materials.append(make("li", {}, make("div", { class: "head", "data-input": true }, make("strong", {}, name), more), bars, make("div", { class: "demands", "data-input": true }, ...controls)));
    }
  }
  // Returns kilograms of concern, possibly of concern, of other countries, and short, by material.
  function sumsByMaterial({ bought, short }) {
    const sums = new Map(Object.keys(data.materials).map((id) => [id, [0, 0, 0, 0]]));
    for (const [purchase, [kilograms, mayBe, is]] of bought) {
      const own = sums.get(data.purchases[purchase][0]);
      [is, mayBe, kilograms - is - mayBe].forEach((part, i) => (own[i] += part));
    }
    for (const [demand, kilograms] of short) sums.get(data.demands[demand][0])[3] += kilograms;
    return sums;
  }
  function showMaterials(now) {
    const [before, after] = [sumsByMaterial(plan), sumsByMaterial(now)];
    for (const [id, bars] of barsByMaterial) {
      const [, basis] = data.materials[id];
      const both = [before.get(id), after.get(id)];
      const total = (sums) => sums.reduce((all, part) => all + part, 0);
      const scale = Math.max(...both.map(total));
      const text = (sums) => COLORS.map(([, name], i) => (isSmall(sums[i]) ? "" : `${mass(sums[i], basis)} ${name}`)).filter(Boolean).join(", ") || "nothing bought or short";
      const isChanged = both[0].some((kilograms, i) => Math.abs(kilograms - both[1][i]) > data.resolution * 100);
      const line = (name, sums, key) => {
        const parts = COLORS.map(([color], i) => {
          const part = make("i", { class: color });
          part.style.width = isSmall(sums[i]) ? "0" : `${(100 * sums[i]) / scale}%`;
          return part;
        });
        return make("div", { class: name.toLowerCase(), "data-answer": key }, make("small", {}, name), make("span", { class: "bar", "aria-hidden": "true" }, ...parts), make("span", { class: "text" }, text(sums)));
      };
      const unchanged = line(now === plan ? ORIGINAL : "Unchanged", both[1], hashOf(shown));
      bars.replaceChildren(...(isChanged ? [line(ORIGINAL, both[0], ""), line("Now", both[1], hashOf(shown))] : [unchanged]));
      bars.parentElement.classList.toggle("changed", isChanged);
    }
  }

  // Tables and figures of the current answer beside the original plan.
  const ORIGINAL = "Original plan";
  const sum = (answer, ...positions) => [...answer.bought.values()].reduce((total, sums) => positions.reduce((all, i) => all + sums[i], total), 0);
  // Shares of all purchases: surely of concern, and with those that may be.
  const concernShares = (answer) => [sum(answer, 5), sum(answer, 4, 5)].map((amount) => amount / (sum(answer, 3) || 1));
  const shortKilograms = (answer) => [...answer.short.values()].reduce((total, kilograms) => total + kilograms, 0);
  function showFigures(now) {
    const beside = (get) => {
      const before = make("span", { class: "before", "data-answer": "" }, make("span", { class: "unseen" }, `${ORIGINAL}: `), get(plan));
      return now === plan ? [get(now)] : [before, " → ", get(now)];
    };
    const strong = (get, tone) => (one) => (one === now ? make("strong", { class: tone }, get(one)) : get(one));
    const figure = (name, value, aside) => make("div", {}, make("dt", {}, name), make("dd", {}, ...value), make("dd", { class: "aside" }, ...aside));
    const short = strong((one) => String(one.short.size), now.short.size ? "bad" : "good");
    const share = (i) => (one) => percent(concernShares(one)[i]);
    figures.replaceChildren(
      figure("Needs short", [...beside(short), ` of ${Object.keys(data.demands).length}`], beside((one) => mass(shortKilograms(one)))),
      figure(`Spend, ${data.currency}`, beside(strong((one) => money(one.spend))), ["not discounted"]),
      data.countriesOfConcern.length ? figure("From countries of concern", beside(strong(share(0))), ["up to ", ...beside(share(1)), " if unknown origins are too"]) : "",
    );
    answer.setAttribute("data-answer", hashOf(shown));
  }
  const ofPlan = "original plan";
  function table(caption, heads, lines) {
    const attributes = ([text, isFigure]) => ({ class: isFigure ? "n" : undefined, "data-answer": text.endsWith(ofPlan) ? "" : undefined });
    const head = make("thead", {}, make("tr", {}, ...heads.map((own) => make("th", { scope: "col", ...attributes(own) }, own[0]))));
    const body = make("tbody", {}, ...lines.map(({ cells, isChanged }) =>
      make("tr", { class: isChanged ? "changed" : undefined }, ...cells.map((text, i) => make(i ? "td" : "th", i ? attributes(heads[i]) : { scope: "row" }, text)))));
    const element = make("table", {}, make("caption", { class: "unseen" }, caption), head, body);
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption, "data-answer": hashOf(shown) }, element);
  }
  function showTables(now) {
    const hasChanges = now !== plan;
    const heads = (text) => (hasChanges ? [[`${text}, ${ofPlan}`, true], [`${text}, now`, true]] : [[text, true]]);
    const both = (before, after) => (hasChanges ? [before, after] : [after]);
    const title = (text) => make("h3", {}, hasChanges ? `${text} now and in the ${ofPlan}` : text);
    const kg = (material, kilograms) => (isSmall(kilograms) ? "–" : mass(kilograms, data.materials[material][1]));
    const paid = (sums) => (sums[3] ? money(sums[3]) : "–");
    const isChanged = (before, after) => !isSmall(Math.abs(before - after));
    const purchases = [...new Set([...plan.bought.keys(), ...now.bought.keys()])]
      .map((purchase) => [data.purchases[purchase], plan.bought.get(purchase) || planner.NOTHING, now.bought.get(purchase) || planner.NOTHING])
      .filter(([, before, after]) => !isSmall(Math.max(before[0], after[0])))
      .sort(([, ...one], [, ...other]) => Math.max(other[0][3], other[1][3]) - Math.max(one[0][3], one[1][3]))
      .map(([[material, supplier, country], before, after]) => ({
        isChanged: isChanged(before[0], after[0]),
        cells: [supplier, data.materials[material][0], country, ...both(kg(material, before[0]), kg(material, after[0])), ...both(paid(before), paid(after))],
      }));
    const shortages = Object.entries(data.demands)
      .map(([demand, [material]]) => [demand, material, plan.short.get(demand) || 0, now.short.get(demand) || 0])
      .filter(([, , before, after]) => before || after)
      .map(([demand, material, before, after]) => ({
        isChanged: isChanged(before, after),
        cells: [demand, data.materials[material][0], ...both(kg(material, before), kg(material, after))],
      }));
    tables.replaceChildren(
      title("Purchases"),
      table("Purchases", [["Supplier"], ["Material"], ["Country"], ...heads("Quantity"), ...heads(`Spend, ${data.currency}`)], purchases),
      title("Shortages"),
      shortages.length ? table("Shortages", [["Need"], ["Material"], ...heads("Short")], shortages) : make("p", {}, "No need is short."),
    );
  }

  // Returns how far an answer with integer decisions may be from the best one.
  function gapText({ objective, bound }) {
    if (!data.programs.some((one) => one.integer.length)) return "";
    const gap = (objective - bound) / Math.max(1, Math.abs(objective));
    return gap <= data.gap ? `, within ${data.gap} of the cheapest` : `; after ${data.seconds} s, a plan up to ${(100 * gap).toPrecision(2)}% cheaper is still possible`;
  }
  const LOADING = " The solver is loading.";
  function show(now, changes) {
    shown = changes;
    const state = [`Planned again in ${now.seconds.toFixed(2)} s${gapText(now)}. `, make("strong", {}, "Not verified again.")];
    status.replaceChildren(...(changes.length ? state : [`${ORIGINAL}: ${data.status}, verified.${isLoading ? LOADING : ""}`]));
    showFigures(now);
    showMaterials(now);
    showTables(now);
  }
  function showFailure(error, changes) {
    shown = changes;
    figures.replaceChildren();
    tables.replaceChildren();
    for (const bars of barsByMaterial.values()) bars.replaceChildren();
    status.textContent = `Not planned: ${error.message}.`;
  }

  // Plans the latest changes. Answers to changes that came and went in the meantime are shown as they arrive.
  async function update() {
    showControls();
    if (isPlanning) return;
    isPlanning = true;
    for (const { effect } of rowByKey.values()) effect.textContent = "";
    while (shown !== chosen) {
      const changes = chosen;
      place.setAttribute("aria-busy", "true");
      status.textContent = `Planning…${isLoading ? LOADING : ""}`;
      try {
        show(changes.length ? await planner.solve(changes) : plan, changes);
      } catch (error) {
        showFailure(error, changes);
      }
    }
    place.removeAttribute("aria-busy");
    isPlanning = false;
    showEffects(chosen);
  }
  async function showEffects(changes) {
    for (const { levers, effect } of rowByKey.values()) {
      if (levers.length > 1) continue;
      const hasNone = await planner.hasNoEffect(changes, levers[0]).catch(() => undefined);
      if (shown !== changes || chosen !== changes) return;
      effect.textContent = hasNone ? "No effect on the plan" : "";
    }
  }

  function fromAddress() {
    // A link to a section of the page.
    if (location.hash && !location.hash.includes("=")) {
      writeAddress();
      return;
    }
    const { changes, unknown } = changesOf(location.hash);
    if (hashOf(changes) === hashOf(chosen) && !unknown) return;
    choose(changes);
    if (unknown) note.textContent = `${unknown} of the changes in the address ${unknown === 1 ? "doesn't" : "don't"} fit this case and ${unknown === 1 ? "was" : "were"} left out.`;
  }
  async function begin() {
    ({ data, plan } = await planner.load());
    const hasConcern = data.countriesOfConcern.length > 0;
    if (!hasConcern) COLORS[2][1] = "bought";
    const legend = make("p", { class: "legend" }, ...COLORS.slice(hasConcern ? 0 : 2).map(([color, name]) => make("span", {}, make("i", { class: color }), name[0].toUpperCase() + name.slice(1))));
    addExamples();
    addMaterials();
    const line = make("p", { "data-input": true }, "The same on the command line: ", commandLine);
    place.replaceChildren(answer, examples, addPicker(), note, rows, make("h3", {}, "Materials"), legend, materials, tables, line);
    const original = make("details", {}, make("summary", {}, "Original plan, as a document"));
    const section = document.getElementById("original-plan").parentElement;
    section.replaceWith(original);
    original.append(section);
    dispatchEvent(new Event("scroll"));  // the table of contents marks the current section
    const solver = planner.start();
    show(plan, chosen);
    showControls();
    await painted();
    addEventListener("hashchange", fromAddress);
    fromAddress();
    await solver;
    isLoading = false;
    if (!chosen.length) show(plan, chosen);
    await update();
  }
  // Lets the browser show the original plan before the solver takes the processor.
  const painted = () => new Promise((resolve) => setTimeout(resolve));

  place.textContent = "Loading. The original plan is below.";
  const ready = begin().catch((error) => {
    isLoading = false;
    if (data) show(plan, chosen = committed = []);
    else place.textContent = "";
    place.prepend(make("p", { class: "note" }, `This browser can't plan again: ${error.message}. The page shows the original plan.`));
    throw error;
  });
  // For scripts and tests: returns the plan after changes [{kind, name, choice, factor, from}]. `from` is the number of a period.
  window.friendshore = {
    ready,
    ask: async (changes) => {
      await ready;
      const selected = changes.map(({ kind, name, choice = "", factor = 1, from = 0 }) => ({
        lever: data.levers.findIndex((one) => one.kind === kind && one.name === name && one.choice === choice),
        factor,
        from,
      }));
      const subjects = new Set(changes.map(({ kind, name }) => `${kind} ${name}`));
      if (selected.some(({ lever }) => lever < 0) || subjects.size < selected.length || planner.arrange(selected).clash) throw new Error("these changes can't be combined");
      const { objective, spend, seconds, short, bought } = await planner.solve(selected);
      const found = { bought, short };
      return { objective, spend, seconds, concern: concernShares(found), short: Object.fromEntries(short) };
    },
  };
})();
