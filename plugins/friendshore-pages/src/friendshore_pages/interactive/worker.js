// Plans anew, away from the page: HiGHS is asked for the optimum of the numbers that the page sends.
"use strict";
let highs = null;

async function start(wasm) {
  highs = await Module({
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(wasm, imports).then((made) => done(made.instance, made.module));
      return {};
    },
  });
}

// The optimum, or with integer columns the best that is found in time, and what no solution can be below.
function planned(asked) {
  const whole = asked.integer && asked.integer.length > 0;
  const model = highs.createModel({
    numCols: asked.cost.length,
    numRows: asked.rowLower.length,
    colCost: asked.cost,
    colLower: asked.lower,
    colUpper: asked.upper,
    rowLower: asked.rowLower,
    rowUpper: asked.rowUpper,
    ...(whole ? { integrality: marked(asked) } : {}),
    matrix: {
      format: "csr",
      numRows: asked.rowLower.length,
      numCols: asked.cost.length,
      starts: asked.starts,
      indices: asked.indices,
      values: asked.values,
    },
  });
  try {
    model.options.set({ output_flag: false });
    if (whole) model.options.set({ mip_rel_gap: asked.gap, mip_abs_gap: 0, time_limit: asked.seconds });
    model.run();
    const { optimal, timeLimit } = highs.constants.modelStatus;
    const status = model.getModelStatus();
    if (status !== optimal && !(whole && status === timeLimit)) return null;
    const values = Float64Array.from(model.getSolution().colValue);
    const objective = model.getObjectiveValue();
    if (!Number.isFinite(objective)) return null;
    return { objective, values, bound: whole ? Math.min(objective, model.info.get("mip_dual_bound")) : objective };
  } finally {
    model.dispose();
  }
}

function marked(asked) {
  const found = new Int32Array(asked.cost.length);
  for (const column of asked.integer) found[column] = 1;
  return found;
}

// The same program with what was decided in whole numbers kept, without the tolerance that a solver has for these.
function kept(asked, found) {
  if (!asked.integer.length) return asked;
  const lower = Float64Array.from(asked.lower);
  const upper = Float64Array.from(asked.upper);
  for (const column of asked.integer) lower[column] = upper[column] = Math.round(found.values[column]);
  return { ...asked, lower, upper, integer: [] };
}

// Of all plans that cost as little, the one that buys least else than the plan does: kilograms more and less of every offer are columns of their own.
function nearest(asked, found) {
  const { bought, before } = asked;
  const columns = asked.cost.length;
  const scale = 1e6 / Math.max(1, Math.abs(found.objective));
  const starts = Array.from(asked.starts);
  const indices = Array.from(asked.indices);
  const values = Array.from(asked.values);
  asked.cost.forEach((cost, column) => {
    if (cost) {
      indices.push(column);
      values.push(cost * scale);
    }
  });
  starts.push(indices.length);
  const of = before.map(() => []);
  bought.of.forEach((group, i) => of[group].push(bought.columns[i]));
  of.forEach((own, group) => {
    for (const column of own) {
      indices.push(column);
      values.push(1);
    }
    indices.push(columns + 2 * group, columns + 2 * group + 1);
    values.push(-1, 1);
    starts.push(indices.length);
  });
  const more = new Float64Array(2 * before.length);
  const joined = (one, other) => Float64Array.from([...one, ...other]);
  return planned({
    cost: joined(new Float64Array(columns), more.map(() => 1)),
    lower: joined(asked.lower, more),
    upper: joined(asked.upper, more.map(() => Infinity)),
    rowLower: joined(asked.rowLower, [-Infinity, ...before]),
    rowUpper: joined(asked.rowUpper, [found.objective * scale + 1e-3, ...before]),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  });
}

function solve(asked) {
  const found = planned(asked);
  if (found === null) return null;
  const linear = kept(asked, found);
  const exact = asked.integer.length ? planned(linear) || found : found;
  const near = nearest(linear, exact);
  const values = near ? near.values.slice(0, asked.cost.length) : exact.values;
  return { objective: exact.objective, bound: Math.min(found.bound, exact.objective), values };
}

onmessage = async ({ data }) => {
  try {
    if (data.wasm) {
      await start(data.wasm);
      postMessage({ ready: true });
    } else {
      const began = performance.now();
      const answers = data.asked.map(solve);
      postMessage({ number: data.number, answer: { answers, seconds: (performance.now() - began) / 1000 } });
    }
  } catch (error) {
    postMessage({ number: data.number, failed: String(error) });
  }
};
