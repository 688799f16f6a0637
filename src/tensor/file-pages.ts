import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ADDON = '../../../native/build/Release/gatelm_pages.node';

/**
 * Gives back memory of this process that holds pages of programs and libraries as they are in their files, most of which only
 * their start needed; see native/src/pages_addon.cc. Does nothing where the addon was not built.
 */
export function releaseFilePages(): void {
  try {
    const path = fileURLToPath(new URL(ADDON, import.meta.url)); // from dist/src/tensor
    (createRequire(import.meta.url)(path) as { release(): void }).release();
  } catch {
    // Everything works without.
  }
}
