"""The openai client from PyPI (pip install openai) against gatelm. python3 complete.py [PROMPT]"""
import os
import sys

from openai import OpenAI

url = os.environ.get("GATELM_URL", "http://127.0.0.1:8080")
client = OpenAI(base_url=f"{url}/v1", api_key=os.environ.get("GATELM_API_KEY", "none"))

# A model is an experiment that has weights: its id or its name.
model = os.environ.get("GATELM_MODEL") or client.models.list().data[0].id
prompt = sys.argv[1] if len(sys.argv) > 1 else "The"

stream = client.completions.create(
    model=model, prompt=prompt, max_tokens=20, temperature=0.8, seed=1, stream=True
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].text, end="", flush=True)
print()
