/** Set-up's modules are plain JavaScript, since they run before anything is compiled: a test names what it uses of one. */
export function loadSetupModule<Module>(name: string): Promise<Module> {
  const address = new URL(`../../../scripts/setup/${name}.mjs`, import.meta.url);
  return import(address.href) as Promise<Module>;
}
