import type { TestContext } from 'node:test';
import { parseEnvironment } from '../../src/contracts/environment.js';
import type { Sweep, SweepTrial } from '../../src/contracts/sweep-view.js';
import { createServices, type Services } from '../../src/experiments/services.js';
import { findSweep } from '../../src/experiments/sweeps/find-sweep.js';
import { viewSweep } from '../../src/experiments/sweeps/view-sweep.js';
import { viewTrials } from '../../src/experiments/sweeps/view-trials.js';
import { cleanUp } from './clean-up.js';
import { FakeInferenceExecutor, FakeTrainingExecutor, type PlayedLoss } from './fake-executor.js';
import { turns } from './turns.js';

/** Turns of the event loop between two looks: a look reads the database. */
const TURNS = 20;
/** Nothing here takes longer, unless it never comes. */
const PATIENCE_MS = 120_000;

export interface SweepServiceOptions {
  readonly dataDir: string;
  readonly loss: PlayedLoss;
  readonly slots?: number;
  readonly maxQueued?: number;
}

/** Services whose trainings play losses, and what a test asks of their sweeps. */
export interface SweepService {
  readonly services: Services;
  readonly training: FakeTrainingExecutor;
  sweep(id: string): Sweep;
  trials(id: string): SweepTrial[];
  /** Settles when the sweep is in a state. */
  reaches(id: string, state: Sweep['state']): Promise<Sweep>;
  /**
   * Settles when a condition holds.
   * @param between turns of the event loop between two looks
   * @throws Error when it does not for two minutes
   */
  until(condition: () => boolean, between?: number): Promise<void>;
}

export function startSweepService(
  test: TestContext,
  { dataDir, loss, slots = 2, maxQueued }: SweepServiceOptions,
): SweepService {
  const training = new FakeTrainingExecutor({ slots, plays: loss });
  const environment = { ...parseEnvironment({}), dataDir, shutdownGraceMs: 0 };
  const services = createServices({
    environment: maxQueued === undefined ? environment : { ...environment, maxQueued },
    trainingExecutor: training,
    inferenceExecutor: new FakeInferenceExecutor(),
  });
  cleanUp(test, () => services.close());
  const { store } = services;
  const service: SweepService = {
    services,
    training,
    sweep: (id) => viewSweep(store, findSweep(store, id)),
    trials: (id) => viewTrials(store, findSweep(store, id)),
    async reaches(id, state) {
      await service.until(() => findSweep(store, id).state === state);
      return service.sweep(id);
    },
    async until(condition, between = TURNS) {
      const giveUpAt = Date.now() + PATIENCE_MS;
      while (!condition()) {
        if (Date.now() > giveUpAt)
          throw new Error(`After ${PATIENCE_MS} ms this is still not so: ${condition}`);
        await turns(between);
      }
    },
  };
  return service;
}
