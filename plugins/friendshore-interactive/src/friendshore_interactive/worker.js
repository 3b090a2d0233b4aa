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

function planned(asked) {
  const model = highs.createModel({
    numCols: asked.cost.length,
    numRows: asked.rowLower.length,
    colCost: asked.cost,
    colLower: asked.lower,
    colUpper: asked.upper,
    rowLower: asked.rowLower,
    rowUpper: asked.rowUpper,
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
    model.run();
    if (model.getModelStatus() !== highs.constants.modelStatus.optimal) return null;
    return { objective: model.getObjectiveValue(), values: Float64Array.from(model.getSolution().colValue) };
  } finally {
    model.dispose();
  }
}

// Of all plans that cost as little, the one that buys least else than the plan does: kilograms more and less of every offer are columns of their own.
function nearest(asked, found) {
  const { groups, buy, before } = asked;
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
  groups.forEach((group, i) => of[group].push(buy[i]));
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
  const began = performance.now();
  const found = planned(asked);
  const near = found && nearest(asked, found);
  const values = near ? near.values.slice(0, asked.cost.length) : found && found.values;
  return { optimal: found !== null, objective: found && found.objective, values, seconds: (performance.now() - began) / 1000 };
}

onmessage = async ({ data }) => {
  try {
    if (data.wasm) {
      await start(data.wasm);
      postMessage({ ready: true });
    } else {
      postMessage({ number: data.number, answer: solve(data.asked) });
    }
  } catch (error) {
    postMessage({ number: data.number, failed: String(error) });
  }
};
