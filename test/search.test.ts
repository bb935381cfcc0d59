// Hyperparameter search: what samplers propose, which trials are given up, how results are ranked.
import test from "tape";
import {
  choice, GridSampler, logUniform, MedianPruner, type Point, RandomSearchSampler, search, type SearchSampler, TpeSampler, uniform, wholeNumber,
} from "../training/search/index.js";

const space = { lr: logUniform(1e-4, 1e-1), batch: choice(32, 64), optimizer: choice("sgd", "adam"), layers: wholeNumber(1, 3), drop: uniform(0, 0.5) };

test("a grid proposes every combination once", async (t) => {
  const seen: string[] = [];
  const { trials, best } = await search({
    space: { lr: logUniform(1e-3, 1e-1), optimizer: choice("sgd", "adam"), layers: wholeNumber(1, 2) },
    sampler: new GridSampler(3),
    objective: ({ lr, optimizer, layers }) => {
      seen.push(`${lr.toPrecision(1)} ${optimizer} ${layers}`);
      return lr + layers;
    },
  });
  t.deepEqual(seen.slice(0, 5), ["0.001 sgd 1", "0.001 sgd 2", "0.001 adam 1", "0.001 adam 2", "0.01 sgd 1"], "the last dimension fastest");
  t.deepEqual([seen.length, new Set(seen).size, trials.length], [12, 12, 12]);
  t.deepEqual([best?.params.layers, best?.params.lr, best?.number], [1, 1e-3, 0], "best first; of equals the earlier");
});

test("random points stay in the space and depend on the seed alone", async (t) => {
  const draw = async (seed: number) => {
    const points: Point<typeof space>[] = [];
    await search({ space, sampler: new RandomSearchSampler(seed), trials: 200, objective: (point) => points.push(point) });
    return points;
  };
  const points = await draw(1);
  t.deepEqual(points, await draw(1), "one seed, the same points");
  t.notDeepEqual(points, await draw(2), "another seed, others");
  t.ok(points.every(({ lr, drop, layers }) => lr >= 1e-4 && lr <= 1e-1 && drop >= 0 && drop <= 0.5 && [1, 2, 3].includes(layers)));
  const share = (of: (point: Point<typeof space>) => boolean) => points.filter(of).length / points.length;
  t.ok(Math.abs(share(({ lr }) => lr < Math.sqrt(1e-5)) - 0.5) < 0.1, "half of the learning rates lie below the geometric middle");
  t.ok(Math.abs(share(({ layers }) => layers === 3) - 1 / 3) < 0.1 && Math.abs(share(({ batch }) => batch === 32) - 0.5) < 0.1);
});

/** Least at lr = 3e-3, drop = 0.1, adam, two layers. */
function surface({ lr, drop, optimizer, layers }: Point<typeof space>): number {
  return Math.log10(lr / 3e-3) ** 2 + 4 * (drop - 0.1) ** 2 + (optimizer === "adam" ? 0 : 0.5) + 0.2 * Math.abs(layers - 2);
}

test("TPE finds better points than random search in as many trials", async (t) => {
  const bestOf = async (sampler: SearchSampler) => (await search({ space, sampler, trials: 60, objective: surface })).best?.value ?? NaN;
  const seeds = Array.from({ length: 15 }, (_, seed) => seed);
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
  const tpe = median(await Promise.all(seeds.map((seed) => bestOf(new TpeSampler({ seed }))))), random = median(await Promise.all(seeds.map((seed) => bestOf(new RandomSearchSampler(seed)))));
  t.ok(tpe < 0.5 * random, `median of 15 searches: ${tpe.toPrecision(3)} against ${random.toPrecision(3)}`);
  const same = async () => (await search({ space, sampler: new TpeSampler({ seed: 3 }), trials: 25, objective: surface })).trials.map(({ params }) => params);
  t.deepEqual(await same(), await same(), "one seed, the same search");
});

test("a maximising search ranks the other way round and learns so", async (t) => {
  const { trials, best } = await search({
    space, sampler: new TpeSampler(), trials: 40, direction: "maximize", objective: (point) => -surface(point),
  });
  t.ok((best?.value ?? -Infinity) > -0.3, `best ${best?.value}`);
  t.ok(trials.every(({ value }, i) => i === 0 || (trials[i - 1]?.value ?? NaN) >= (value ?? NaN)), "best first");
});

test("the median pruner gives up what is worse than half of the earlier trials", async (t) => {
  const ran: number[] = [];
  const { trials } = await search({
    space: { loss: choice(5, 4, 3, 2, 9, 1) },
    sampler: new GridSampler(),
    pruner: new MedianPruner({ startupTrials: 4, warmupSteps: 1 }),
    objective: ({ loss }, trial) => {
      for (let epoch = 0; epoch < 4; epoch++) {
        trial.report(epoch, loss / (epoch + 1));
        ran.push(trial.number);
      }
      return loss;
    },
  });
  const epochs = (number: number) => ran.filter((other) => other === number).length;
  t.deepEqual([0, 1, 2, 3, 4, 5].map(epochs), [4, 4, 4, 4, 1, 4], "loss 9 was stopped at its second report; the first four ran whole");
  t.deepEqual(trials.map(({ state, params }) => `${params.loss} ${state}`), ["1", "2", "3", "4", "5"].map((loss) => `${loss} complete`).concat("9 pruned"));
  t.equal(trials.at(-1)?.value, 4.5, "a pruned trial's value is its last report");
});

test("a trial that fails does not end the search", async (t) => {
  const { trials, best } = await search({
    space: { lr: choice(1, 0.1, 0.01) },
    sampler: new GridSampler(),
    objective: ({ lr }) => {
      if (lr === 1) throw new Error("The loss is NaN after step 3.");
      return lr === 0.1 ? NaN : 0.25;
    },
  });
  t.deepEqual(trials.map(({ state, reason }) => [state, reason]), [
    ["complete", undefined], ["failed", "The loss is NaN after step 3."], ["failed", "the objective gave NaN"],
  ]);
  t.equal(best?.params.lr, 0.01);
  const none = await search({ space: { lr: choice(1) }, sampler: new GridSampler(), objective: () => NaN });
  t.equal(none.best, null, "no trial ended: there is no best one");
});

test("a search can be stopped, and says what it cannot do", async (t) => {
  let asked = 0;
  const stopped = await search({ space, sampler: new RandomSearchSampler(), trials: 10, objective: () => 1, shouldStop: () => ++asked > 3 });
  t.equal(stopped.trials.length, 3);
  const message = async (call: () => unknown) => {
    try {
      await call();
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  t.match(await message(() => search({ space: {}, sampler: new GridSampler(), objective: () => 1 })), /empty space/);
  t.match(await message(() => search({ space, sampler: new TpeSampler(), objective: () => 1 })), /no trials; expected a whole number/);
  t.match(await message(() => choice()), /no values/);
  t.match(await message(() => choice(Promise.resolve(1))), /got a Promise; expected values \(await it first\)/);
  t.match(await message(() => logUniform(0, 1)), /begins above 0/);
  t.match(await message(() => uniform(2, 1)), /got 2 to 1/);
  t.match(await message(() => wholeNumber(1, 2.5)), /whole numbers/);
  t.match(await message(() => new GridSampler(0)), /got steps 0; expected a whole number of at least 1/);
  t.match(await message(() => new TpeSampler({ gamma: 1 })), /gamma 1/);
});
