// The openai client from npm (npm install openai) against gatelm. node complete.mjs [PROMPT]
import OpenAI from 'openai';

const { GATELM_URL = 'http://127.0.0.1:8080', GATELM_API_KEY = 'none', GATELM_MODEL } = process.env;
const openai = new OpenAI({ baseURL: `${GATELM_URL}/v1`, apiKey: GATELM_API_KEY });

// A model is an experiment that has weights: its id or its name.
const models = await openai.models.list();
const model = GATELM_MODEL ?? models.data[0].id;
const request = { model, prompt: process.argv[2] ?? 'The', max_tokens: 20, temperature: 0.8, seed: 1 };

for await (const { choices } of await openai.completions.create({ ...request, stream: true }))
  process.stdout.write(choices[0]?.text ?? '');
process.stdout.write('\n');
