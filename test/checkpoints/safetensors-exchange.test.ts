/** Files for Python's safetensors and from it, where there is a Python that has it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from '../../src/checkpoints/safetensors.js';

/** A Python that has them: pip install safetensors numpy. */
const python = process.env.GATELM_TEST_PYTHON ?? 'python3';
const found = spawnSync(python, ['-c', 'import safetensors, numpy'], { timeout: 60_000 }).status === 0;
const skip = found
  ? false
  : `${python} has no modules "safetensors" and "numpy" (GATELM_TEST_PYTHON names another Python)`;
const script = join(import.meta.dirname, '../../../test/fixtures/safetensors-exchange.py');

interface Described {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, { dtype: string; shape: number[]; values: string }>>;
}
interface Exchange {
  readonly read: Readonly<Record<string, Described>>;
  readonly written: Readonly<Record<string, Described>>;
}
interface OurFile {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
const tensor = shape.chain((sizes) => {
  const length = sizes.reduce((product, size) => product * size, 1);
  return fc
    .float32Array({ minLength: length, maxLength: length })
    .map((values): HostTensor => ({ shape: sizes, values }));
});
const name = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((each) => each !== '__metadata__'),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    '0',
    'encoder.weight',
    '名前',
    'line\nend',
    'quote"\\',
    '\0',
  ),
);
const ourFile: fc.Arbitrary<OurFile> = fc.record({
  tensors: fc
    .uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 8 })
    .map((entries) => new Map(entries)),
  metadata: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), { maxKeys: 4 }),
});

/** Bytes say more than numbers: −0 and which NaN. */
function bytesOf(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

describe('Python’s safetensors', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatelm-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const ours = new Map(
    fc.sample(ourFile, { numRuns: 200, seed: 4 }).map((file, at) => [`ours-${at}.safetensors`, file]),
  );
  const exchange = () => {
    for (const [fileName, { tensors, metadata }] of ours)
      writeFileSync(join(folder, fileName), encodeSafetensors(tensors, metadata));
    const run = spawnSync(python, [script, folder], { encoding: 'utf8', maxBuffer: 1 << 28 });
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout) as Exchange;
  };

  it('reads what we write, and we read what it writes, bit by bit', () => {
    const { read, written } = exchange();
    assert.deepEqual(Object.keys(read).sort(), [...ours.keys()].sort());
    for (const [fileName, { tensors, metadata }] of ours) {
      const theirs = read[fileName]!;
      assert.deepEqual({ ...theirs.metadata }, { ...metadata }, fileName);
      assert.deepEqual(Object.keys(theirs.tensors).sort(), [...tensors.keys()].sort());
      for (const [key, { shape: sizes, values }] of tensors) {
        const { dtype, ...same } = theirs.tensors[key]!;
        assert.deepEqual([dtype, same], ['float32', { shape: sizes, values: bytesOf(values) }], key);
      }
    }
    assert.ok(Object.keys(written).length >= 3);
    for (const [fileName, theirs] of Object.entries(written)) {
      const file = decodeSafetensors(readFileSync(join(folder, fileName)), fileName);
      assert.deepEqual({ ...file.metadata }, { ...theirs.metadata }, fileName);
      assert.deepEqual([...file.tensors.keys()].sort(), Object.keys(theirs.tensors).sort());
      for (const [key, { shape: sizes, values }] of Object.entries(theirs.tensors)) {
        const own = file.tensors.get(key)!;
        assert.deepEqual([own.shape, bytesOf(own.values)], [sizes, values], `${fileName} ${key}`);
      }
    }
  });
});
