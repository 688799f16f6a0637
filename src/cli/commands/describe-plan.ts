import type { ExperimentConfig } from '../../contracts/experiment-config.js';
import type { ExperimentPlan } from '../../contracts/http.js';
import { duration, integer } from '../progress-display.js';
import { paint } from '../terminal.js';

/** What `train --dry-run` shows; without a server there is no estimate. */
export type Plan = Pick<ExperimentPlan, 'config' | 'warnings'> &
  Partial<Pick<ExperimentPlan, 'estimate' | 'reason'>>;

const LABEL_WIDTH = 11;

/** The choices and the cost of a training, one fact per line. */
export function describePlan({ config, warnings, estimate, reason }: Plan): string {
  const { training, corpus, tokenizer, preset } = config;
  const lines: [string, string][] = [
    ['preset', preset ?? 'none: the defaults of each field'],
    ['corpus', `${corpus}, ${tokenizer.type} tokens`],
    ['model', describeModel(config)],
    ['training', describeTraining(config)],
    ['length', describeLength(training)],
  ];
  if (estimate) {
    const { parameterCount, vocabularySize, trainTokens, measured, memoryBytes } = estimate;
    const size = `${integer(parameterCount)} parameters, a vocabulary of ${integer(vocabularySize)} tokens, ${integer(trainTokens)} training tokens`;
    const speed = measured && `${integer(measured.tokensPerSecond)} tokens/s in a trial run now`;
    lines.push(['size', size]);
    lines.push([
      'speed',
      speed ? `${speed}, ${duration(measured.secondsPerEpoch)} per epoch` : 'not measured',
    ]);
    lines.push(['memory', `${(memoryBytes / 1e9).toFixed(1)} GB`]);
  } else if (reason !== undefined) lines.push(['size', `not estimated: ${reason}`]);
  lines.push(
    ...(config.reasons ?? []).map((why, index): [string, string] => [index === 0 ? 'why' : '', why]),
  );
  const facts = lines.map(([label, value]) => `${paint('dim', label.padEnd(LABEL_WIDTH))}${value}`);
  const warned = warnings.map((warning) => paint('yellow', `! ${warning}`));
  return [...facts, ...warned, 'Nothing was stored or trained. --json prints the complete config.'].join(
    '\n',
  );
}

function describeModel({ model: { cell, hiddenSizes, tieWeights, dropout } }: ExperimentConfig): string {
  const layers = `${hiddenSizes.length} ${hiddenSizes.length === 1 ? 'layer' : 'layers'} of ${hiddenSizes.join(', ')} units`;
  return `${cell.type}, ${layers}, ${tieWeights ? 'tied weights, ' : ''}dropout ${dropout.output}`;
}

function describeTraining({ optimizer, schedule, training, precision }: ExperimentConfig): string {
  const { batchSize, bpttLength, seed } = training;
  return `${optimizer.type} ${optimizer.learningRate}, ${schedule.type}, batches of ${batchSize} × ${bpttLength} tokens, ${precision}, seed ${seed}`;
}

function describeLength({ epochs, timeBudget, maxDuration }: ExperimentConfig['training']): string {
  if (timeBudget !== null) return `as many steps as fit into ${duration(timeBudget)}`;
  const limit = maxDuration === null ? '' : `, at most ${duration(maxDuration)}`;
  return `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}${limit}`;
}
