import { BlockList, isIP } from 'node:net';

/** Proxies whose X-Forwarded- headers are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** @param proxies addresses, and networks like 10.0.0.0/8 */
  constructor(proxies: readonly string[]) {
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      if (bits === undefined) this.#list.addAddress(address, familyOf(address));
      else this.#list.addSubnet(address, Number(bits), familyOf(address));
    }
  }

  /** @param address of the other end of a connection; undefined = it has none any more */
  has(address: string | undefined): boolean {
    return address !== undefined && isIP(address) !== 0 && this.#list.check(address, familyOf(address));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
