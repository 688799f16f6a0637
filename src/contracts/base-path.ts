import { z } from 'zod';

/** A path of plain segments, none of them . or .., so that it can be put before others and stays on this server. */
export const BasePath = z
  .string()
  .max(200)
  .regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/, 'must be a path like /gatelm, without a / at its end');

/** An address, or a network in the form of 10.0.0.0/8. */
export const ProxyAddress = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'must be an IP address or a network like 10.0.0.0/8',
});
