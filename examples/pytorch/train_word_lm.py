"""Trains a small LSTM language model with PyTorch, to be imported into gatelm. Needs torch, numpy and safetensors.

  python train_word_lm.py --data data/ptb --out trained --epochs 2

--data is a folder with PREFIX.train.txt, PREFIX.valid.txt and PREFIX.test.txt (PREFIX: ptb), words separated by white
space. --out receives model.safetensors and vocabulary.txt, one token a line. Prints one JSON line an epoch, and the test
perplexity last. The default, 2 layers of 200 units with tied weights, takes 2 to 3 minutes an epoch of PTB on two cores
and has a test perplexity of about 146 after 2 epochs.
"""
import argparse, json, math, os, time
import torch
from torch import nn
import torch.nn.functional as F
from safetensors.torch import save_file
from evaluate_export import evaluate
from word_lm import WordLM


def read_corpus(folder, prefix):
    """The splits as ids, and the tokens in the order of their first appearance in the train split."""
    words = {}
    for split in ("train", "valid", "test"):
        with open(os.path.join(folder, f"{prefix}.{split}.txt"), encoding="utf-8") as file:
            words[split] = file.read().replace("\n", " <eos> ").split()
    vocabulary = list(dict.fromkeys(words["train"] + ["<unk>", "<eos>"]))
    ids = {word: i for i, word in enumerate(vocabulary)}
    return {split: torch.tensor([ids.get(w, ids["<unk>"]) for w in tokens]) for split, tokens in words.items()}, vocabulary


def train_epoch(model, ids, a, learning_rate):
    model.train()
    length = (len(ids) - 1) // a.batch
    inputs = ids[: length * a.batch].view(a.batch, length).t()
    targets = ids[1 : length * a.batch + 1].view(a.batch, length).t()
    total, state = 0.0, None
    for start in range(0, length, a.bptt):
        x, y = inputs[start : start + a.bptt], targets[start : start + a.bptt]
        state = state and tuple(s.detach() for s in state)
        logits, state = model(x, state)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), a.clip)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(parameter.grad, alpha=learning_rate)
        total += loss.item() * y.numel()
    return total / (length * a.batch)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--prefix", default="ptb")
    p.add_argument("--out", required=True)
    for name, value in (("hidden", 200), ("layers", 2), ("epochs", 2), ("batch", 20), ("bptt", 35), ("seed", 1), ("threads", 2)):
        p.add_argument(f"--{name}", type=int, default=value)
    for name, value in (("dropout", 0.2), ("lr", 20.0), ("clip", 0.25)):
        p.add_argument(f"--{name}", type=float, default=value)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    splits, vocabulary = read_corpus(a.data, a.prefix)
    model = WordLM(len(vocabulary), a.hidden, [a.hidden] * a.layers, tied=True, dropout=a.dropout)
    nn.init.uniform_(model.encoder.weight, -0.1, 0.1)
    nn.init.zeros_(model.decoder.bias)
    learning_rate, best = a.lr, float("inf")
    for epoch in range(1, a.epochs + 1):
        start = time.time()
        train = train_epoch(model, splits["train"], a, learning_rate)
        valid, _ = evaluate(model, splits["valid"], 10)
        print(json.dumps({"epoch": epoch, "trainPerplexity": math.exp(train), "validPerplexity": math.exp(valid),
                          "learningRate": learning_rate, "seconds": round(time.time() - start, 1)}), flush=True)
        if valid >= best:
            learning_rate /= 4
        best = min(best, valid)
    os.makedirs(a.out, exist_ok=True)
    # Tied weights are written once: safetensors refuses two names of one memory. gatelm reads that as tied.
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != "decoder.weight"}
    save_file(tensors, os.path.join(a.out, "model.safetensors"))
    with open(os.path.join(a.out, "vocabulary.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{token}\n" for token in vocabulary)
    loss, tokens = evaluate(model, splits["test"], 1)
    print(json.dumps({"testPerplexity": math.exp(loss), "loss": loss, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
