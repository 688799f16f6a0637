import { ErrorList } from '../../contracts/problem.js';
import { appError, ERROR_CODES } from '../../errors.js';
import type { HttpApp } from '../http-app.js';
import { toProblem, withProblems } from '../problem.js';

/** /errors */
export default async function errorRoutes(app: HttpApp): Promise<void> {
  const items = ERROR_CODES.map((code) => {
    const { type, status, title } = toProblem(appError(code), '');
    return { code, type, status, title };
  });
  app.get(
    '/errors',
    {
      schema: {
        tags: ['operations'],
        summary: 'List the error codes with their status',
        response: withProblems({ 200: ErrorList }),
      },
    },
    async () => ({ items }),
  );
}
