/** The commands of documents that begin with an empty server. */
import { testPages } from './document-commands.js';

testPages({
  'http.md': {
    shows: [
      /"type":"succeeded"/,
      /"text":"/,
      /"surprisal":/,
      /"name":"notes"/,
      /"choices":\[/,
      /"loss":\d/,
      /"name":"again"/,
    ],
  },
  'exact-resume.md': { shows: [/the same bytes/] },
  'tour.md': { shows: [/queued: mine/, /likelier|nats|bits/] },
  'config.md': { shows: [/"name":"better-rnnlm"/, /"preset":"auto"/, /GATELM_PORT/] },
  'setup.md': { shows: [/TensorFlow/i] },
  'text.md': { shows: [/"name":"two-files"/, /"name":"folder"/, /"name":"comments"/, /"splitBy":"files"/] },
});
