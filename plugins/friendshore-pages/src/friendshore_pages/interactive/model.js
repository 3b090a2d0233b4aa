// Programs of the page: changes applied to their numbers, answers of the solver, and dependence of purchases on countries of concern.
"use strict";
const planner = (() => {
  const bytes = (id) => Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const decompressed = (id) => new Response(new Blob([bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip")));
  const MAX_CACHED = 200;
  // Kilograms of a purchase: all, may be of concern, and are of concern. Then the same for money.
  const NOTHING = [0, 0, 0, 0, 0, 0];

  let data = null;
  let solver = null;
  let messages = 0;
  const waiting = new Map();
  const cache = new Map();

  // Effects contain positions, as differences from the previous one, and slopes. A missing slope equals the number itself.
  function decodeEffects(program) {
    const numbers = [program.cost, program.lower, program.upper, program.rowLower, program.rowUpper, program.values].flat();
    for (const [lever, [steps, slopes, step, cashSlopes]] of Object.entries(program.effects)) {
      let position = 0;
      const positions = steps.map((difference) => (position += difference));
      const filled = (values, base) => values.map((slope, i) => (slope === null ? base[positions[i]] : slope));
      program.effects[lever] = { positions, slopes: filled(slopes, numbers), step, cashSlopes: filled(cashSlopes, program.cash) };
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
          return { clash: [one], limits: `From ${100 * data.minFactor} to ${100 * maxFactor}% on this page. For other factors, use the command line.` };
      }
      const effective = others.filter((one) => effects[one.lever] && effects[one.lever].positions.length);
      for (let i = 0; i < effective.length; i += 1)
        for (let j = 0; j < i; j += 1) {
          const pair = [effective[i], effective[j]];
          const isPair = ([a, b]) => a === pair[0].lever && b === pair[1].lever;
          if (exclusive || conflicts.some(([a, b]) => isPair([a, b]) || isPair([b, a]))) return { clash: pair };
        }
    }
    return { programByPart };
  }

  // Returns the numbers of a program after changes: [{lever, factor, from}].
  function changedProgram(number, changes) {
    const base = data.programs[number];
    const bounds = (values, infinite) => Float64Array.from(values, (value) => (value === null ? infinite : value));
    const blocks = [
      Float64Array.from(base.cost),
      bounds(base.lower, -Infinity),
      bounds(base.upper, Infinity),
      bounds(base.rowLower, -Infinity),
      bounds(base.rowUpper, Infinity),
      Float64Array.from(base.values),
    ];
    const cash = Float64Array.from(base.cash);
    const offsets = blocks.map((_, i) => blocks.slice(0, i).reduce((total, block) => total + block.length, 0));
    const lostFrom = new Map();
    for (const { lever, factor, from, hasFactor, kind, offers } of withLevers(changes)) {
      if (kind === "remove") for (const offer of offers) lostFrom.set(offer, from || 0);
      const effect = base.effects[lever];
      if (!effect) continue;
      const times = hasFactor ? factor - 1 : 1;
      effect.positions.forEach((position, i) => {
        let block = offsets.length - 1;
        while (offsets[block] > position) block -= 1;
        const slope = effect.slopes[i];
        const rounded = (kilograms) => Math.round(kilograms / effect.step);
        blocks[block][position - offsets[block]] += effect.step ? (rounded(slope * factor) - rounded(slope)) * effect.step : slope * times;
      });
      effect.cashSlopes.forEach((slope, i) => (cash[effect.positions[i]] += slope * times));
    }
    const [cost, lower, upper, rowLower, rowUpper, values] = blocks;
    // Last, since a lost offer stays lost whatever else changes.
    for (const [column, offer, ordered] of base.lost) if (lostFrom.has(offer) && ordered >= lostFrom.get(offer)) upper[column] = 0;
    for (const column of base.penalties) cash[column] = 0;
    const purchases = [...new Set(base.bought.map(([, purchase]) => purchase))];
    const before = new Map(base.covers.flatMap((part) => data.parts[part].bought.map(([purchase, kilograms]) => [purchase, kilograms])));
    return {
      ...{ cost, lower, upper, rowLower, rowUpper, values, cash },
      starts: Int32Array.from(base.starts),
      indices: Int32Array.from(base.indices),
      integer: base.integer,
      gap: data.gap,
      seconds: data.seconds,
      bought: base.bought.map(([column, purchase]) => [column, purchases.indexOf(purchase)]),
      before: purchases.map((purchase) => before.get(purchase) || 0),
      concern: base.bought.filter(([, , dependence]) => dependence).map(([column, , dependence]) => [column, dependence]),
    };
  }

  // Returns the dependence of each purchase of a program as friendshore.explain.dependence does: 0 is none, 1 may be, 2 is of concern.
  function dependences({ bought, made, lent, makers }, isUsed) {
    const own = bought.map(([, , dependence]) => dependence);
    const drawn = makers.map(() => new Set());
    const draw = (maker) => makers[maker].forEach((pool) => drawn[maker].add(pool));
    const used = bought.map(([column]) => isUsed(column));
    bought.forEach(([, , , , maker, unit], i) => used[i] && maker >= 0 && unit < 0 && draw(maker));
    for (const [column, maker] of made) if (isUsed(column)) draw(maker);
    const drawnByLender = drawn.map((pools) => [...pools]);
    for (const [column, from, to] of lent) if (isUsed(column)) drawnByLender[from].forEach((pool) => drawn[to].add(pool));
    let all = own;
    for (;;) {
      const pools = new Map();
      bought.forEach(([, , , pool], i) => used[i] && pools.set(pool, (pools.get(pool) || new Set()).add(all[i])));
      const ofMix = (mix) => (!mix || Math.max(...mix) === 0 ? 0 : mix.size === 1 && mix.has(2) ? 2 : 1);
      const ofInputs = drawn.map((inputs) => Math.max(0, ...[...inputs].map((pool) => ofMix(pools.get(pool)))));
      const next = bought.map(([, , , , maker], i) => Math.max(all[i], maker < 0 ? 0 : ofInputs[maker]));
      if (next.every((one, i) => one === all[i])) return all;
      all = next;
    }
  }

  // Adds a program's purchases to an answer. Production of several goods is paid for when they are made, and shared by mass.
  function addPurchases(answer, program, cash, values) {
    const isUsed = (column) => values[column] > data.resolution / 2;
    const dependence = dependences(program, isUsed);
    const paid = new Map();
    const kilogramsByUnit = new Map();
    const add = (map, key, amount) => map.set(key, (map.get(key) || 0) + amount);
    for (const [column, , unit] of program.made) add(paid, unit, cash[column] * values[column]);
    for (const [column, , , , , unit] of program.bought) add(kilogramsByUnit, unit, values[column]);
    program.bought.forEach(([column, purchase, , , maker, unit], i) => {
      if (!isUsed(column)) return;
      const kilograms = values[column];
      const share = unit < 0 ? 0 : ((paid.get(unit) || 0) * kilograms) / kilogramsByUnit.get(unit);
      const sums = answer.bought.get(purchase) || [...NOTHING];
      [kilograms, maker < 0 ? 0 : cash[column] * kilograms + share].forEach((amount, j) => {
        sums[3 * j] += amount;
        if (dependence[i]) sums[3 * j + dependence[i]] += amount;
      });
      answer.bought.set(purchase, sums);
    });
  }

  // Returns the plan of all parts that aren't planned again.
  function unchangedParts(programByPart) {
    const answer = { objective: 0, bound: 0, spend: 0, bought: new Map(), short: new Map(), seconds: 0 };
    data.parts.forEach((part, i) => {
      if (programByPart.has(i)) return;
      answer.objective += part.objective;
      answer.bound += part.objective;
      answer.spend += part.spend;
      for (const [purchase, ...sums] of part.bought) answer.bought.set(purchase, sums);
      for (const [name, kilograms] of Object.entries(part.short)) answer.short.set(name, kilograms);
    });
    return answer;
  }

  // Returns the solution of a program after the changes that affect it. Remembers the latest ones.
  function solveProgram(number, changes) {
    const program = data.programs[number];
    const offers = new Set(program.lost.map(([, offer]) => offer));
    const own = withLevers(changes).filter((one) => program.effects[one.lever] || one.offers.some((offer) => offers.has(offer)));
    const key = [number, ...own.map(({ lever, factor, from }) => [lever, factor, from].join("*")).sort()].join(" ");
    const cached = cache.get(key);
    if (cached) return cached;
    const request = changedProgram(number, changes);
    messages += 1;
    const message = messages;
    const solution = solver.then((worker) => new Promise((resolve, reject) => {
      waiting.set(message, { resolve, reject });
      worker.postMessage({ number: message, request });
    })).then(({ answer, seconds }) => ({ answer, seconds, request }));
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value);
    cache.set(key, solution);
    return solution;
  }

  async function solve(changes) {
    const { programByPart, clash } = arrange(changes);
    if (clash) throw new Error("these changes can't be combined");
    const total = unchangedParts(programByPart);
    const numbers = [...new Set(programByPart.values())];
    const solutions = await Promise.all(numbers.map((number) => solveProgram(number, changes)));
    solutions.forEach(({ answer, seconds, request }, i) => {
      if (!answer) throw new Error("no plan satisfies all hard rules after this change");
      const program = data.programs[numbers[i]];
      total.seconds += seconds;
      total.objective += answer.objective + program.constant;
      total.bound += answer.bound + program.constant;
      total.spend += answer.values.reduce((sum, value, column) => sum + value * request.cash[column], program.spendConstant);
      addPurchases(total, program, request.cash, answer.values);
      const shortages = new Map();
      for (const [column, demand] of program.short) shortages.set(demand, (shortages.get(demand) || 0) + answer.values[column]);
      for (const [demand, kilograms] of shortages) if (kilograms > data.resolution * 10) total.short.set(program.demands[demand], kilograms);
    });
    return total;
  }

  // Returns true if the plan costs the same without one of the changes. Undefined if that needs a search.
  async function hasNoEffect(changes, lever) {
    const ways = [changes, changes.filter((one) => one.lever !== lever)];
    const [now, before] = ways.map((way) => arrange(way).programByPart);
    const parts = data.levers[lever].affectedParts.flatMap((part) => data.programs[now.get(part)].covers);
    const numbers = [parts.map((part) => now.get(part)), parts.map((part) => (before.has(part) ? before.get(part) : part))].map((all) => [...new Set(all)]);
    if (numbers.flat().some((number) => data.programs[number].integer.length)) return undefined;
    const costs = [];
    for (const [i, own] of numbers.entries()) {
      const solutions = await Promise.all(own.map((number) => solveProgram(number, ways[i])));
      costs.push(solutions.reduce((total, { answer }, j) => total + (answer ? answer.objective + data.programs[own[j]].constant : Infinity), 0));
    }
    return costs[0] === costs[1] || Math.abs(costs[0] - costs[1]) <= Math.max(0.01, 1e-12 * Math.abs(costs[1]));
  }

  // Returns the case and its plan. They need no solver.
  async function load() {
    data = await decompressed("plan-again-data").json();
    data.programs.forEach(decodeEffects);
    return { data, plan: unchangedParts(new Map()) };
  }

  async function startWorker() {
    const wasm = await decompressed("plan-again-solver").arrayBuffer();
    const code = await decompressed("plan-again-worker").blob();
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data: message }) => (message.failed ? reject(new Error(message.failed)) : resolve());
      worker.onerror = () => reject(new Error("the solver doesn't start in this browser"));
      worker.postMessage({ wasm }, [wasm]);
    });
    worker.onmessage = ({ data: message }) => {
      const { resolve, reject } = waiting.get(message.number);
      waiting.delete(message.number);
      if (message.failed) reject(new Error(message.failed));
      else resolve(message);
    };
    return worker;
  }

  // Starts the solver. Programs wait for it.
  function start() {
    solver = startWorker();
    return solver;
  }

  return { NOTHING, load, start, arrange, solve, hasNoEffect };
})();
