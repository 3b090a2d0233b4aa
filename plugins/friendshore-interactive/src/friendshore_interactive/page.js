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
  let situation = 0;
  let plan = null;

  // The numbers of the program of a situation after some levers: [{lever, factor}].
  function moved(of, levers) {
    const base = data.situations[of];
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
    for (const { lever, factor } of levers) {
      const found = base.levers[lever];
      found.positions.forEach((position, i) => {
        let part = firsts.length - 1;
        while (firsts[part] > position) part -= 1;
        const slope = found.slopes[i];
        let by = found.sized ? slope * (factor - 1) : slope;
        if (found.step) by = (Math.round((slope * factor) / found.step) - Math.round(slope / found.step)) * found.step;
        parts[part][position - firsts[part]] += by;
      });
    }
    // In the end: what is gone stays gone, whatever else moves.
    for (const { lever } of levers) for (const column of base.levers[lever].columns) parts[2][column] = 0;
    const [cost, lower, upper, rowLower, rowUpper, values] = parts;
    return {
      ...{ cost, lower, upper, rowLower, rowUpper, values },
      starts: Int32Array.from(base.starts),
      indices: Int32Array.from(base.indices),
      buy: base.buy,
      groups: base.groups,
      before: base.groupNames.map((name) => data.plan.bought[name] || 0),
    };
  }

  function summed(of, asked, answer) {
    const base = data.situations[of];
    const bought = new Map();
    const short = new Map();
    let priced = 0;
    base.buy.forEach((column, i) => {
      const kilograms = answer.values[column];
      const name = base.groupNames[base.groups[i]];
      if (kilograms > 1e-6) bought.set(name, (bought.get(name) || 0) + kilograms);
    });
    for (let i = 0; i < data.demands.length * data.periods; i += 1) {
      const kilograms = answer.values[base.short + i];
      const name = data.demands[Math.floor(i / data.periods)];
      priced += kilograms * asked.cost[base.short + i];
      if (kilograms > data.resolution * 10) short.set(name, (short.get(name) || 0) + kilograms);
    }
    return { bought, short, priced, objective: answer.objective, seconds: answer.seconds };
  }

  async function solved(of, levers) {
    const asked = moved(of, levers);
    count += 1;
    const number = count;
    const answer = await new Promise((resolve, reject) => {
      waiting.set(number, { resolve, reject });
      worker.postMessage({ number, asked });
    });
    if (!answer.optimal) throw new Error("no plan keeps all hard rules after this change");
    return summed(of, asked, answer);
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

  // Whether two levers of a situation do not add up.
  const apart = (of, a, b) => data.situations[of].apart.some(([one, other]) => (one === a && other === b) || (one === b && other === a));

  function clash(lever) {
    const other = chosen.find((one) => apart(situation, lever, one.lever));
    return other === undefined ? "" : data.situations[situation].levers[other.lever].title;
  }

  function told({ lever, factor }) {
    const found = data.situations[situation].levers[lever];
    return found.sized ? `${found.kind} of ${found.name} × ${factor}` : `${found.kind} ${found.name}`;
  }

  function command() {
    const parts = chosen.map(({ lever, factor }) => {
      const found = data.situations[situation].levers[lever];
      return `--change '${found.kind}=${found.name}${found.sized ? `, factor=${factor}` : ""}'`;
    });
    const own = data.situations[situation].change;
    if (own) parts.unshift(`--change '${own}'`);
    return `friendshore plan ${data.case} ${parts.join(" ")}`;
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
      heads.forEach((text, i) => head.append(make("th", text, { scope: "col", class: i ? "figure" : "" })));
      const body = element.createTBody();
      for (const row of rows) {
        const line = body.insertRow();
        row.forEach((text, i) => line.append(make(i ? "td" : "th", text, i ? { class: "figure" } : { scope: "row" })));
      }
      scroll.append(element);
      results.append(scroll);
    };
    const line = (name, get) => [name, money(get(from)), money(get(now)), signed(get(now) - get(from))];
    table(`Money, ${data.currency}, discounted`, ["what", "the plan", "after the changes", "difference"], [
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
      if (rows.length) table(caption, ["what", "the plan", "after the changes", "difference"], rows);
    };
    kilograms("What is bought more or less", (one) => one.bought);
    kilograms("What is short more or less", (one) => one.short);
    if (now !== plan) results.append(make("p", "Of all plans that cost as little, this one buys least else than the plan does.", { class: "aside" }));
    const how = make("p", "The same with the command line: ");
    how.append(make("code", command()));
    results.append(how);
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
      const now = chosen.length || situation ? await solved(situation, chosen) : plan;
      status.textContent = chosen.length || situation ? `Planned anew in ${now.seconds.toFixed(2)} s.` : "This is the plan, nothing changed.";
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
    const label = (text, element) => {
      const made = make("label", `${text} `);
      made.append(element);
      form.append(made);
      return element;
    };
    const rules = make("select");
    data.situations.forEach((one, i) => rules.append(make("option", one.title, { value: i })));
    if (data.situations.length > 1) label("Rules", rules);
    const kind = label("Change", make("select"));
    const name = label("of", make("input", "", { list: "lever-names", autocomplete: "off", size: 34 }));
    const names = make("datalist", "", { id: "lever-names" });
    const factor = label("to", make("input", "", { type: "number", value: 150, min: 0, max: 100000, step: "any", size: 6 }));
    const unit = make("span", "% of what it is ");
    form.append(names, unit, make("button", "Plan anew", { type: "submit" }));
    const words = { price: "the price", capacity: "the capacity", demand: "the demand", remove: "take away", disable: "switch off the rule" };
    const fill = () => {
      const levers = data.situations[situation].levers;
      const kinds = Object.keys(words).filter((one) => levers.some((lever) => lever.kind === one));
      const before = kind.value;
      kind.replaceChildren(...kinds.map((one) => make("option", words[one], { value: one })));
      if (kinds.includes(before)) kind.value = before;
      subjects();
    };
    const subjects = () => {
      const own = data.situations[situation].levers.filter((lever) => lever.kind === kind.value);
      names.replaceChildren(...own.map((lever) => make("option", lever.title, { value: lever.name })));
      const sized = own.length > 0 && own[0].sized;
      factor.parentElement.hidden = !sized;
      unit.hidden = !sized;
      name.value = "";
    };
    kind.addEventListener("change", subjects);
    rules.addEventListener("change", () => {
      situation = Number(rules.value);
      chosen = [];
      fill();
      answer().catch(() => {});
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const lever = data.situations[situation].levers.findIndex((one) => one.kind === kind.value && one.name === name.value);
      if (lever < 0) {
        status.textContent = `Nothing here is called “${name.value}”: choose from the list.`;
        return;
      }
      if (factor.value === "" || Number(factor.value) < 0) {
        status.textContent = "Say how much: a percentage, zero or more.";
        return;
      }
      chosen = chosen.filter((one) => one.lever !== lever);
      const against = clash(lever);
      if (against) {
        status.textContent = `Not together with “${against}”: what the two do does not add up. Take that back first, or ask the command line.`;
        return;
      }
      chosen.push({ lever, factor: Number(factor.value) / 100 });
      answer().catch(() => {});
    });
    fill();
    place.append(form, list, status, results);
  }

  async function begin() {
    data = await unpacked("plan-anew-data").json();
    plan = { ...data.plan, bought: new Map(Object.entries(data.plan.bought)), short: new Map(Object.entries(data.plan.short)) };
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
  // For scripts and tests: what the plan comes to after changes, as [{kind, name, factor}], in a situation by its number.
  window.friendshore = {
    ready,
    ask: async (changes, of = 0) => {
      await ready;
      const levers = changes.map(({ kind, name, factor }) => ({
        lever: data.situations[of].levers.findIndex((one) => one.kind === kind && one.name === name),
        factor,
      }));
      if (levers.some(({ lever }, i) => lever < 0 || levers.slice(i + 1).some((other) => other.lever === lever || apart(of, lever, other.lever))))
        throw new Error("these changes are not offered together");
      const found = await solved(of, levers);
      return { ...found, bought: Object.fromEntries(found.bought), short: Object.fromEntries(found.short) };
    },
  };
})();
