"""PyTorch's side of the serving benchmark: a small HTTP server that writes many texts side by side.

    python pytorch_server.py '{"vocabularySize": 10000, "embeddingSize": 650, "hiddenSizes": [650, 650], "threads": 2}'

GET /generate?maxTokens=100&temperature=0.8&topK=40 answers as Server-Sent Events, one a token. All open texts are one batch
of the model (float32 products or bfloat16 autocast, whatever GATELM_BENCH_AUTOCAST says); texts join and leave between two
steps. One event loop runs the model and the connections: a token is written as soon as its step is over. Prints the port.
Random weights: what a step costs does not depend on them. Needs torch and numpy.
"""
import asyncio
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

import torch
from torch import nn
import torch.nn.functional as F

AUTOCAST = os.environ.get("GATELM_BENCH_AUTOCAST", "1") == "1"


class Net(nn.Module):
    def __init__(self, w):
        super().__init__()
        sizes = w["hiddenSizes"]
        self.embed = nn.Embedding(w["vocabularySize"], w["embeddingSize"])
        self.lstm = nn.LSTM(w["embeddingSize"], sizes[0], len(sizes))
        self.out = nn.Linear(sizes[-1], w["vocabularySize"])
        self.out.weight = self.embed.weight

    def forward(self, ids, state):
        hiddens, state = self.lstm(self.embed(ids), state)
        return self.out(hiddens[-1]), state


class Text:
    """One text that is being written."""

    def __init__(self, ids, writer, options):
        self.ids = ids
        self.writer = writer
        self.left = int(options.get("maxTokens", 100))
        self.temperature = float(options.get("temperature", 1))
        self.top_k = int(options.get("topK", 40))
        self.written = 0
        self.done = asyncio.get_running_loop().create_future()


class Engine:
    def __init__(self, w):
        self.net = Net(w).eval()
        self.layers, self.size = len(w["hiddenSizes"]), w["hiddenSizes"][0]
        self.waiting, self.texts = [], []
        self.state = self.last = None

    def join(self, text):
        state = tuple(torch.zeros(self.layers, 1, self.size) for _ in range(2))
        if len(text.ids) > 1:
            _, state = self.net(torch.tensor(text.ids[:-1])[:, None], state)
        last = torch.tensor([text.ids[-1]])
        if self.texts:
            self.state = tuple(torch.cat(pair, 1) for pair in zip(self.state, state))
            self.last = torch.cat([self.last, last])
        else:
            self.state, self.last = state, last
        self.texts.append(text)

    def step(self):
        """One token of each text. All texts of this benchmark draw alike, so one call draws for all of them."""
        first = self.texts[0]
        logits, self.state = self.net(self.last[None], self.state)
        top, ids = torch.topk(logits.float() / first.temperature, first.top_k)
        self.last = ids.gather(1, torch.multinomial(F.softmax(top, -1), 1))[:, 0]
        drawn = self.last.tolist()
        for text, token in zip(self.texts, drawn):
            text.written += 1
            text.writer.write(b"data: " + json.dumps({"text": f"w{token} ", "tokens": text.written}).encode() + b"\n\n")
        if any(text.written == text.left for text in self.texts):
            rows = [n for n, text in enumerate(self.texts) if text.written < text.left]
            for text in self.texts:
                if text.written == text.left:
                    text.done.set_result(None)
            self.texts = [self.texts[n] for n in rows]
            self.state = tuple(part[:, rows] for part in self.state)
            self.last = self.last[rows]

    async def run(self):
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=AUTOCAST):
            while True:
                while self.waiting:
                    self.join(self.waiting.pop(0))
                if self.texts:
                    self.step()
                    await asyncio.sleep(0)
                else:
                    await asyncio.sleep(0.001)


async def main():
    w = json.loads(sys.argv[1])
    torch.set_num_threads(w["threads"])
    torch.manual_seed(0)
    engine = Engine(w)

    async def serve(reader, writer):
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        options = {key: values[0] for key, values in parse_qs(urlsplit(request.split(" ")[1]).query).items()}
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        words = options.get("prompt", "").split()
        ids = [0] + [int(word[1:]) for word in words]
        text = Text(ids, writer, options)
        engine.waiting.append(text)
        await text.done
        writer.write(b"event: done\ndata: {}\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await engine.run()


asyncio.run(main())
