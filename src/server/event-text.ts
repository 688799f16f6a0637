/** A server-sent event; strings are sent as they are, other data as JSON. */
export function eventText(event: string | null, data: unknown, id?: number): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === null ? [] : [`event: ${event}`]),
    `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`,
  ];
  return `${lines.join('\n')}\n\n`;
}
