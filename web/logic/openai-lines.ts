export interface OpenAiRequest {
  readonly address: string;
  /** Id of an experiment; null = one has to be named. */
  readonly model: string | null;
  readonly prompt: string;
  readonly sampling: {
    readonly maxTokens: number;
    readonly temperature: number;
    readonly topP: number;
    readonly topK: number;
    readonly seed: number;
  };
  readonly needsKey: boolean;
}

/** The same text by OpenAI’s Python client. */
export function openAiLines({ address, model, prompt, sampling, needsKey }: OpenAiRequest): string {
  const { maxTokens, temperature, topP, topK, seed } = sampling;
  const key = needsKey ? 'os.environ["GATELM_KEY"]' : '"none"';
  return [
    ...(needsKey ? ['import os'] : []),
    'from openai import OpenAI',
    '',
    `client = OpenAI(base_url="${address}/v1", api_key=${key})`,
    'answer = client.completions.create(',
    `    model=${JSON.stringify(model ?? 'NAME OF AN EXPERIMENT')},`,
    `    prompt=${JSON.stringify(prompt)},`,
    `    max_tokens=${maxTokens}, temperature=${temperature}, top_p=${topP}, seed=${seed},`,
    `    extra_body={"top_k": ${topK}},`,
    ')',
    'print(answer.choices[0].text)',
  ].join('\n');
}
