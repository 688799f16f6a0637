import { signal } from '@preact/signals';
import { hrefOf, parseRoute, type Route } from '../../logic/routes.js';

export const route = signal<Route>(parseRoute(location.hash));

export function startRouter(): void {
  addEventListener('hashchange', () => {
    route.value = parseRoute(location.hash);
  });
}

export function goTo(next: Route): void {
  location.hash = hrefOf(next);
}

/** Changes the address without a new entry in the history. */
export function replaceRoute(next: Route): void {
  history.replaceState(null, '', hrefOf(next));
  route.value = next;
}
