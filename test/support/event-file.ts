/** Reads TensorBoard's event files: a decoder of its own, which knows nothing of the encoder. */
import assert from 'node:assert/strict';
import { crc32c } from '../../src/interchange/tf-record.js';

export interface DecodedEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  /** It begins anew at this step. */
  readonly isStart: boolean;
  readonly scalars: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, string>>;
}

export function decodeEventFile(bytes: Buffer): DecodedEvent[] {
  const events: DecodedEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.equal(unmask(bytes.readUInt32LE(at + 8)), crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(unmask(bytes.readUInt32LE(at + 12 + length)), crc32c(data));
    events.push(decodeEvent(data));
    at += length + 16;
  }
  return events;
}

/** The points that a reader keeps: what was logged at or after the step of a later start is forgotten. */
export function scalarsOf(events: readonly DecodedEvent[]): Record<string, [number, number][]> {
  const kept: Record<string, [number, number][]> = {};
  for (const { step, isStart, scalars } of events) {
    if (isStart) for (const tag of Object.keys(kept)) kept[tag] = kept[tag]!.filter(([at]) => at < step);
    for (const [tag, value] of Object.entries(scalars)) {
      kept[tag] ??= [];
      kept[tag].push([step, value]);
    }
  }
  return kept;
}

type Field = { readonly number: number; readonly value: number | Buffer };

function decodeEvent(data: Buffer): DecodedEvent {
  const fields = fieldsOf(data);
  const event = { wallTime: 0, step: 0, isStart: false, scalars: {}, texts: {} };
  const decoded: DecodedEvent & { fileVersion?: string } = event;
  for (const { number, value } of fields) {
    if (number === 1) event.wallTime = (value as Buffer).readDoubleLE();
    if (number === 2) event.step = value as number;
    if (number === 3) decoded.fileVersion = String(value);
    if (number === 7) event.isStart = fieldsOf(value as Buffer)[0]?.value === 1;
    if (number === 5) for (const each of fieldsOf(value as Buffer)) addValue(event, each.value as Buffer);
  }
  return decoded;
}

function addValue(
  event: { scalars: Record<string, number>; texts: Record<string, string> },
  data: Buffer,
): void {
  const fields = new Map(fieldsOf(data).map(({ number, value }) => [number, value]));
  const tag = String(fields.get(1));
  if (fields.has(2)) event.scalars[tag] = (fields.get(2) as Buffer).readFloatLE();
  if (fields.has(8)) {
    const text = fieldsOf(fields.get(8) as Buffer).find(({ number }) => number === 8);
    event.texts[tag] = String(text?.value);
  }
}

/** Numbers of varints; bytes of everything else. */
function fieldsOf(data: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = data[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) {
      fields.push({ number: Math.floor(key / 8), value: varint() });
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : varint();
    fields.push({ number: Math.floor(key / 8), value: data.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated << 15) | (rotated >>> 17)) >>> 0;
}
