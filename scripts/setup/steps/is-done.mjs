/**
 * @typedef {object} Step
 * @property {string} name as in --steps
 * @property {(context: object) => boolean} [applies] false where there is nothing of the kind to do
 * @property {(context: object) => string} key a hash of its inputs, in milliseconds
 * @property {(context: object, stamp: object) => boolean} isThere whether its outcome is still there
 * @property {(context: object) => Promise<object | void>} run does it and gives what to note in its stamp @throws SetupError
 */

/** Whether a step has nothing to do. */
export function isDone(step, context) {
  if (!context.settings.steps.includes(step.name) || step.applies?.(context) === false) return true;
  const stamp = context.stamps.read(step.name);
  return stamp?.key === step.key(context) && step.isThere(context, stamp);
}
