import { z } from 'zod';

/** Where an exchange in an S3-compatible store is. */
export interface S3Address {
  readonly bucket: string;
  /** Prefix of all keys, without slashes at its ends; empty = the whole bucket. */
  readonly prefix: string;
  /** URL of the store; null = AWS, or AWS_ENDPOINT_URL. */
  readonly endpoint: string | null;
  readonly region: string | null;
}

const S3 = 's3:';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^([\w-][\w.-]*(\/[\w-][\w.-]*)*)?$/;
const OPTIONS = ['endpoint', 'region'];

/** A folder that several machines share, or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`. */
export const ExchangeAddress = z.string().superRefine((text, context) => {
  const problem = problemOf(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** @returns null for a folder @param text an {@link ExchangeAddress} */
export function parseS3Address(text: string): S3Address | null {
  const url = urlOf(text);
  if (!url) return null;
  return {
    bucket: url.hostname,
    prefix: prefixOf(url),
    endpoint: url.searchParams.get('endpoint'),
    region: url.searchParams.get('region'),
  };
}

/** Windows drives are no URLs. */
function urlOf(text: string): URL | null {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
}

function prefixOf({ pathname }: URL): string {
  return pathname.replace(/^\/+|\/+$/g, '');
}

/** Never repeats the address: it might have a secret in it. */
function problemOf(text: string): string | null {
  const url = urlOf(text);
  if (!url) return text.includes('://') ? 'must be a folder or begin with s3://' : null;
  if (url.protocol !== S3) return 'must be a folder or begin with s3://';
  if (url.username || url.password)
    return 'must not contain credentials; they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  if (!BUCKET.test(url.hostname)) return 'needs the name of a bucket, as in s3://bucket/prefix';
  if (!PREFIX.test(prefixOf(url)))
    return 'has a prefix with other characters than letters, digits, ".", "_", "-"';
  const unknown = [...url.searchParams.keys()].find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) return `has an unknown option; known are ${OPTIONS.join(', ')}`;
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint === null) return null;
  const isHttp = /^https?:\/\//.test(endpoint) && URL.canParse(endpoint);
  return isHttp && !new URL(endpoint).username
    ? null
    : 'needs an endpoint that begins with http:// or https://';
}
