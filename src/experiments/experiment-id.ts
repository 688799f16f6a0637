import { randomInt } from 'node:crypto';

/** Crockford's base 32 in lower case: no i, l, o, u, so that ids can be read aloud. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 10; // 50 bits of milliseconds: enough until the year 37648
const RANDOM_DIGITS = 8; // 40 bits

/** A new id of 18 letters and digits: sorts by time, safe in URLs and file names. */
export function newExperimentId(now: number = Date.now()): string {
  let id = '';
  for (let place = TIME_DIGITS - 1; place >= 0; place--) id += DIGITS[Math.floor(now / 32 ** place) % 32];
  for (let place = 0; place < RANDOM_DIGITS; place++) id += DIGITS[randomInt(32)];
  return id;
}
