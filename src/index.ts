/** The library: all that trains, evaluates and samples, without the server and without the store. */

export { type Batch, BatchIterator, evaluationBatches } from './batches/batch-iterator.js';
export { CheckpointFolder } from './checkpoints/checkpoint-folder.js';
export { describeModel, hasModel, openModel, type TrainedModel } from './checkpoints/model-folder.js';
export {
  exportModelFolder,
  type ImportedModel,
  importPyTorchModel,
  type PyTorchBundle,
  readPyTorchBundle,
  writeImportedModel,
  writePyTorchBundle,
} from './checkpoints/pytorch-bundle.js';
export { exportToPyTorch } from './checkpoints/pytorch-export.js';
export { importFromPyTorch } from './checkpoints/pytorch-import.js';
export { decodeSafetensors, encodeSafetensors, type HostTensor } from './checkpoints/safetensors.js';
export { TokenizerConfig } from './contracts/corpus.js';
export type { TrainingEvent } from './contracts/events.js';
export { ExperimentConfig } from './contracts/experiment-config.js';
export { GenerationRequest } from './contracts/generation.js';
export { ModelConfig } from './contracts/model.js';
export { PRESETS, PresetName } from './contracts/presets.js';
export { OptimizerConfig, ScheduleConfig, TrainingConfig } from './contracts/training.js';
export { assertLongEnough, type Corpus } from './corpora/corpus.js';
export { type LoadCorpusOptions, loadCorpus } from './corpora/load-corpus.js';
export { storeCorpus } from './corpora/store-text.js';
export { AppError, ERROR_CODES, type ErrorCode } from './errors.js';
export { evaluateDynamically, searchDynamicEvaluation } from './evaluation/dynamic-evaluation.js';
export type { DynamicEvaluation } from './evaluation/dynamic-model.js';
export { bitsPerByte, type Evaluation, evaluate } from './evaluation/evaluate.js';
export { GradientStatistics } from './evaluation/gradient-statistics.js';
export { evaluateWithCache, type NeuralCache, searchNeuralCache } from './evaluation/neural-cache.js';
export { scoreText } from './evaluation/score-text.js';
export { generateText, generateTokens, streamText } from './generation/generate-text.js';
export { type EngineLimits, GenerationEngine } from './generation/generation-engine.js';
export { type SamplingOptions, sampleToken } from './generation/sampling.js';
export { type GeneratedText, type TextRequest, TextWriting } from './generation/text-writing.js';
export { type Backend, loadBackend } from './kernels/backend.js';
export { ComposedKernels } from './kernels/composed/composed-kernels.js';
export type { Gradient, Kernels } from './kernels/kernels.js';
export { TimeDropout } from './layers/dropout.js';
export type { Layer, TensorLayer } from './layers/layer.js';
export { GATE_ORDER, lstmCellBackward, lstmCellForward } from './layers/lstm-cell.js';
export { Parameter } from './layers/parameter.js';
export type { RecurrentCell } from './layers/recurrent-cell.js';
export { RecurrentLayer } from './layers/recurrent-layer.js';
export { SoftmaxOutput } from './layers/softmax-output.js';
export { TimeEmbedding } from './layers/time-embedding.js';
export { LSTM } from './layers/time-lstm.js';
export { createModel } from './models/create-model.js';
export { type LanguageModel, parameterCount, type TokenBatch } from './models/language-model.js';
export { State } from './models/state.js';
export { RANDOM_STREAMS, RandomSource } from './tensor/random.js';
export { createTokenizer } from './tokenizers/create-tokenizer.js';
export type { Tokenizer } from './tokenizers/tokenizer.js';
export { parseTokenizerJson } from './tokenizers/tokenizer-json.js';
export type { Vocabulary } from './tokenizers/vocabulary.js';
export type { CheckpointSink } from './training/checkpoint-sink.js';
export { createOptimizer } from './training/create-optimizer.js';
export { clippingScale, gradientNorm } from './training/gradient-norm.js';
export type { Optimizer } from './training/optimizer.js';
export { learningRateFactor } from './training/schedule.js';
export { Trainer } from './training/trainer.js';
export type { TrainerOptions, TrainerResult } from './training/trainer-options.js';
export { weightsDigest } from './training/weights-digest.js';
