import type { Provenance } from '../contracts/provenance.js';
import type { QualityFigures } from '../contracts/sample-quality.js';
import type { OptimizerConfig, ScheduleConfig, TrainingConfig } from '../contracts/training.js';
import type { LanguageModel } from '../models/language-model.js';
import type { CheckpointSink } from './checkpoint-sink.js';

/** The sizes of a text that are needed for bits per byte. */
export interface TextSize {
  /** Of its UTF-8. */
  readonly bytes: number;
  /** What it costs to spell its unknown words. */
  readonly hiddenNats: number;
}

/** A text that the model wrote, and how varied it is. */
export interface Sample {
  readonly text: string;
  readonly quality: QualityFigures;
}

/** The dependencies of a trainer. */
export interface TrainerOptions {
  readonly model: LanguageModel;
  readonly optimizer: OptimizerConfig;
  readonly schedule: ScheduleConfig;
  readonly training: TrainingConfig;
  /** Token ids of the splits. */
  readonly splits: { readonly train: Int32Array; readonly valid: Int32Array; readonly test: Int32Array };
  /** Sizes of the text of the splits, for bits per byte; null = these are not measured. */
  readonly textSizes?: { readonly valid: TextSize; readonly test: TextSize } | null;
  readonly sink: CheckpointSink;
  /** The last epoch whose event is stored; later ones that the checkpoint knows are sent again. Default: all are stored. */
  readonly storedEpoch?: number | undefined;
  /** Writes a sample with the model as it is; null = no samples. */
  readonly sample: (() => Sample) | null;
  /** Fraction of the tokens of valid that are `<unk>`, for its record. */
  readonly unknownRate?: number;
  /** What the training runs on, for its record. */
  readonly environment: {
    readonly attempt: number;
    readonly backend: string;
    readonly kernels: string;
    readonly threads: number;
    readonly provenance?: Provenance;
  };
}

export type StopRequest = 'pause' | 'cancel';

/** The result of a run. */
export type TrainerResult =
  | { readonly type: 'succeeded' }
  | { readonly type: 'stopped'; readonly mode: StopRequest };

/** Why a training ended. */
export type EndReason = 'epochs' | 'early-stopping' | 'max-duration' | 'steps';
