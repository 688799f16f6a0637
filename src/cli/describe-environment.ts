import { ENVIRONMENT_VARIABLES } from '../contracts/environment.js';

const INDENT = '  ';
const TEXT_WIDTH = 96;

/** Every variable with its meaning and default, for `gatelm serve --help`. */
export function describeEnvironment(): string {
  const variables = ENVIRONMENT_VARIABLES.map(({ name, description, default: value }) =>
    [
      `${INDENT}${name} (default: ${describeValue(value)})`,
      ...wrap(description, TEXT_WIDTH).map((line) => INDENT.repeat(3) + line),
    ].join('\n'),
  );
  return ['Environment:', ...variables].join('\n');
}

function describeValue(value: unknown): string {
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  return String(value);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}
