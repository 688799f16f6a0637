/** The part of pino that the service uses. */
export interface Logger {
  error(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  info(facts: object, message: string): void;
}

/** Writes nothing. */
export const SILENT_LOGGER: Logger = { error() {}, warn() {}, info() {} };
