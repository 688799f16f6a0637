import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { type CleanUpOwner, cleanUp } from './clean-up.js';
import { CuttableProxy } from './cuttable-proxy.js';

/** Another machine, as far as the network knows, whose cable can be pulled. */
export interface RemoteHost {
  readonly kind: 'network namespace' | 'process behind proxies';
  /** The command that starts another one there. */
  readonly enter: readonly string[];
  /** Where that host reaches a port of this machine, as in 10.9.8.1:6379. */
  reach(port: number): Promise<string>;
  cut(): void;
  mend(): void;
}

/**
 * A network namespace with an address of its own, where this machine allows one (Linux, root, iproute2); else a process of this
 * machine behind proxies.
 */
export async function startRemoteHost(test: CleanUpOwner): Promise<RemoteHost> {
  return startNamespace(test) ?? behindProxies(test);
}

/** A namespace and this machine at the two ends of a virtual cable. */
function startNamespace(test: CleanUpOwner): RemoteHost | null {
  const id = randomInt(0x10000).toString(16);
  const [name, here, there] = [`gatelm-${id}`, `gl-${id}-a`, `gl-${id}-b`];
  const network = `10.${randomInt(64, 128)}.${randomInt(256)}`;
  const steps = [
    `netns add ${name}`,
    `link add ${here} type veth peer name ${there} netns ${name}`,
    `address add ${network}.1/30 dev ${here}`,
    `link set ${here} up`,
    `-n ${name} address add ${network}.2/30 dev ${there}`,
    `-n ${name} link set lo up`,
    `-n ${name} link set ${there} up`,
  ];
  cleanUp(test, () => ip(`netns delete ${name}`)); // and its end of the cable, and so the cable
  if (!steps.every(ip)) return null;
  return {
    kind: 'network namespace',
    enter: ['ip', 'netns', 'exec', name],
    reach: async (port) => `${network}.1:${(await CuttableProxy.start(test, port, `${network}.1`)).port}`,
    cut: () => void ip(`link set ${here} down`),
    mend: () => void ip(`link set ${here} up`),
  };
}

function behindProxies(test: CleanUpOwner): RemoteHost {
  const wires: CuttableProxy[] = [];
  return {
    kind: 'process behind proxies',
    enter: [],
    async reach(port) {
      const wire = await CuttableProxy.start(test, port);
      wires.push(wire);
      return `127.0.0.1:${wire.port}`;
    },
    cut() {
      for (const wire of wires) wire.cut();
    },
    mend() {
      for (const wire of wires) wire.mend();
    },
  };
}

/** @returns whether the command succeeded */
function ip(args: string): boolean {
  return spawnSync('ip', args.split(' '), { stdio: 'ignore' }).status === 0;
}
