/**
 * Makes the log of a small web shop: 2,000 lines of twelve normal kinds of event, and among them some that a person would want
 * to see. The first column labels them, `-` = normal. The same every time.
 *
 *     node dist/examples/apps/make-log.js > examples/apps/shop-log.txt
 */
const LINES = 2000;
const ALERT_EVERY = 40;

/** A generator of Lehmer's, so that the log is the same on every machine. */
let state = 20_260_101;
function draw(below: number): number {
  state = (state * 48_271) % 2_147_483_647;
  return state % below;
}

const pick = <Item>(items: readonly Item[]): Item => items[draw(items.length)]!;
const PAGES = ['/', '/cart', '/search', '/item', '/login', '/help'] as const;
const SYLLABLES = ['ka', 'mo', 'ri', 'ten', 'su', 'la', 'no', 'bel', 'vi', 'do', 'ha', 'shi'] as const;
/** Thousands of names: most that come were not seen before. */
const user = () => Array.from({ length: 2 + draw(3) }, () => pick(SYLLABLES)).join('');

const NORMAL: readonly (() => string)[] = [
  () => `INFO web GET ${pick(PAGES)} 200 ${draw(90) + 5} ms`,
  () => `INFO web GET ${pick(PAGES)}/${draw(9000)} 200 ${draw(90) + 5} ms`,
  () => `INFO web GET ${pick(PAGES)}/${draw(9000)} 304 ${draw(9) + 1} ms`,
  () => `INFO web POST /cart 201 ${draw(50) + 9} ms`,
  () => `WARN web GET /item/${draw(9000)} 404 ${draw(9) + 1} ms`,
  () => `INFO auth user ${user()} logged in from 10.0.${draw(255)}.${draw(255)}`,
  () => `INFO auth user ${user()} logged out`,
  () => `WARN auth wrong password for user ${user()}`,
  () => `INFO db query took ${draw(40) + 1} ms, ${draw(300)} rows`,
  () => `INFO db checkpoint written, ${draw(5000)} pages`,
  () => `INFO mail order ${draw(90000)} confirmed to ${user()}@example.org`,
  () => `INFO stock item ${draw(9000)} has ${draw(200)} left`,
];
const ALERTS: readonly (readonly [label: string, make: () => string])[] = [
  ['PAYMENT', () => `ERROR pay card service refused order ${draw(90000)}: connection reset`],
  ['DISK', () => `ERROR db write failed: no space left on device, page ${draw(5000)}`],
  ['AUTH', () => `WARN auth user ${user()} granted role admin by user unknown`],
  ['STOCK', () => `INFO stock item ${draw(9000)} has -${draw(200) + 1} left`],
  ['WEB', () => `INFO web GET ${pick(PAGES)}/../../etc/passwd 200 ${draw(90) + 5} ms`],
];

for (let line = 0; line < LINES; line++) {
  const time = new Date(Date.UTC(2026, 0, 1) + line * 7_000 + draw(6_000)).toISOString();
  const isAlert = draw(ALERT_EVERY) === 0;
  const [label, make] = isAlert ? pick(ALERTS) : (['-', pick(NORMAL)] as const);
  console.log(`${label} ${time} ${make()}`);
}
