/** What all steps of set-up have in common. */
import { findPython, missingBuildTools } from '../build.mjs';
import { hashOf } from '../stamps.mjs';

/**
 * @typedef {object} Step
 * @property {string} name as in --steps
 * @property {(context: object) => boolean} [applies] false where there is nothing of the kind to do
 * @property {(context: object) => string} key a hash of its inputs, in milliseconds
 * @property {(context: object, stamp: object) => boolean} isThere whether its outcome is still there
 * @property {(context: object) => Promise<object | void>} run does it and gives what to note in its stamp
 * @property {(settings: object) => string} failure what could not be done where it throws
 * @property {(settings: object) => string[]} advice what to do then
 * @property {(settings: object) => string | false} [instead] what is used then; without that set-up fails
 */

/** Whether a step has nothing to do. One that gave up is tried again when the circumstances change. */
export function isDone(step, context) {
  if (!context.settings.steps.includes(step.name) || step.applies?.(context) === false) return true;
  const stamp = context.stamps.read(step.name);
  if (stamp?.key !== step.key(context)) return false;
  if (stamp.unavailable) return stamp.circumstances === circumstancesOf(context.settings);
  return step.isThere(context, stamp);
}

/** What might let another attempt succeed. */
export function circumstancesOf({ env, backend, kernels, libtensorflow }) {
  const variables = Object.entries(env)
    .filter(([name]) => /^(GATELM_CACHE_DIR$|PIP_|TFJS_NODE_|CDN_STORAGE$|https?_proxy$)/i.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const tools = [findPython(env) ?? '', ...missingBuildTools(env)];
  return hashOf(backend, kernels, libtensorflow.join(), ...variables, ...tools);
}
