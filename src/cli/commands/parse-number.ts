import { InvalidArgumentError } from 'commander';

/** The value of an option that is a number. @throws InvalidArgumentError, which commander reports with the option's name */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}
