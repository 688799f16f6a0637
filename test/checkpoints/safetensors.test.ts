import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors, type HostTensor } from '../../src/checkpoints/safetensors.js';
import { AppError } from '../../src/errors.js';

/** A file with any header and any data: what a stranger may send. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function refusal(bytes: Buffer): string {
  try {
    decodeSafetensors(bytes, 'f.safetensors');
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, 'checkpoint-corrupt');
    return error.message;
  }
  return assert.fail('it was read');
}

const tensor = fc
  .array(fc.nat(5), { maxLength: 4 })
  .chain((shape) => {
    const size = shape.reduce((product, count) => product * count, 1);
    return fc.tuple(fc.constant(shape), fc.float32Array({ minLength: size, maxLength: size }));
  })
  .map(([shape, values]): HostTensor => ({ shape, values }));
const name = fc.oneof(
  fc.string().filter((one) => one !== '__metadata__'),
  fc.constantFrom('__proto__', 'constructor', '0', '10', '2', 'lstm0.wx', 'ü'),
);
const tensors = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });

describe('safetensors', () => {
  it('gives back what was encoded, bit by bit', () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (list, metadata) => {
        const file = decodeSafetensors(encodeSafetensors(new Map(list), metadata), 'f');
        assert.deepEqual([...file.tensors].sort(byName), [...list].sort(byName));
        assert.deepEqual({ ...file.metadata }, { ...metadata });
      }),
      { numRuns: 300 },
    );
  });

  it('begins its values at a multiple of 8, for whoever maps them', () => {
    fc.assert(
      fc.property(tensors, (list) => {
        const bytes = encodeSafetensors(new Map(list));
        assert.equal(Number(bytes.readBigUInt64LE()) % 8, 0);
      }),
    );
  });

  it('reads the example of the format, written by hand', () => {
    const bytes = fileOf(
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  ',
      new Uint8Array(Float32Array.of(1.5, -2, Number.POSITIVE_INFINITY).buffer),
    );
    const { tensors: read, metadata } = decodeSafetensors(bytes, 'f');
    assert.deepEqual(read.get('a'), { shape: [], values: Float32Array.of(1.5) });
    assert.deepEqual(read.get('b'), { shape: [2, 1], values: Float32Array.of(-2, Number.POSITIVE_INFINITY) });
    assert.deepEqual(metadata, { format: 'pt' });
  });

  it('reads F64, F16 and BF16 as float32', () => {
    const data = Buffer.alloc(8 + 7 * 2 + 3 * 2);
    data.writeDoubleLE(-1.25);
    // 1, -2, 65504 (largest), 2⁻²⁴ (smallest), infinity, not a number, -0
    [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x7e00, 0x8000].forEach((half, i) => {
      data.writeUInt16LE(half, 8 + 2 * i);
    });
    [0x3f80, 0xc020, 0x7f80].forEach((half, i) => {
      data.writeUInt16LE(half, 22 + 2 * i);
    });
    const bytes = fileOf(
      { d: entry('F64', [1], 0, 8), h: entry('F16', [7], 8, 22), b: entry('BF16', [3], 22, 28) },
      data,
    );
    const { tensors: read } = decodeSafetensors(bytes, 'f');
    const infinity = Number.POSITIVE_INFINITY;
    assert.deepEqual([...read.get('d')!.values], [-1.25]);
    assert.deepEqual([...read.get('h')!.values], [1, -2, 65504, 2 ** -24, infinity, Number.NaN, -0]);
    assert.deepEqual([...read.get('b')!.values], [1, -2.5, infinity]);
  });

  it('reads empty tensors wherever they stand', () => {
    const bytes = fileOf(
      {
        full: entry('F32', [1], 0, 4),
        middle: entry('F32', [0, 7], 4, 4),
        start: entry('F32', [0], 0, 0),
        next: entry('F32', [1], 4, 8),
        end: entry('F32', [0], 8, 8),
      },
      Buffer.alloc(8),
    );
    assert.equal(decodeSafetensors(bytes, 'f').tensors.size, 5);
  });

  const eight = Buffer.alloc(8);
  const hostile: [string, Buffer, RegExp][] = [
    ['an empty file', Buffer.alloc(0), /it has 0 bytes/],
    ['half a length', Buffer.alloc(5), /it has 5 bytes/],
    ['a header longer than the file', fileOf('{}').subarray(0, 9), /claims 2 bytes; the file ends before/],
    ['a header of 2⁶⁴ − 1 bytes', Buffer.alloc(16, 0xff), /claims \d+ bytes; at most/],
    ['a header that is not JSON', fileOf('{"a":'), /not a JSON object/],
    ['a header that is a list', fileOf([]), /not a JSON object/],
    ['numbers that are not JSON', fileOf('{"a":{"shape":[NaN]}}'), /not a JSON object/],
    [
      'invalid UTF-8',
      Buffer.concat([fileOf('{"').subarray(0, 8), Buffer.of(0xff, 0xfe)]),
      /not a JSON object/,
    ],
    ['data without a tensor', fileOf({}, eight), /cover 0 bytes of 8/],
    ['an entry that is no object', fileOf({ w: 7 }, eight), /tensor "w" has dtype/],
    ['an unknown dtype', fileOf({ w: entry('I64', [1], 0, 8) }, eight), /"w" has dtype "I64"; read are F32/],
    ['a dtype of the prototype', fileOf({ w: entry('toString', [1], 0, 8) }, eight), /dtype "toString"/],
    ['a negative size', fileOf({ w: entry('F32', [-2], 0, 8) }, eight), /"w" has shape \[-2\]/],
    ['a broken size', fileOf({ w: entry('F32', [2.5], 0, 8) }, eight), /"w" has shape \[2.5\]/],
    ['an endless size', fileOf('{"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', eight), /shape/],
    ['sizes as text', fileOf({ w: entry('F32', ['2'], 0, 8) }, eight), /"w" has shape/],
    ['a shape of a thousand axes', fileOf({ w: entry('F32', Array(1000).fill(1), 0, 4) }, eight), /shape/],
    [
      'sizes whose product overflows',
      fileOf({ w: entry('F32', [2 ** 52, 2 ** 52], 0, 8) }, eight),
      /its shape/,
    ],
    [
      'an overflow times zero',
      fileOf(
        {
          w: entry(
            'F32',
            Array(8)
              .fill(2 ** 52)
              .concat(0)
              .slice(1),
            0,
            8,
          ),
        },
        eight,
      ),
      /its shape/,
    ],
    [
      'a shape of other values',
      fileOf({ w: entry('F32', [3], 0, 8) }, eight),
      /has 8 bytes; its shape needs 12/,
    ],
    [
      'offsets beyond the end',
      fileOf({ w: entry('F32', [4], 0, 16) }, eight),
      /ends at byte 16 of 8.*truncated/,
    ],
    ['offsets in reverse', fileOf({ w: entry('F32', [2], 8, 0) }, eight), /"w" has -8 bytes/],
    ['negative offsets', fileOf({ w: entry('F32', [2], -8, 0) }, eight), /data_offsets/],
    ['one offset', fileOf({ w: { dtype: 'F32', shape: [2], data_offsets: [8] } }, eight), /data_offsets/],
    [
      'tensors that overlap',
      fileOf({ a: entry('F32', [2], 0, 8), b: entry('F32', [1], 4, 8) }, eight),
      /overlap/,
    ],
    [
      'the same bytes twice',
      fileOf({ a: entry('F32', [2], 0, 8), b: entry('F32', [2], 0, 8) }, eight),
      /overlap/,
    ],
    ['a gap before', fileOf({ a: entry('F32', [1], 4, 8) }, eight), /gap at byte 0/],
    ['bytes that no tensor has', fileOf({ a: entry('F32', [1], 0, 4) }, eight), /cover 4 bytes of 8/],
    ['metadata that is not text', fileOf({ __metadata__: { a: 1 } }), /__metadata__/],
    ['metadata that is a list', fileOf({ __metadata__: [] }), /__metadata__/],
  ];
  for (const [what, bytes, message] of hostile) {
    it(`refuses ${what}`, () => {
      assert.match(refusal(bytes), message);
      assert.match(refusal(bytes), /^f\.safetensors is not usable: /);
    });
  }

  it('refuses a file that is cut off anywhere', () => {
    const whole = encodeSafetensors(
      new Map([
        ['a', { shape: [2, 3], values: new Float32Array(6) }],
        ['b', { shape: [1], values: new Float32Array(1) }],
      ]),
    );
    for (let length = 0; length < whole.length; length++) refusal(Buffer.from(whole.subarray(0, length)));
  });

  it('reads or refuses whatever a byte is changed to, and never fails otherwise', () => {
    const whole = encodeSafetensors(new Map([['w', { shape: [2], values: new Float32Array(2) }]]), {
      k: 'v',
    });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        try {
          decodeSafetensors(changed, 'f');
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === 'checkpoint-corrupt', String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
