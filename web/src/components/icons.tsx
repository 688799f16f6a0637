/** Line icons on a grid of 20, drawn in the colour of the text. */
const PATHS = {
  list: 'M4 5.5h12M4 10h12M4 14.5h12',
  plus: 'M10 4v12M4 10h12',
  compare: 'M3 15c3 0 3-9 6-9s3 6 8 6M3 9c4 0 5 7 14 7',
  play: 'M6.5 4.5v11l9-5.5z',
  pause: 'M7 5v10M13 5v10',
  stop: 'M5.5 5.5h9v9h-9z',
  retry: 'M15.5 7A6 6 0 1 0 16 11M16 4v3.5h-3.5',
  fork: 'M6 4v6a4 4 0 0 0 4 4h4M6 10v6M12 11.5l2.5 2.5-2.5 2.5',
  trash: 'M4.5 6h11M8 6V4.5h4V6M6 6l.7 9.5h6.6L14 6',
  pen: 'M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2z',
  lens: 'M9 4a5 5 0 1 1 0 10A5 5 0 0 1 9 4zM12.8 12.8 17 17',
  book: 'M4 4.5c2.5-.8 4.5-.5 6 1 1.5-1.5 3.5-1.8 6-1v10.5c-2.5-.8-4.5-.5-6 1-1.5-1.5-3.5-1.8-6-1zM10 5.5V16',
  chip: 'M6 6h8v8H6zM8.5 3v3M11.5 3v3M8.5 14v3M11.5 14v3M3 8.5h3M3 11.5h3M14 8.5h3M14 11.5h3',
  pin: 'M8 3.5h4l-.5 4.5 2.5 2.5H6L8.5 8zM10 10.5V17',
  up: 'M10 15.5v-11M5.5 9 10 4.5 14.5 9',
  down: 'M10 4.5v11M5.5 11l4.5 4.5 4.5-4.5',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  check: 'M4.5 10.5 8.5 14.5 15.5 6',
  close: 'M5 5l10 10M15 5 5 15',
  tag: 'M4 4h6l6 6-6 6-6-6zM7.200 7.200v.1',
  download: 'M10 4v8.5M6 9l4 4 4-4M4 16h12',
  more: 'M4.5 10h.1M10 10h.1M15.5 10h.1',
  warning: 'M10 3.5 17.5 16h-15zM10 8v4M10 14v.1',
  sliders: 'M5 4v12M10 4v12M15 4v12M3.500 12h3M8.500 7h3M13.500 13h3',
  upload: 'M10 13V4.5M6 8l4-4 4 4M4 16h12',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
