/** The commands of documents that speak of a trained model. */
import { testPages } from './document-commands.js';

testPages({
  'inference.md': {
    trained: true,
    shows: [
      /"choices":\[/,
      /event: done/,
      /"logprob":/,
      /"share":/,
      /"items":\[\{"perplexity":/,
      /"bytes":\d+\}/,
    ],
  },
  'own-text.md': { trained: true, shows: [/"preset": ?"auto"/, /^why +\S/m] },
  'command-line.md': {
    trained: true,
    corpus: 'notes',
    shows: [/^done in .*perplexity/m, /queued: small/, /the model is in /, /^run\.zip$/m],
  },
  'interchange.md': {
    trained: true,
    shows: [/^the same weights as /m, /"state": ?"succeeded"/, /^key,step,epoch,time,value$/m],
  },
  'operations.md': {
    trained: true,
    shows: [
      /"estimate":\{"parameterCount":/,
      /^backed up .* to \.\/backup: \d+ files/m,
      /^restored .* to \.\/restored: \d+ files/m,
      /"status":"ready"/,
      /gatelm_experiments\{state="succeeded"\} \d/,
    ],
  },
  'security.md': {
    trained: true,
    shows: [/^ci +train +gatelm_/m, /"type":"queued"/, /ci is revoked/],
  },
});
