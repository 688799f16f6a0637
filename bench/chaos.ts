/**
 * 50 kills at random moments, of the server and of the training host, while four experiments train:
 *
 *     node dist/bench/chaos.js [KILLS] [SEED] [RESULTS_FILE]
 *
 * Every event that a client got must be stored as it was sent, the numbers must have no gap, no host may outlive its
 * server, and the final weights must be those of the same trainings left alone, to the last bit. Ends with 1 otherwise.
 */
import { runChaos } from './chaos-run.js';
import { describeRun, reportResults } from './run-record.js';

const [kills = '50', seed = '1', resultsFile] = process.argv.slice(2);
const run = describeRun();
const start = performance.now();
const report = await runChaos({
  kills: Number(kills),
  seed: Number(seed),
  experiments: 4,
  maxPauseMs: 4000,
  epochs: 90,
  log: (line) => console.log(line),
});
const results = {
  ...run,
  seed: Number(seed),
  seconds: Math.round((performance.now() - start) / 1000),
  ...report,
};
reportResults(results, resultsFile);
process.exit(report.violations.length > 0 ? 1 : 0);
