// The part of the page that plans anew: levers, answers, and what each answer changes in the plan.
"use strict";
(() => {
  const place = document.getElementById("plan-anew");
  const bytes = (id) => {
    const text = atob(document.getElementById(id).textContent);
    const found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
    return found;
  };
  const unpacked = (id) =>
    new Response(new Blob([bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip")));
  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const ends = (values, infinite) => Float64Array.from(values, (value) => (value === null ? infinite : value));

  let data = null;
  let worker = null;
  let waiting = new Map();
  let count = 0;
  let chosen = [];
  let plan = null;

  // Effects are sent as positions, each less the one before it, and slopes; where there is none, it is the number itself.
  function unfolded(program) {
    const numbers = [program.cost, program.lower, program.upper, program.rowLower, program.rowUpper, program.values].flat();
    for (const [lever, [steps, slopes, step]] of Object.entries(program.effects)) {
      let position = 0;
      const positions = steps.map((more) => (position += more));
      program.effects[lever] = { positions, slopes: slopes.map((slope, i) => (slope === null ? numbers[positions[i]] : slope)), step };
    }
  }

  const levers = (some) => some.map((one) => ({ ...one, ...data.levers[one.lever] }));

  // Which program stands for each part that some levers touch; or which two of them do not go together, and why.
  function arranged(some) {
    const all = levers(some);
    const stands = new Map();
    const makers = new Map();
    const losses = all.filter((one) => one.kind === "remove");
    for (const one of losses)
      for (const other of losses)
        if (one !== other && one.offers.some((offer) => other.offers.includes(offer))) return { clash: [one, other], why: "both take the same away" };
    for (const one of all)
      for (const program of one.makes)
        for (const part of data.programs[program].covers) {
          if (makers.has(part)) return { clash: [makers.get(part), one] };
          makers.set(part, one);
          stands.set(part, program);
        }
    for (const one of all) for (const part of one.touches) if (!stands.has(part)) stands.set(part, part);
    for (const [part, program] of stands) {
      const { effects, apart, alone, most } = data.programs[program];
      const maker = makers.get(part);
      const here = all.filter((one) => one.kind !== "remove" && one !== maker && one.touches.includes(part));
      for (const one of here) {
        if (maker && !effects[one.lever]) return { clash: [maker, one] };
        if (one.sized && one.kind !== "price" && (one.factor > most || one.factor < data.least))
          return { clash: [one], limits: `From ${100 * data.least} to ${100 * most} % here: beyond that, ask the command line.` };
      }
      const acting = here.filter((one) => effects[one.lever] && effects[one.lever].positions.length);
      for (let i = 0; i < acting.length; i += 1)
        for (let j = 0; j < i; j += 1) {
          const pair = [acting[i], acting[j]];
          const together = ([a, b]) => a === pair[0].lever && b === pair[1].lever;
          if (alone || apart.some(([a, b]) => together([a, b]) || together([b, a]))) return { clash: pair };
        }
    }
    return { stands, programs: [...new Set(stands.values())] };
  }

  // The numbers of a program after some levers: [{lever, factor, from}].
  function moved(number, some) {
    const base = data.programs[number];
    const parts = [
      Float64Array.from(base.cost),
      ends(base.lower, -Infinity),
      ends(base.upper, Infinity),
      ends(base.rowLower, -Infinity),
      ends(base.rowUpper, Infinity),
      Float64Array.from(base.values),
    ];
    const firsts = [];
    let total = 0;
    for (const part of parts) {
      firsts.push(total);
      total += part.length;
    }
    const gone = new Map();
    for (const { lever, factor, from, sized, kind, offers } of levers(some)) {
      if (kind === "remove") for (const offer of offers) gone.set(offer, Math.min(from || 0, gone.has(offer) ? gone.get(offer) : Infinity));
      const found = base.effects[lever];
      if (!found) continue;
      found.positions.forEach((position, i) => {
        let part = firsts.length - 1;
        while (firsts[part] > position) part -= 1;
        const slope = found.slopes[i];
        let by = sized ? slope * (factor - 1) : slope;
        if (found.step) by = (Math.round((slope * factor) / found.step) - Math.round(slope / found.step)) * found.step;
        parts[part][position - firsts[part]] += by;
      });
    }
    // In the end: what is gone stays gone, whatever else moves.
    base.lost.columns.forEach((column, i) => {
      const offer = base.lost.of[i];
      if (gone.has(offer) && base.lost.ordered[i] >= gone.get(offer)) parts[2][column] = 0;
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

  // All parts that are not planned anew, as they are.
  function untouched(stands) {
    const found = { objective: 0, bound: 0, priced: 0, bought: new Map(), short: new Map(), seconds: 0 };
    data.parts.forEach((part, i) => {
      if (stands.has(i)) return;
      found.objective += part.objective;
      found.bound += part.objective;
      found.priced += part.priced;
      for (const [name, kilograms] of Object.entries(part.bought)) found.bought.set(name, kilograms);
      for (const [name, kilograms] of Object.entries(part.short)) found.short.set(name, kilograms);
    });
    return found;
  }

  const added = (map, name, kilograms) => map.set(name, (map.get(name) || 0) + kilograms);

  async function solved(some) {
    const { stands, programs, clash } = arranged(some);
    if (clash) throw new Error("these changes are not offered together");
    const asked = programs.map((number) => moved(number, some));
    count += 1;
    const number = count;
    const answer = await new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, asked });
    });
    const found = untouched(stands);
    found.seconds = answer.seconds;
    answer.answers.forEach((one, i) => {
      if (!one) throw new Error("no plan keeps all hard rules after this change");
      const { bought, names, short, demands, constant } = data.programs[programs[i]];
      found.objective += one.objective + constant;
      found.bound += one.bound + constant;
      bought.columns.forEach((column, j) => {
        if (one.values[column] > 1e-6) added(found.bought, names[bought.of[j]], one.values[column]);
      });
      const missing = new Map();
      short.columns.forEach((column, j) => {
        found.priced += one.values[column] * asked[i].cost[column];
        added(missing, demands[short.of[j]], one.values[column]);
      });
      for (const [name, kilograms] of missing) if (kilograms > data.resolution * 10) found.short.set(name, kilograms);
    });
    return found;
  }

  const money = (amount) => {
    const size = Math.abs(amount);
    for (const [least, word] of [[1e9, " billion"], [1e6, " million"]])
      if (size >= least) return `${(amount / least).toPrecision(4)}${word}`;
    return amount.toLocaleString("en-US", { maximumFractionDigits: size < 100 ? 2 : 0 });
  };
  const signed = (amount) => (Math.abs(amount) < 0.005 ? "–" : `${amount > 0 ? "+" : "−"}${money(Math.abs(amount))}`);
  const mass = (kilograms) => {
    const [value, unit] = Math.abs(kilograms) >= 1000 ? [kilograms / 1000, "t"] : [kilograms, "kg"];
    return `${value.toLocaleString("en-US", { maximumSignificantDigits: 4 })} ${unit}`;
  };

  const words = {
    price: ["price", "Price of"],
    capacity: ["capacity", "Capacity of"],
    demand: ["demand", "Demand"],
    delay: ["start of a capacity", "Start of"],
    later: ["date of a demand", "Demand"],
    remove: ["loss", "Without"],
    disable: ["rule off", "Switched off:"],
    enable: ["rule or bill on", "Switched on:"],
    move: ["start of a rule", "Later:"],
  };

  function told({ lever, factor, from }) {
    const { kind, name, sized, choice } = data.levers[lever];
    const what = `${words[kind][1]} ${name}`;
    if (sized) return `${what} × ${factor}`;
    if (kind === "remove") return from ? `${what}, from ${data.periods[from][0]}` : what;
    return choice ? `${what}, ${choice}` : what;
  }

  // Losses come last: what is gone has no price that could change.
  function command() {
    const order = [...levers(chosen)].sort((one, other) => (one.kind === "remove") - (other.kind === "remove"));
    const parts = order.map((one) => {
      const more = one.sized ? `, factor=${one.factor}` : one.from ? `, from=${data.periods[one.from][1]}` : "";
      return ` --change '${one.words}${more}'`;
    });
    return `friendshore plan ${data.case}${parts.join("")}`;
  }

  const status = make("p", "", { role: "status" });
  const list = make("ul", "", { class: "changes" });
  const results = make("div");

  function shown(now, from) {
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
    table(`Money, ${data.currency}, discounted`, ["what", "plan", "now", "difference"], [
      line("what is minimised", (one) => one.objective),
      line("of that, shortage at its price", (one) => one.priced),
      line("spent, with penalties", (one) => one.objective - one.priced),
    ]);
    const kilograms = (caption, get) => {
      const names = [...new Set([...get(from).keys(), ...get(now).keys()])].sort();
      const rows = names
        .map((name) => [name, get(from).get(name) || 0, get(now).get(name) || 0])
        .filter(([, before, after]) => Math.abs(after - before) > data.resolution * 100)
        .map(([name, before, after]) => [name, mass(before), mass(after), `${after > before ? "+" : "−"}${mass(Math.abs(after - before))}`]);
      if (rows.length) table(caption, ["what", "plan", "now", "difference"], rows);
    };
    kilograms("What is bought more or less", (one) => one.bought);
    kilograms("What is short more or less", (one) => one.short);
    if (now !== plan) results.append(make("p", "Of all plans that cost as little, this one buys least else than the plan does.", { class: "aside" }));
    const how = make("p", "The same with the command line: ");
    how.append(make("code", command()));
    results.append(how);
  }

  // With integer decisions: how far from the best it may be.
  function near({ objective, bound }) {
    if (!data.programs.some((one) => one.integer.length)) return "";
    const gap = (objective - bound) / Math.max(1, Math.abs(objective));
    return gap <= data.gap ? `, within ${data.gap} of the cheapest` : `; a plan may be cheaper by up to ${(100 * gap).toPrecision(2)} %, which ${data.seconds} s do not settle`;
  }

  async function answer() {
    list.replaceChildren();
    chosen.forEach((one, i) => {
      const item = make("li", `${told(one)} `);
      const away = make("button", "take back", { type: "button", "aria-label": `take back: ${told(one)}` });
      away.addEventListener("click", () => {
        chosen.splice(i, 1);
        answer();
      });
      item.append(away);
      list.append(item);
    });
    status.textContent = "Planning…";
    try {
      const now = chosen.length ? await solved(chosen) : plan;
      status.textContent = chosen.length ? `Planned anew in ${now.seconds.toFixed(2)} s${near(now)}.` : "This is the plan, nothing changed.";
      shown(now, plan);
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
    const factor = label("to", make("input", "", { type: "number", value: 150, min: 0, max: 100000, step: "any", size: 6 }), " % of what it is");
    const choice = label("when", make("select"));
    const from = label("from", make("select"));
    data.periods.forEach(([text], i) => from.append(make("option", text, { value: i })));
    form.append(names, make("button", "Plan anew", { type: "submit" }));
    const kinds = Object.keys(words).filter((one) => data.levers.some((lever) => lever.kind === one));
    kind.append(...kinds.map((one) => make("option", words[one][0], { value: one })));
    const own = () => data.levers.filter((lever) => lever.kind === kind.value);
    const choices = () => {
      const found = own().filter((lever) => lever.choice && (!name.value || lever.name === name.value));
      choice.replaceChildren(...[...new Set(found.map((lever) => lever.choice))].map((one) => make("option", one, { value: one })));
      choice.parentElement.hidden = found.length === 0;
    };
    const subjects = () => {
      const titles = new Map(own().map((lever) => [lever.name, lever.title]));
      names.replaceChildren(...[...titles].map(([value, title]) => make("option", title, { value })));
      factor.parentElement.hidden = !own()[0].sized;
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
        status.textContent = `Nothing here is called “${name.value}”: choose from the list.`;
        return;
      }
      if (factor.value === "" || Number(factor.value) < 0) {
        status.textContent = "Say how much: a percentage, zero or more.";
        return;
      }
      const other = chosen.filter((one) => !alike(data.levers[one.lever]));
      const next = [...other, { lever, factor: Number(factor.value) / 100, from: kind.value === "remove" ? Number(from.value) : 0 }];
      const { clash, limits, why = "what the two do does not add up" } = arranged(next);
      if (clash) {
        const against = clash.find((one) => one.lever !== lever);
        status.textContent = limits || `Not together with “${told(against)}”: ${why}. Take that back first, or ask the command line.`;
        return;
      }
      chosen = next;
      answer().catch(() => {});
    });
    subjects();
    place.append(form, list, status, results);
  }

  async function begin() {
    data = await unpacked("plan-anew-data").json();
    data.programs.forEach(unfolded);
    plan = untouched(new Map());
    const wasm = await unpacked("plan-anew-solver").arrayBuffer();
    const code = await unpacked("plan-anew-worker").blob();
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data: said }) => (said.failed ? reject(new Error(said.failed)) : resolve());
      worker.onerror = () => reject(new Error("the solver does not start in this browser"));
      worker.postMessage({ wasm }, [wasm]);
    });
    worker.onmessage = ({ data: said }) => {
      const { resolve, reject } = waiting.get(said.number);
      waiting.delete(said.number);
      if (said.failed) reject(new Error(said.failed));
      else resolve(said.answer);
    };
    controls();
    await answer();
  }

  place.textContent = "";
  const ready = begin().catch((error) => {
    place.append(make("p", `This browser cannot plan anew here: ${error.message}.`));
    throw error;
  });
  // For scripts and tests: what the plan comes to after changes, as [{kind, name, choice, factor, from}]; `from` is the number of a period.
  window.friendshore = {
    ready,
    ask: async (changes) => {
      await ready;
      const some = changes.map(({ kind, name, choice = "", factor = 1, from = 0 }) => ({
        lever: data.levers.findIndex((one) => one.kind === kind && one.name === name && one.choice === choice),
        factor,
        from,
      }));
      const twice = some.some(({ lever }, i) => some.slice(i + 1).some((other) => data.levers[other.lever].kind === data.levers[lever].kind && data.levers[other.lever].name === data.levers[lever].name));
      if (some.some(({ lever }) => lever < 0) || twice || arranged(some).clash) throw new Error("these changes are not offered together");
      const found = await solved(some);
      return { ...found, bought: Object.fromEntries(found.bought), short: Object.fromEntries(found.short) };
    },
  };
})();
