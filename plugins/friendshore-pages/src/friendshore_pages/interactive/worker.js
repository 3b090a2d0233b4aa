// Worker that solves the programs of the page with HiGHS.
"use strict";
let highs = null;
// Weight of a kilogram moved beside a unit of money for purchases of concern.
const MOVED_KILOGRAM = 1e-3;
// Noise of a reduced cost, as a share of the terms that it sums, and distance from a bound, as in friendshore.solve.steadiest.
const NOISE = 1e-8;
const AT_BOUND = 1e-7;
// Share of a cost by which two computations of it may differ.
const SAME_COST = 1e-9;

async function start(wasm) {
  highs = await Module({
    instantiateWasm(imports, onInstance) {
      WebAssembly.instantiate(wasm, imports).then((result) => onInstance(result.instance, result.module));
      return {};
    },
  });
}

// Returns the optimum and its bound, or null. With integer columns, the best solution within the time limit.
function solveModel(program) {
  const hasIntegers = program.integer && program.integer.length > 0;
  const solver = highs.createModel({
    numCols: program.cost.length,
    numRows: program.rowLower.length,
    colCost: program.cost,
    colLower: program.lower,
    colUpper: program.upper,
    rowLower: program.rowLower,
    rowUpper: program.rowUpper,
    ...(hasIntegers ? { integrality: integrality(program) } : {}),
    matrix: {
      format: "csr",
      numRows: program.rowLower.length,
      numCols: program.cost.length,
      starts: program.starts,
      indices: program.indices,
      values: program.values,
    },
  });
  try {
    solver.options.set({ output_flag: false });
    if (hasIntegers) solver.options.set({ mip_rel_gap: program.gap, mip_abs_gap: 0, time_limit: program.seconds });
    solver.run();
    const { optimal, timeLimit } = highs.constants.modelStatus;
    const status = solver.getModelStatus();
    if (status !== optimal && !(hasIntegers && status === timeLimit)) return null;
    const solution = solver.getSolution();
    const values = Float64Array.from(solution.colValue);
    const duals = hasIntegers ? null : Float64Array.from(solution.rowDual);
    const objective = solver.getObjectiveValue();
    if (!Number.isFinite(objective)) return null;
    return { objective, values, duals, bound: hasIntegers ? Math.min(objective, solver.info.get("mip_dual_bound")) : objective };
  } finally {
    solver.dispose();
  }
}

function integrality(program) {
  const flags = new Int32Array(program.cost.length);
  for (const column of program.integer) flags[column] = 1;
  return flags;
}

// Returns the program with its integers fixed at rounded values, which removes the solver's integer tolerance.
function withFixedIntegers(program, solution) {
  if (!program.integer.length) return program;
  const lower = Float64Array.from(program.lower);
  const upper = Float64Array.from(program.upper);
  for (const column of program.integer) lower[column] = upper[column] = Math.round(solution.values[column]);
  return { ...program, lower, upper, integer: [] };
}

// Returns the program with only its cheapest solutions: columns with a reduced cost stay at their bound, and rows with a dual become equations.
function onlyCheapest(program, { values: solution, duals }) {
  const { cost, starts, indices, values } = program;
  const [lower, upper, rowLower, rowUpper] = [program.lower, program.upper, program.rowLower, program.rowUpper].map((all) => Float64Array.from(all));
  const reduced = Float64Array.from(cost);
  const noise = cost.map((one) => 1 + Math.abs(one));
  const eachEntry = (act) => rowLower.forEach((_, row) => {
    for (let i = starts[row]; i < starts[row + 1]; i += 1) act(row, indices[i], values[i]);
  });
  eachEntry((row, column, value) => {
    reduced[column] -= value * duals[row];
    noise[column] += Math.abs(value * duals[row]);
  });
  const isBinding = new Set();
  eachEntry((row, column, value) => {
    if (Math.abs(value * duals[row]) > NOISE * noise[column]) isBinding.add(row);
  });
  const fix = (low, high, i, sign, value) => {
    const bound = sign > 0 ? low[i] : high[i];
    if (Math.abs(value - bound) <= AT_BOUND * Math.max(1, Math.abs(value))) low[i] = high[i] = bound;
  };
  reduced.forEach((one, i) => Math.abs(one) > NOISE * noise[i] && fix(lower, upper, i, one, solution[i]));
  const activity = new Float64Array(rowLower.length);
  eachEntry((row, column, value) => (activity[row] += value * solution[column]));
  for (const row of isBinding) fix(rowLower, rowUpper, row, duals[row], activity[row]);
  return { ...program, lower, upper, rowLower, rowUpper };
}

// Returns the solution of equal cost that spends least on countries of concern, as friendshore plan does, and then differs least from the plan.
// Extra columns measure kilograms above and below each purchase of the plan.
function closestToPlan(program, solution) {
  const { bought, before, concern, cash } = program;
  const cheapest = onlyCheapest(program, solution);
  const columns = program.cost.length;
  const starts = Array.from(program.starts);
  const indices = Array.from(program.indices);
  const values = Array.from(program.values);
  const columnsByPurchase = before.map(() => []);
  for (const [column, purchase] of bought) columnsByPurchase[purchase].push(column);
  columnsByPurchase.forEach((own, purchase) => {
    for (const column of own) {
      indices.push(column);
      values.push(1);
    }
    indices.push(columns + 2 * purchase, columns + 2 * purchase + 1);
    values.push(-1, 1);
    starts.push(indices.length);
  });
  // Money that surely depends on them counts slightly more than money that may.
  const goal = new Float64Array(columns);
  for (const [column, dependence] of concern) goal[column] = cash[column] * (dependence === 2 ? 1.01 : 1);
  const more = new Float64Array(2 * before.length);
  const joined = (one, other) => Float64Array.from([...one, ...other]);
  return solveModel({
    cost: joined(goal, more.map(() => MOVED_KILOGRAM)),
    lower: joined(cheapest.lower, more),
    upper: joined(cheapest.upper, more.map(() => Infinity)),
    rowLower: joined(cheapest.rowLower, before),
    rowUpper: joined(cheapest.rowUpper, before),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  });
}

function solve(program) {
  const solution = solveModel(program);
  if (solution === null) return null;
  const linear = withFixedIntegers(program, solution);
  const optimum = program.integer.length ? solveModel(linear) || solution : solution;
  const closest = optimum.duals && closestToPlan(linear, optimum);
  const costs = closest ? program.cost.reduce((sum, cost, i) => sum + cost * closest.values[i], 0) : Infinity;
  const isAsCheap = costs - optimum.objective <= SAME_COST * Math.max(1, Math.abs(optimum.objective));
  const values = isAsCheap ? closest.values.slice(0, program.cost.length) : optimum.values;
  return { objective: optimum.objective, bound: Math.min(solution.bound, optimum.objective), values };
}

onmessage = async ({ data }) => {
  try {
    if (data.wasm) {
      await start(data.wasm);
      postMessage({ ready: true });
    } else {
      const startTime = performance.now();
      const answer = solve(data.request);
      postMessage({ number: data.number, answer, seconds: (performance.now() - startTime) / 1000 });
    }
  } catch (error) {
    postMessage({ number: data.number, failed: String(error) });
  }
};
