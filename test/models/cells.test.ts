/** What every cell has to be as part of a language model, whatever goes on inside. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CheckpointFolder } from '../../src/checkpoints/checkpoint-folder.js';
import { describeModel, openModel } from '../../src/checkpoints/model-folder.js';
import { parseVocabularyLines } from '../../src/checkpoints/pytorch-vocabulary.js';
import { type CellConfig, ModelConfig } from '../../src/contracts/model.js';
import { OptimizerConfig, TrainingConfig } from '../../src/contracts/training.js';
import { generateText } from '../../src/generation/generate-text.js';
import { GenerationEngine } from '../../src/generation/generation-engine.js';
import { TextWriting } from '../../src/generation/text-writing.js';
import { createCell } from '../../src/models/create-cell.js';
import { createModel } from '../../src/models/create-model.js';
import type { Objective, TokenBatch } from '../../src/models/language-model.js';
import type { State } from '../../src/models/state.js';
import { createOptimizer } from '../../src/training/create-optimizer.js';
import { trainStep } from '../../src/training/train-step.js';
import { KERNELS, onKernels, testKernels, useBackend } from '../support/backend.js';
import { CELL_CONFIGS } from '../support/cells.js';
import { drawnIds } from '../support/drawn.js';
import { checkParameterGradient } from '../support/gradient-check.js';
import { MemorySink } from '../support/memory-sink.js';
import { temporaryFolder } from '../support/service.js';
import { expectNoTensorLeak } from '../support/tensor-leak.js';
import { eventsOf, trainTiny } from '../support/tiny-training.js';

const VOCABULARY = 11;
const BATCH: TokenBatch = {
  inputs: drawnIds(12, 1, VOCABULARY),
  targets: drawnIds(12, 2, VOCABULARY),
  time: 3,
  batchSize: 4,
};
const OBJECTIVE: Objective = {
  gradientScale: 1 / 12,
  activationRegularization: 2,
  temporalActivationRegularization: 1,
};
const PLAIN: Objective = {
  gradientScale: 1 / 12,
  activationRegularization: 0,
  temporalActivationRegularization: 0,
};

/** Two layers, tied, every kind of dropout. */
function configOf(cell: CellConfig): ModelConfig {
  return ModelConfig.parse({
    cell,
    embeddingSize: 6,
    hiddenSizes: [7, 6],
    tieWeights: true,
    initialization: 'uniform',
    initializationRange: 0.5,
    dropout: {
      kind: 'variational',
      embedding: 0.2,
      input: 0.2,
      hidden: 0.2,
      output: 0.2,
      recurrentWeights: 0.3,
    },
  });
}

function modelOf(cell: CellConfig) {
  const options = { kernels: testKernels(), seed: 7, precision: 'float32' } as const;
  return createModel(configOf(cell), VOCABULARY, options);
}

for (const cell of CELL_CONFIGS) {
  describe(`a language model of cells ${JSON.stringify(cell)}`, () => {
    useBackend();

    for (const kernels of KERNELS) {
      it(`has the numeric gradient, with every kind of dropout, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () => {
          const model = modelOf(cell);
          const loss = () => {
            model.random.counter = 0;
            model.putState(null);
            const losses = model.accumulateGradients(BATCH, PLAIN);
            for (const parameter of model.parameters) parameter.clearGradient();
            return losses.reduce((sum, value) => sum + value / 12, 0);
          };
          for (const parameter of model.parameters) {
            model.random.counter = 0;
            model.putState(null);
            model.accumulateGradients(BATCH, PLAIN);
            for (const other of model.parameters) if (other !== parameter) other.clearGradient();
            checkParameterGradient(parameter, loss, { samples: 12 });
          }
          model.dispose();
        }));

      it(`leaks no tensor, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, () =>
          expectNoTensorLeak(() => {
            const model = modelOf(cell);
            for (let step = 0; step < 3; step++) {
              model.accumulateGradients(BATCH, OBJECTIVE);
              for (const parameter of model.parameters) parameter.clearGradient();
            }
            model.losses(BATCH);
            model.nextLogits(Int32Array.of(1, 2, 3, 4)).dispose();
            model.nextTokens(Int32Array.of(1, 2, 3, 4), 3);
            const state = model.takeState()!;
            const chosen = state.gather([2, 0]);
            assert.equal(chosen.streams, 2);
            model.putState(chosen);
            model.nextTokens(Int32Array.of(1, 2), 3);
            state.dispose();
            model.copyWithoutDropout().dispose();
            model.dispose();
          }),
        ));

      it(`ends with the same bytes when its training is interrupted, on ${kernels} kernels`, (context) =>
        onKernels(kernels, context, async () => {
          const { embeddingSize, hiddenSizes, tieWeights, dropout } = configOf(cell);
          const options = {
            model: { cell, embeddingSize, hiddenSizes, tieWeights, dropout },
            optimizer: { type: 'adamw', learningRate: 0.01 },
            training: { epochs: 2, checkpointEvery: 3, variableBptt: true },
          };
          const whole = await trainTiny(options);
          for (const step of [2, 7]) {
            const sink = new MemorySink();
            await trainTiny({ ...options, sink }, (done) => (done === step ? 'pause' : null));
            const rest = await trainTiny({ ...options, sink });
            const [expected, actual] = [whole, rest].map(({ events }) => eventsOf(events, 'succeeded')[0]);
            assert.equal(actual!.digest, expected!.digest, `interrupted after step ${step}`);
            assert.equal(actual!.testLoss, expected!.testLoss);
          }
        }));
    }

    it('learns twenty tokens by heart', () => {
      expectNoTensorLeak(() => {
        const config = ModelConfig.parse({ cell, embeddingSize: 16, hiddenSizes: [24] });
        const kernels = testKernels();
        const model = createModel(config, VOCABULARY, { kernels, seed: 3, precision: 'float32' });
        const optimizer = createOptimizer(
          OptimizerConfig.parse({ type: 'adam', learningRate: 0.02 }),
          kernels,
        );
        const text = drawnIds(21, 5, VOCABULARY);
        const batch = { inputs: text.slice(0, 20), targets: text.slice(1), time: 20, batchSize: 1 };
        let loss = Number.POSITIVE_INFINITY;
        const training = TrainingConfig.parse({ maxGradNorm: 5 });
        for (let step = 0; step < 150; step++) {
          const states: (State | null)[] = []; // the text begins anew
          loss = trainStep({ model, optimizer, training, states }, batch, 0.02).loss / 20;
          states[0]?.dispose();
        }
        assert.ok(loss < 0.05, `${loss} nats per token`);
        optimizer.dispose();
        model.dispose();
      });
    });

    it('shows its channels, and leaves the state that reading leaves', () => {
      expectNoTensorLeak(() => {
        const [seen, plain] = [modelOf(cell), modelOf(cell)];
        const { losses, logits, layers } = seen.inspect(BATCH);
        assert.deepEqual(
          losses.map((loss) => Math.round(loss * 1e5)),
          plain.losses(BATCH).map((loss) => Math.round(loss * 1e5)),
        );
        for (const [index, channels] of layers.entries()) {
          assert.ok(Object.keys(channels).includes('hidden'));
          for (const [name, { shape }] of Object.entries(channels))
            assert.deepEqual(shape, [3, 4, [7, 6][index]], name);
        }
        const states = [seen.takeState()!, plain.takeState()!];
        const [afterInspection, afterReading] = states.map((state) => state.toNumbers());
        afterInspection!.forEach((value, at) => {
          assert.ok(Math.abs(value - afterReading![at]!) < 1e-5);
        });
        const parts = createCell(cell).stateParts;
        assert.deepEqual(
          [...states[0]!.tensors.keys()],
          [0, 1].flatMap((layer) => parts.map((part) => `${layer}.${part}`)),
        );
        for (const state of states) state.dispose();
        logits.dispose();
        for (const channels of layers) for (const tensor of Object.values(channels)) tensor.dispose();
        for (const model of [seen, plain]) model.dispose();
      });
    });

    it('writes texts side by side, to the last bit, as it writes each alone, and opens as it was kept', async (context) => {
      const folder = temporaryFolder(context);
      const words = Array.from({ length: VOCABULARY - 2 }, (_, index) => `w${index}`);
      const tokenizer = parseVocabularyLines(['<unk>', '<eos>', ...words, ''].join('\n'));
      const model = modelOf(cell);
      const engine = new GenerationEngine(model, { streams: 8, promptCacheBytes: 1 << 16 });
      const requests = Array.from({ length: 6 }, (_, seed) => ({
        ...{ prompt: words.slice(0, seed).join(' '), maxTokens: 4 + 3 * seed, seed, stop: [] },
        ...{ temperature: 1.2, topK: seed % 2 === 0 ? 4 : 0, topP: 1, minP: 0 },
        ...{ repetitionPenalty: 1, suppressUnknown: true },
      }));
      const alone = requests.map((request) => generateText(model, tokenizer, request));
      const together = await Promise.all(
        requests.map((request) => engine.run(new TextWriting(tokenizer, request))),
      );
      assert.deepEqual(together, alone);
      engine.dispose();

      const weights = new Map(model.parameters.map(({ name, value }) => [name, value]));
      new CheckpointFolder(folder).saveBestWeights(weights);
      describeModel(
        join(folder, 'model'),
        {
          version: 1,
          model: configOf(cell),
          vocabularySize: VOCABULARY,
          precision: 'float32',
          corpus: 'none',
        },
        tokenizer,
      );
      model.putState(null);
      const losses = model.losses(BATCH);
      const opened = openModel(join(folder, 'model'), testKernels());
      assert.deepEqual(opened.description.model.cell, configOf(cell).cell);
      assert.deepEqual(opened.model.losses(BATCH), losses);
      opened.model.dispose();
      model.dispose();
    });
  });
}
