/** What the service writes its log with: the part of pino that it uses. */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
}

/** Writes nothing. */
export const SILENT_LOGGER: Logger = { error() {}, warn() {}, info() {} };
