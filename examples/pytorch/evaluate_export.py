"""Perplexity of a gatelm export in PyTorch. Needs torch, numpy and safetensors.

  python evaluate_export.py EXPORT --text ptb.test.txt
  python evaluate_export.py EXPORT --ids ids.txt        token ids, separated by white space, of any tokenizer

EXPORT is a folder with model.safetensors and tokenizer.json. Every token but the first is predicted once; with
--streams N the text is read as N parts side by side, each without a past at its beginning, as gatelm evaluates.
Prints one JSON line: {"perplexity", "loss", "tokens"}; loss in nats per token.
"""
import argparse, json, math, os
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from word_lm import model_of


def encode(folder, text):
    """Token ids as tokenizer.json says, for the two kinds that need no library: words by white space, characters."""
    with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
        tokenizer = json.load(file)
    model, split = tokenizer["model"], tokenizer["pre_tokenizer"]
    is_words = split["type"] == "WhitespaceSplit"
    is_characters = split["type"] == "Split" and split["pattern"] == {"Regex": "[\\s\\S]"}
    if model["type"] != "WordLevel" or "Lowercase" in json.dumps(tokenizer["normalizer"]) or not (is_words or is_characters):
        raise SystemExit("this tokenizer.json needs the tokenizers library; encode the text with it and pass --ids")
    tokens = text.replace("\n", " <eos> ").split() if is_words else list(text)
    unknown = model["vocab"][model["unk_token"]]
    return [model["vocab"].get(token, unknown) for token in tokens]


def streams_of(ids, count):
    """Inputs and targets [T, N] of N parts; the first ones are one step longer, -100 stands where a part has ended."""
    predictions = len(ids) - 1
    count = min(count, predictions)
    length, longer = divmod(predictions, count)
    inputs = torch.zeros(length + (longer > 0), count, dtype=torch.long)
    targets = torch.full_like(inputs, -100)
    for n in range(count):
        start, steps = n * length + min(n, longer), length + (n < longer)
        inputs[:steps, n] = ids[start : start + steps]
        targets[:steps, n] = ids[start + 1 : start + steps + 1]
    return inputs, targets


@torch.inference_mode()
def evaluate(model, ids, streams=1, time=35):
    """Mean loss in nats, and the number of predictions."""
    model.eval()
    inputs, targets = streams_of(ids, streams)
    total, state = 0.0, None
    for start in range(0, len(inputs), time):
        logits, state = model(inputs[start : start + time], state)
        losses = F.cross_entropy(logits.flatten(0, 1), targets[start : start + time].flatten(), ignore_index=-100, reduction="none")
        total += losses.double().sum().item()
    return total / (len(ids) - 1), len(ids) - 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("export", help="folder with model.safetensors and tokenizer.json")
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", help="UTF-8 text")
    source.add_argument("--ids", help="token ids, separated by white space")
    p.add_argument("--streams", type=int, default=1)
    a = p.parse_args()
    model = model_of(load_file(os.path.join(a.export, "model.safetensors")))
    with open(a.text or a.ids, encoding="utf-8", newline="") as file:
        content = file.read()
    ids = encode(a.export, content) if a.text else [int(i) for i in content.split()]
    loss, tokens = evaluate(model, torch.tensor(ids), a.streams)
    print(json.dumps({"perplexity": math.exp(loss), "loss": loss, "tokens": tokens}))


if __name__ == "__main__":
    main()
