/**
 * A training in TensorBoard's format: the curves of its steps and epochs as scalars, its samples as text. The messages are
 * those of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto; the numbers are their field numbers.
 */
import type { StoredEvent } from '../contracts/events.js';
import { EPOCH_METRICS, STEP_METRICS } from '../contracts/metrics.js';
import { bytesField, doubleField, floatField, integerField } from './protobuf.js';
import { encodeRecord } from './tf-record.js';

const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 } as const;
const TENSOR = { dtype: 1, shape: 2, stringValue: 8 } as const;
const SESSION_LOG = { status: 1 } as const;
/** SessionLog.START: values logged at this step or later are logged again. */
const START = 1;
const DT_STRING = 7;
const FILE_VERSION = 'brain.Event:2';

/** Encodes the events of one experiment, in order, as the records of an event file. */
export class TensorBoardRecords {
  #step = 0;

  /** The first record of a file. @param time ISO 8601 */
  begin(time: string): Buffer {
    return record(time, bytesField(EVENT.fileVersion, FILE_VERSION));
  }

  /** The record of an event; null if it has nothing to plot. */
  encode(event: StoredEvent): Buffer | null {
    const { time } = event;
    switch (event.type) {
      case 'started': {
        const { attempt, resumedFrom } = event.data;
        return attempt === 1 ? null : this.#restart(time, resumedFrom?.step ?? -1);
      }
      case 'rollback':
        return this.#restart(time, event.data.restored.step);
      case 'step': {
        const { data } = event;
        const fields = Object.keys(STEP_METRICS) as (keyof typeof STEP_METRICS)[];
        return this.#summary(
          time,
          data.step,
          fields.flatMap((field) => scalar(`step/${field}`, data[field])),
        );
      }
      case 'epoch': {
        const { data } = event;
        const values = EPOCH_METRICS.flatMap((field) => scalar(`epoch/${field}`, data[field]));
        return this.#summary(time, data.step, values);
      }
      case 'sample':
        return this.#summary(time, this.#step, [text('sample', event.data.text)]);
      case 'succeeded': {
        const { testPerplexity, testBitsPerByte, steps = this.#step } = event.data;
        const values = { testPerplexity, testBitsPerByte };
        return this.#summary(
          time,
          steps,
          Object.entries(values).flatMap(([field, value]) => scalar(`test/${field}`, value)),
        );
      }
      default:
        return null;
    }
  }

  #summary(time: string, step: number, values: readonly Buffer[]): Buffer | null {
    this.#step = step;
    if (values.length === 0) return null;
    return record(time, integerField(EVENT.step, step), bytesField(EVENT.summary, ...values));
  }

  /** The training continues after a step (-1 = from the beginning): TensorBoard discards later values. */
  #restart(time: string, after: number): Buffer {
    this.#step = Math.max(0, after);
    return record(
      time,
      integerField(EVENT.step, after + 1),
      bytesField(EVENT.sessionLog, integerField(SESSION_LOG.status, START)),
    );
  }
}

/** Name of an event file; TensorBoard reads the files of a folder in order of their names. @param seq of its first event */
export function eventFileName(time: string, seq: number): string {
  return `events.out.tfevents.${Math.floor(Date.parse(time) / 1000)}.gatelm.${String(seq).padStart(9, '0')}`;
}

function record(time: string, ...fields: readonly Buffer[]): Buffer {
  return encodeRecord(Buffer.concat([doubleField(EVENT.wallTime, Date.parse(time) / 1000), ...fields]));
}

/** Empty for values that were not measured or not finite. */
function scalar(tag: string, value: number | null): Buffer[] {
  if (value === null) return [];
  return [bytesField(SUMMARY.value, bytesField(VALUE.tag, tag), floatField(VALUE.simpleValue, value))];
}

/** A tensor of one string, marked for the text plugin. */
function text(tag: string, value: string): Buffer {
  const plugin = bytesField(1, bytesField(1, 'text'));
  const shape = bytesField(TENSOR.shape, bytesField(2, integerField(1, 1)));
  const tensor = [integerField(TENSOR.dtype, DT_STRING), shape, bytesField(TENSOR.stringValue, value)];
  return bytesField(
    SUMMARY.value,
    bytesField(VALUE.tag, tag),
    bytesField(VALUE.tensor, ...tensor),
    bytesField(VALUE.metadata, plugin),
  );
}
