import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ADDON = '../../../native/build/Release/gatelm_pages.node';

interface PagesAddon {
  release(): void;
  beginLoading(): void;
  endLoading(): void;
}

/**
 * Loads TensorFlow's library while the pages of it that only its start needs are given back to the system at once, and in the
 * end those of all programs and libraries as they are in their files; see native/src/pages_addon.cc. Where that addon was
 * not built it only loads.
 */
export async function loadWithFewPages<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  const addon = loadAddon();
  addon?.release();
  addon?.beginLoading();
  try {
    return await load();
  } finally {
    addon?.endLoading();
  }
}

function loadAddon(): PagesAddon | undefined {
  try {
    const path = fileURLToPath(new URL(ADDON, import.meta.url)); // from dist/src/tensor
    return createRequire(import.meta.url)(path) as PagesAddon;
  } catch {
    return undefined; // everything works without
  }
}
