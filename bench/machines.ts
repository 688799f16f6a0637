/**
 * Redis, a server and three trainers, while trainers are killed and cut off, Redis is killed and the server is killed:
 *
 *     node dist/bench/machines.js --out results/machines.json
 *     node dist/bench/machines.js --experiments 6 --epochs 2 --cuts 20,10 --kills 1 --redis-kills 1 --server-kills 1 --gap 5
 *
 * Every event that a client got must be stored as it was sent, the numbers must have no gap, no attempt may say something
 * after the next one has begun, and the files of each experiment must be those of the same training left alone, to the
 * last bit. Ends with 1 otherwise. The trainers are processes of this machine, each behind wires of its own.
 */
import { parseArgs } from 'node:util';
import { runMachines } from './machines-run.js';
import { describeRun, reportResults } from './run-record.js';

const { values } = parseArgs({
  options: {
    experiments: { type: 'string', default: '20' },
    seeds: { type: 'string', default: '5' },
    epochs: { type: 'string', default: '10' },
    trainers: { type: 'string', default: '3' },
    cuts: { type: 'string', default: '300,60,60,10,10,10' },
    kills: { type: 'string', default: '8' },
    'redis-kills': { type: 'string', default: '4' },
    'server-kills': { type: 'string', default: '4' },
    gap: { type: 'string', default: '14' },
    limit: { type: 'string', default: '1200' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const run = describeRun();
const start = performance.now();
const options = {
  seed: Number(values.seed),
  experiments: Number(values.experiments),
  seeds: Number(values.seeds),
  epochs: Number(values.epochs),
  trainers: Number(values.trainers),
  cutSeconds: values.cuts.split(',').filter(Boolean).map(Number),
  trainerKills: Number(values.kills),
  redisKills: Number(values['redis-kills']),
  serverKills: Number(values['server-kills']),
  gapSeconds: Number(values.gap),
  limitSeconds: Number(values.limit),
};
const report = await runMachines({ ...options, log: (line) => console.log(line) });
const seconds = Math.round((performance.now() - start) / 1000);
reportResults({ ...run, seconds, options, ...report }, values.out);
process.exit(report.violations.length > 0 ? 1 : 0);
