/** Pages of the dashboard. They live behind `#`, so that no path of the HTTP interface changes its meaning. */
export type Route =
  | { readonly page: 'experiments' }
  | { readonly page: 'experiment'; readonly id: string }
  | { readonly page: 'new'; readonly fork: string | null; readonly preset: string | null }
  | { readonly page: 'compare'; readonly ids: readonly string[] }
  | { readonly page: 'playground'; readonly experiment: string | null }
  | { readonly page: 'inspector'; readonly experiment: string | null }
  | { readonly page: 'corpora'; readonly name: string | null }
  | { readonly page: 'sweeps'; readonly id: string | null }
  | { readonly page: 'machine' };

export type PageName = Route['page'];

/** The page that an address shows; an unknown one shows the list of experiments. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const query = new URLSearchParams(search);
  const [first = '', second] = path.split('/').map(decode);
  switch (first) {
    case 'experiments':
      return second ? { page: 'experiment', id: second } : { page: 'experiments' };
    case 'new':
      return { page: 'new', fork: query.get('fork'), preset: query.get('preset') };
    case 'compare':
      return { page: 'compare', ids: (query.get('ids') ?? '').split(',').filter(Boolean) };
    case 'playground':
    case 'inspector':
      return { page: first, experiment: query.get('experiment') };
    case 'corpora':
      return { page: 'corpora', name: second || null };
    case 'sweeps':
      return { page: 'sweeps', id: second || null };
    case 'machine':
      return { page: 'machine' };
    default:
      return { page: 'experiments' };
  }
}

/** The address of a page. */
export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'experiments':
      return '#/experiments';
    case 'experiment':
      return `#/experiments/${encodeURIComponent(route.id)}`;
    case 'new':
      return `#/new${searchOf({ fork: route.fork, preset: route.preset })}`;
    case 'compare':
      return `#/compare${route.ids.length > 0 ? `?ids=${route.ids.map(encodeURIComponent).join(',')}` : ''}`;
    case 'playground':
    case 'inspector':
      return `#/${route.page}${searchOf({ experiment: route.experiment })}`;
    case 'corpora':
      return route.name === null ? '#/corpora' : `#/corpora/${encodeURIComponent(route.name)}`;
    case 'sweeps':
      return route.id === null ? '#/sweeps' : `#/sweeps/${encodeURIComponent(route.id)}`;
    case 'machine':
      return '#/machine';
  }
}

function searchOf(values: Readonly<Record<string, string | null>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
