#!/usr/bin/env node
/**
 * Makes a checkout ready to run, on Node's built-ins alone. `npm run setup`, `quickstart`, `start` and `test` begin with it;
 * where nothing is to do it returns at once. Its steps and variables: `node scripts/setup.mjs --help`.
 */
const MIN_NODE = 20;

if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
  console.error(
    `gatelm needs Node ${MIN_NODE} or newer; this is ${process.version} (${process.execPath}). ` +
      'Install a newer one, or choose it with your version manager, and run the same command again.',
  );
  process.exit(1);
}

const { setUp } = await import('./setup/set-up.mjs');
process.exitCode = await setUp(process.argv.slice(2), process.env);
