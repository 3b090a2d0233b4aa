// Interactive part of the page: changes, answers, and the effect of each answer on the plan.
"use strict";
(() => {
  const place = document.getElementById("plan-again");
  const bytes = (id) => {
    const text = atob(document.getElementById(id).textContent);
    const decoded = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) decoded[i] = text.charCodeAt(i);
    return decoded;
  };
  const decompressed = (id) =>
    new Response(new Blob([bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip")));
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const bounds = (values, infinite) => Float64Array.from(values, (value) => (value === null ? infinite : value));

  let data = null;
  let worker = null;
  let waiting = new Map();
  let count = 0;
  let chosen = [];
  let plan = null;

  // Effects contain positions, as differences from the previous one, and slopes. A missing slope equals the number itself.
  function decodeEffects(program) {
    const numbers = [program.cost, program.lower, program.upper, program.rowLower, program.rowUpper, program.values].flat();
    for (const [lever, [steps, slopes, step]] of Object.entries(program.effects)) {
      let position = 0;
      const positions = steps.map((difference) => (position += difference));
      program.effects[lever] = { positions, slopes: slopes.map((slope, i) => (slope === null ? numbers[positions[i]] : slope)), step };
    }
  }

  const withLevers = (changes) => changes.map((change) => ({ ...change, ...data.levers[change.lever] }));

  // Returns the program for each part that the changes affect, or two changes that can't be combined and the reason.
  function arrange(changes) {
    const all = withLevers(changes);
    const programByPart = new Map();
    const changeByPart = new Map();
    const losses = all.filter((one) => one.kind === "remove");
    for (const one of losses)
      for (const other of losses)
        if (one !== other && one.offers.some((offer) => other.offers.includes(offer))) return { clash: [one, other], why: "both remove the same offers" };
    for (const one of all)
      for (const program of one.newPrograms)
        for (const part of data.programs[program].covers) {
          if (changeByPart.has(part)) return { clash: [changeByPart.get(part), one] };
          changeByPart.set(part, one);
          programByPart.set(part, program);
        }
    for (const one of all) for (const part of one.affectedParts) if (!programByPart.has(part)) programByPart.set(part, part);
    for (const [part, program] of programByPart) {
      const { effects, conflicts, exclusive, maxFactor } = data.programs[program];
      const owner = changeByPart.get(part);
      const others = all.filter((one) => one.kind !== "remove" && one !== owner && one.affectedParts.includes(part));
      for (const one of others) {
        if (owner && !effects[one.lever]) return { clash: [owner, one] };
        if (one.hasFactor && one.kind !== "price" && (one.factor > maxFactor || one.factor < data.minFactor))
          return { clash: [one], limits: `From ${100 * data.minFactor} to ${100 * maxFactor} % on this page. For other factors, use the command line.` };
      }
      const effective = others.filter((one) => effects[one.lever] && effects[one.lever].positions.length);
      for (let i = 0; i < effective.length; i += 1)
        for (let j = 0; j < i; j += 1) {
          const pair = [effective[i], effective[j]];
          const isPair = ([a, b]) => a === pair[0].lever && b === pair[1].lever;
          if (exclusive || conflicts.some(([a, b]) => isPair([a, b]) || isPair([b, a]))) return { clash: pair };
        }
    }
    return { programByPart, programs: [...new Set(programByPart.values())] };
  }

  // Returns the numbers of a program after changes: [{lever, factor, from}].
  function changedProgram(number, changes) {
    const base = data.programs[number];
    const parts = [
      Float64Array.from(base.cost),
      bounds(base.lower, -Infinity),
      bounds(base.upper, Infinity),
      bounds(base.rowLower, -Infinity),
      bounds(base.rowUpper, Infinity),
      Float64Array.from(base.values),
    ];
    const offsets = [];
    let total = 0;
    for (const part of parts) {
      offsets.push(total);
      total += part.length;
    }
    const lostFrom = new Map();
    for (const { lever, factor, from, hasFactor, kind, offers } of withLevers(changes)) {
      if (kind === "remove") for (const offer of offers) lostFrom.set(offer, Math.min(from || 0, lostFrom.has(offer) ? lostFrom.get(offer) : Infinity));
      const effect = base.effects[lever];
      if (!effect) continue;
      effect.positions.forEach((position, i) => {
        let part = offsets.length - 1;
        while (offsets[part] > position) part -= 1;
        const slope = effect.slopes[i];
        let change = hasFactor ? slope * (factor - 1) : slope;
        if (effect.step) change = (Math.round((slope * factor) / effect.step) - Math.round(slope / effect.step)) * effect.step;
        parts[part][position - offsets[part]] += change;
      });
    }
    // Last, since a lost offer stays lost whatever else changes.
    base.lost.columns.forEach((column, i) => {
      const offer = base.lost.of[i];
      if (lostFrom.has(offer) && base.lost.ordered[i] >= lostFrom.get(offer)) parts[2][column] = 0;
    });
    const [cost, lower, upper, rowLower, rowUpper, values] = parts;
    const before = Object.assign({}, ...base.covers.map((part) => data.parts[part].bought));
    return {
      ...{ cost, lower, upper, rowLower, rowUpper, values },
      starts: Int32Array.from(base.starts),
      indices: Int32Array.from(base.indices),
      integer: base.integer,
      gap: data.gap,
      seconds: data.seconds,
      bought: base.bought,
      before: base.names.map((name) => before[name] || 0),
    };
  }

  // Returns the plan of all parts that aren't planned again.
  function unchangedParts(programByPart) {
    const answer = { objective: 0, bound: 0, priced: 0, bought: new Map(), short: new Map(), seconds: 0 };
    data.parts.forEach((part, i) => {
      if (programByPart.has(i)) return;
      answer.objective += part.objective;
      answer.bound += part.objective;
      answer.priced += part.priced;
      for (const [name, kilograms] of Object.entries(part.bought)) answer.bought.set(name, kilograms);
      for (const [name, kilograms] of Object.entries(part.short)) answer.short.set(name, kilograms);
    });
    return answer;
  }

  const addTo = (map, name, kilograms) => map.set(name, (map.get(name) || 0) + kilograms);

  async function solve(changes) {
    const { programByPart, programs, clash } = arrange(changes);
    if (clash) throw new Error("these changes can't be combined");
    const requests = programs.map((number) => changedProgram(number, changes));
    count += 1;
    const number = count;
    const answer = await new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, requests });
    });
    const total = unchangedParts(programByPart);
    total.seconds = answer.seconds;
    answer.answers.forEach((solution, i) => {
      if (!solution) throw new Error("no plan satisfies all hard rules after this change");
      const { bought, names, short, demands, constant } = data.programs[programs[i]];
      total.objective += solution.objective + constant;
      total.bound += solution.bound + constant;
      bought.columns.forEach((column, j) => {
        if (solution.values[column] > 1e-6) addTo(total.bought, names[bought.of[j]], solution.values[column]);
      });
      const shortages = new Map();
      short.columns.forEach((column, j) => {
        total.priced += solution.values[column] * requests[i].cost[column];
        addTo(shortages, demands[short.of[j]], solution.values[column]);
      });
      for (const [name, kilograms] of shortages) if (kilograms > data.resolution * 10) total.short.set(name, kilograms);
    });
    return total;
  }

  const money = (amount) => {
    const size = Math.abs(amount);
    for (const [unit, word] of [[1e9, " billion"], [1e6, " million"]])
      if (size >= unit) return `${(amount / unit).toPrecision(4)}${word}`;
    return amount.toLocaleString("en-US", { maximumFractionDigits: size < 100 ? 2 : 0 });
  };
  const signed = (amount) => (Math.abs(amount) < 0.005 ? "–" : `${amount > 0 ? "+" : "−"}${money(Math.abs(amount))}`);
  const mass = (kilograms) => {
    const [value, unit] = Math.abs(kilograms) >= 1000 ? [kilograms / 1000, "t"] : [kilograms, "kg"];
    return `${value.toLocaleString("en-US", { maximumSignificantDigits: 4 })} ${unit}`;
  };

  const kindTexts = {
    price: ["price", "Price of"],
    capacity: ["capacity", "Capacity of"],
    demand: ["demand", "Demand"],
    delay: ["start of a capacity", "Start of"],
    later: ["date of a demand", "Date of demand"],
    remove: ["loss", "Without"],
    disable: ["rule off", "Rule off:"],
    enable: ["rule or bill on", "Rule or bill on:"],
    move: ["start of a rule", "Later start of"],
  };

  function describe({ lever, factor, from }) {
    const { kind, name, hasFactor, choice } = data.levers[lever];
    const subject = `${kindTexts[kind][1]} ${name}`;
    if (hasFactor) return `${subject} × ${factor}`;
    if (kind === "remove") return from ? `${subject}, from ${data.periods[from][0]}` : subject;
    return choice ? `${subject}, ${choice}` : subject;
  }

  // Losses come last, since the price of a lost offer can't change.
  function command() {
    const order = [...withLevers(chosen)].sort((one, other) => (one.kind === "remove") - (other.kind === "remove"));
    const parts = order.map((one) => {
      const more = one.hasFactor ? `, factor=${one.factor}` : one.from ? `, from=${data.periods[one.from][1]}` : "";
      return ` --change '${one.optionText}${more}'`;
    });
    return `friendshore plan ${data.case}${parts.join("")}`;
  }

  const status = make("p", "", { role: "status" });
  const list = make("ul", "", { class: "changes" });
  const results = make("div");

  function showAnswer(now, from) {
    results.replaceChildren();
    const table = (caption, heads, rows) => {
      const scroll = make("div", "", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption });
      const element = make("table");
      element.append(make("caption", caption));
      const head = element.createTHead().insertRow();
      heads.forEach((text, i) => head.append(make("th", text, { scope: "col", class: i ? "n" : "" })));
      const body = element.createTBody();
      for (const row of rows) {
        const line = body.insertRow();
        row.forEach((text, i) => line.append(make(i ? "td" : "th", text, i ? { class: "n" } : { scope: "row" })));
      }
      scroll.append(element);
      results.append(scroll);
    };
    const line = (name, get) => [name, money(get(from)), money(get(now)), signed(get(now) - get(from))];
    table(`Money, ${data.currency}, discounted`, ["amount", "plan", "now", "difference"], [
      line("objective", (one) => one.objective),
      line("of which shortage penalty", (one) => one.priced),
      line("spend and penalties", (one) => one.objective - one.priced),
    ]);
    const kilograms = (caption, get) => {
      const names = [...new Set([...get(from).keys(), ...get(now).keys()])].sort();
      const rows = names
        .map((name) => [name, get(from).get(name) || 0, get(now).get(name) || 0])
        .filter(([, before, after]) => Math.abs(after - before) > data.resolution * 100)
        .map(([name, before, after]) => [name, mass(before), mass(after), `${after > before ? "+" : "−"}${mass(Math.abs(after - before))}`]);
      if (rows.length) table(caption, ["name", "plan", "now", "difference"], rows);
    };
    kilograms("Purchases that differ", (one) => one.bought);
    kilograms("Shortages that differ", (one) => one.short);
    if (now !== plan) results.append(make("p", "Among the plans of equal cost, this one changes the purchases least.", { class: "aside" }));
    const how = make("p", "The same on the command line: ");
    how.append(make("code", command()));
    results.append(how);
  }

  // Returns how far an answer with integer decisions may be from the best one.
  function gapText({ objective, bound }) {
    if (!data.programs.some((one) => one.integer.length)) return "";
    const gap = (objective - bound) / Math.max(1, Math.abs(objective));
    return gap <= data.gap ? `, within ${data.gap} of the cheapest` : `; after ${data.seconds} s, a plan up to ${(100 * gap).toPrecision(2)} % cheaper is still possible`;
  }

  async function update() {
    list.replaceChildren();
    chosen.forEach((one, i) => {
      const item = make("li", `${describe(one)} `);
      const away = make("button", "undo", { type: "button", "aria-label": `undo: ${describe(one)}` });
      away.addEventListener("click", () => {
        chosen.splice(i, 1);
        update();
      });
      item.append(away);
      list.append(item);
    });
    status.textContent = "Planning…";
    try {
      const now = chosen.length ? await solve(chosen) : plan;
      status.textContent = chosen.length ? `Planned again in ${now.seconds.toFixed(2)} s${gapText(now)}.` : "This is the plan without changes.";
      showAnswer(now, plan);
      return now;
    } catch (error) {
      results.replaceChildren();
      status.textContent = `Not planned: ${error.message}.`;
      throw error;
    }
  }

  function controls() {
    const form = make("form", "", { class: "levers" });
    const label = (text, element, after = "") => {
      const made = make("label", `${text} `);
      made.append(element, after);
      form.append(made);
      return element;
    };
    const kind = label("Change", make("select"));
    const name = label("of", make("input", "", { list: "lever-names", autocomplete: "off", size: 34 }));
    const names = make("datalist", "", { id: "lever-names" });
    const factor = label("to", make("input", "", { type: "number", value: 150, min: 0, max: 100000, step: "any", size: 6 }), " % of the original");
    const choice = label("when", make("select"));
    const from = label("from", make("select"));
    data.periods.forEach(([text], i) => from.append(make("option", text, { value: i })));
    form.append(names, make("button", "Plan again", { type: "submit" }));
    const kinds = Object.keys(kindTexts).filter((one) => data.levers.some((lever) => lever.kind === one));
    kind.append(...kinds.map((one) => make("option", kindTexts[one][0], { value: one })));
    const own = () => data.levers.filter((lever) => lever.kind === kind.value);
    const choices = () => {
      const found = own().filter((lever) => lever.choice && (!name.value || lever.name === name.value));
      choice.replaceChildren(...[...new Set(found.map((lever) => lever.choice))].map((one) => make("option", one, { value: one })));
      choice.parentElement.hidden = found.length === 0;
    };
    const subjects = () => {
      const titles = new Map(own().map((lever) => [lever.name, lever.title]));
      names.replaceChildren(...[...titles].map(([value, title]) => make("option", title, { value })));
      factor.parentElement.hidden = !own()[0].hasFactor;
      from.parentElement.hidden = kind.value !== "remove";
      name.value = "";
      choices();
    };
    kind.addEventListener("change", subjects);
    name.addEventListener("change", choices);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const alike = (lever) => lever.kind === kind.value && lever.name === name.value;
      const lever = data.levers.findIndex((one) => alike(one) && (!one.choice || one.choice === choice.value));
      if (lever < 0) {
        status.textContent = `Nothing is called “${name.value}”. Choose from the list.`;
        return;
      }
      if (factor.value === "" || Number(factor.value) < 0) {
        status.textContent = "Enter a percentage of zero or more, such as 150.";
        return;
      }
      const other = chosen.filter((one) => !alike(data.levers[one.lever]));
      const next = [...other, { lever, factor: Number(factor.value) / 100, from: kind.value === "remove" ? Number(from.value) : 0 }];
      const { clash, limits, why = "their effects don't add up" } = arrange(next);
      if (clash) {
        const against = clash.find((one) => one.lever !== lever);
        status.textContent = limits || `Can't be combined with “${describe(against)}”: ${why}. Undo that first, or use the command line.`;
        return;
      }
      chosen = next;
      update().catch(() => {});
    });
    subjects();
    place.append(form, list, status, results);
  }

  async function begin() {
    data = await decompressed("plan-again-data").json();
    data.programs.forEach(decodeEffects);
    plan = unchangedParts(new Map());
    const wasm = await decompressed("plan-again-solver").arrayBuffer();
    const code = await decompressed("plan-again-worker").blob();
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data: message }) => (message.failed ? reject(new Error(message.failed)) : resolve());
      worker.onerror = () => reject(new Error("the solver doesn't start in this browser"));
      worker.postMessage({ wasm }, [wasm]);
    });
    worker.onmessage = ({ data: message }) => {
      const { resolve, reject } = waiting.get(message.number);
      waiting.delete(message.number);
      if (message.failed) reject(new Error(message.failed));
      else resolve(message.answer);
    };
    controls();
    await update();
  }

  place.textContent = "";
  const ready = begin().catch((error) => {
    place.append(make("p", `This browser can't plan again: ${error.message}.`));
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
      const hasDuplicates = selected.some(({ lever }, i) => selected.slice(i + 1).some((other) => data.levers[other.lever].kind === data.levers[lever].kind && data.levers[other.lever].name === data.levers[lever].name));
      if (selected.some(({ lever }) => lever < 0) || hasDuplicates || arrange(selected).clash) throw new Error("these changes can't be combined");
      const answer = await solve(selected);
      return { ...answer, bought: Object.fromEntries(answer.bought), short: Object.fromEntries(answer.short) };
    },
  };
})();
