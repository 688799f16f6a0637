/** Perplexities on PTB (10,000 words, test split) that publications report; for no other corpus. */
export interface PublishedFigure {
  readonly label: string;
  readonly value: number;
}

export const PTB_FIGURES: readonly PublishedFigure[] = [
  { label: 'Zaremba et al. 2014, medium: 82.7', value: 82.7 },
  { label: 'Zaremba et al. 2014, large: 78.4', value: 78.4 },
  { label: 'Saitoh 2018, BetterRnnlm: 75.8', value: 75.8 },
  { label: 'Merity et al. 2017, AWD-LSTM: 58.8', value: 58.8 },
  { label: 'Merity et al. 2017, finetuned: 57.3', value: 57.3 },
];
