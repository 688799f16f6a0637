import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { parseStrictly } from '../contracts/validation.js';
import { readQueryValues } from './query-values.js';

const NAMES: Readonly<Record<string, string>> = {
  body: 'The body',
  querystring: 'The query',
  params: 'The path',
  headers: 'The header',
};

/** Parses each part of a request with its zod schema; one `validation-failed` lists all invalid fields. */
export const compileValidation: FastifySchemaCompiler<FastifySchema> = ({
  schema: part,
  httpPart = 'body',
}) => {
  const schema = part as unknown as z.ZodType; // fastify passes the schema of one part, but types it as that of the route
  const isAddress = httpPart === 'querystring' || httpPart === 'params';
  return (data: unknown) => {
    try {
      const value = isAddress ? readQueryValues(schema, data) : data;
      return { value: parseStrictly(schema, value, NAMES[httpPart]) };
    } catch (error) {
      return { error: error as Error };
    }
  };
};

/** For bodies that the use case parses itself, with presets and defaults; the schema still documents them. */
export const compileValidationButBody: FastifySchemaCompiler<FastifySchema> = (route) =>
  route.httpPart === 'body' ? (data: unknown) => ({ value: data }) : compileValidation(route);
