"""PyTorch on PTB, or another text of words: trains an LSTM language model by a config of gatelm, for a time, a number of
steps or epochs, or until valid has fallen to given perplexities. Needs torch and numpy.

    python pytorch_ptb.py '{"train": FILE, "valid": FILE, "test": FILE, "config": {…}, "threads": 2}'

`config` is one of gatelm with all fields, so that both programs train the same recipe; what this program does not have, it
refuses. Besides, with these defaults:

    "mode": "fastest"       float32, bf16-products or bf16-autocast; fastest: the three are timed first, which is not counted
    "secondBias": false     PyTorch's LSTM has two biases a layer. Trained both, their sum moves twice as far a step as gatelm's
                            one bias, so the second is frozen at 0; true is for recipes that were published for PyTorch
    "evaluateEvery": null   steps between two evaluations of valid, besides those at the end of each epoch and of the training
    "targets": []           perplexities of valid: the training ends when the last one is reached
    "isTested": false       whether the weights that were best on valid are tested

Prints JSON lines: `started`; `evaluation`, the first before any step; `ended`. `stepSeconds` are those of the steps, `seconds`
those of steps and evaluations; neither has the start, the first evaluation and the test. A `timeBudget` is of `seconds`: the last
evaluation ends with it, and one-cycle and cosine schedules follow the time, so that they are complete whatever the speed is.

The published recipe (pytorch/examples, word_language_model) is SGD 20 divided by 4 where an epoch does not improve valid, which
no epoch of the first minutes does: within such a time its rate is constant. `{"type": "one-cycle"}` anneals SGD within the time.

PyTorch's threads wait for one another by spinning: where other processes want the same cores, its times are many times longer.
"""
import functools
import json
import math
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F
from word_lstm import WordLstm
from word_streams import all_predictions, read_text, streams

MODES = ("float32", "bf16-products", "bf16-autocast")
TIMED_STEPS = 8
PLANNING_STEPS = 30  # at which gatelm's schedules leave their beginning, where a number of steps is given
ONE_CYCLE_START = 1 / 25
ONLY = {
    "tokenizer.type": "word",
    "model.cell.type": "lstm",
    "model.dropout.embedding": 0,
    "model.dropout.recurrentWeights": 0,
    "training.variableBptt": False,
    "training.stateResetProbability": 0,
    "training.lossReduction": "mean",
    "training.gradientAccumulation": 1,
    "training.activationRegularization": 0,
    "training.temporalActivationRegularization": 0,
    "training.earlyStopping": None,
    "training.maxDuration": None,
}


def check(config):
    for path, only in ONLY.items():
        value = functools.reduce(lambda part, key: part[key], path.split("."), config)
        if value != only:
            sys.exit(f"{path} is {json.dumps(value)}; this program has only {json.dumps(only)}")


def create_optimizer(config, parameters):
    rate, decay = config["learningRate"], config["weightDecay"]
    if config["type"] == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, fused=True)
    if config["type"] not in ("adam", "adamw"):
        sys.exit(f"optimizer.type is {config['type']}; this program has sgd, adam and adamw")
    kind = torch.optim.AdamW if config["type"] == "adamw" else torch.optim.Adam
    betas = (config["beta1"], config["beta2"])
    return kind(parameters, lr=rate, betas=betas, eps=config["epsilon"], weight_decay=decay, fused=True)


class Learner:
    """A model with its optimizer and the states of its streams."""

    def __init__(self, config, size, second_bias, mode):
        torch.manual_seed(config["training"]["seed"])
        torch.set_float32_matmul_precision("medium" if mode == "bf16-products" else "highest")
        self.config, self.autocast, self.states = config, mode == "bf16-autocast", None
        self.net = WordLstm(config["model"], size, second_bias)
        self.parameters = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self.optimizer = create_optimizer(config["optimizer"], self.parameters)

    def losses(self, inputs, targets, reduction):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.autocast):
            scores, self.states = self.net(inputs, self.states)
        return F.cross_entropy(scores.float().flatten(0, 1), targets.flatten(), reduction=reduction)

    def step(self, inputs, targets, rate):
        loss = self.losses(inputs, targets, "mean")
        if not math.isfinite(loss.item()):
            sys.exit("the loss is not finite: a lower learning rate or maxGradNorm may help")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config["training"]["maxGradNorm"] is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.config["training"]["maxGradNorm"])
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()

    @torch.inference_mode()
    def perplexity(self, ids):
        """Exact, over all tokens but the first; the states of the training are left as they are."""
        training = self.config["training"]
        inputs, targets = all_predictions(ids, min(training["evaluationBatchSize"], len(ids) - 1))
        before, self.states, total = self.states, None, 0.0
        self.net.eval()
        for start in range(0, len(inputs), training["bpttLength"]):
            part = slice(start, start + training["bpttLength"])
            total += self.losses(inputs[part], targets[part], "sum").item()
        self.net.train()
        self.states = before
        return math.exp(total / (len(ids) - 1))


def rate_factor(schedule, fraction, epoch, divisor):
    """As gatelm's src/training/schedule.ts. @param fraction of the training that is done"""
    kind = schedule["type"]
    if kind == "constant":
        return 1
    if kind == "divide-on-plateau":
        return 1 / divisor
    if kind == "exponential":
        return schedule["factor"] ** max(0, epoch - schedule["fromEpoch"] + 1)
    warmup, lowest = schedule["warmupFraction"], schedule["minimumFraction"]
    begin = ONE_CYCLE_START if kind == "one-cycle" else 0
    if fraction < warmup:
        return begin + (1 - begin) * fraction / warmup
    rest = (fraction - warmup) / (1 - warmup) if warmup < 1 else 1
    return lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * min(1, rest)))


class Run:
    """One training, with its clock and its curve."""

    def __init__(self, request, learner, ids, batches):
        self.learner, self.ids, self.batches, self.length = learner, ids, batches, len(batches[0])
        self.config = request["config"]
        self.every = request.get("evaluateEvery")
        self.targets = request.get("targets", [])
        self.keeps_best = request.get("isTested", False)
        self.step, self.epoch, self.position = 0, 0, 0
        self.step_seconds = self.evaluation_seconds = 0.0
        self.least_evaluation_seconds = math.inf
        self.evaluated_step, self.evaluated_tokens, self.evaluated_seconds = None, 0, 0.0
        self.tokens, self.rate = 0, None
        self.best, self.best_weights, self.valid = math.inf, None, math.inf

    @property
    def seconds(self):
        return self.step_seconds + self.evaluation_seconds

    def fraction(self):
        training = self.config["training"]
        if training["maxSteps"] is not None:
            return self.step / training["maxSteps"] if self.step >= PLANNING_STEPS else 0
        if training["timeBudget"] is not None:
            return self.seconds / max(training["timeBudget"] - self.least_evaluation_seconds, 1e-9)
        return (self.epoch + self.position / self.length) / training["epochs"]

    def end_reason(self):
        """Why no further step begins, but for the epochs; None: one does."""
        training = self.config["training"]
        if self.targets and self.best <= min(self.targets):
            return "targets"
        if training["maxSteps"] is not None:
            return "steps" if self.step >= training["maxSteps"] else None
        return "time" if training["timeBudget"] is not None and self.fraction() >= 1 else None

    def train(self):
        training, schedule = self.config["training"], self.config["schedule"]
        best_of_epochs, divisor, reason = math.inf, 1, None
        self.measure_valid()  # the first time is longer than the others
        self.evaluate()
        while reason is None and self.epoch < training["epochs"]:
            self.learner.states, self.position = None, 0
            while self.position < self.length:
                reason = self.end_reason()
                if reason:
                    break
                factor = rate_factor(schedule, self.fraction(), self.epoch + 1, divisor)
                self.take_step(self.config["optimizer"]["learningRate"] * factor)
                if self.every and self.step % self.every == 0:
                    self.evaluate()
            self.evaluate()
            if reason is None:
                self.epoch, self.position = self.epoch + 1, 0
            if self.valid >= best_of_epochs:
                divisor *= schedule.get("divisor", 1)
            best_of_epochs = min(best_of_epochs, self.valid)
        return reason or "epochs"

    def take_step(self, rate):
        begin = time.perf_counter()
        part = slice(self.position, self.position + self.config["training"]["bpttLength"])
        inputs, targets = (whole[part] for whole in self.batches)
        self.learner.step(inputs, targets, rate)
        self.step_seconds += time.perf_counter() - begin
        self.step += 1
        self.position += len(inputs)
        self.tokens += inputs.numel()
        self.rate = rate

    def evaluate(self):
        """On valid, unless that was done since the last step."""
        if self.step == self.evaluated_step:
            return
        seconds = self.measure_valid()
        if self.step > 0:
            self.evaluation_seconds += seconds
        if self.valid < self.best:
            self.best = self.valid
            if self.keeps_best:
                weights = self.learner.net.state_dict()
                self.best_weights = {name: value.clone() for name, value in weights.items()}
        since = self.step_seconds - self.evaluated_seconds
        emit(
            "evaluation",
            step=self.step,
            epoch=self.epoch + self.position / self.length,
            stepSeconds=self.step_seconds,
            seconds=self.seconds,
            validPerplexity=self.valid,
            learningRate=self.rate,
            tokensPerSecond=(self.tokens - self.evaluated_tokens) / since if since > 0 else None,
        )
        self.evaluated_step, self.evaluated_tokens, self.evaluated_seconds = self.step, self.tokens, self.step_seconds

    def measure_valid(self):
        """@returns the seconds that it took"""
        begin = time.perf_counter()
        self.valid = self.learner.perplexity(self.ids["valid"])
        seconds = time.perf_counter() - begin
        self.least_evaluation_seconds = min(self.least_evaluation_seconds, seconds)
        return seconds

    def test(self):
        self.learner.net.load_state_dict(self.best_weights)
        return self.learner.perplexity(self.ids["test"])


def emit(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


def seconds_of_step(learner, batches):
    """The least of some steps: the machine may have other work."""
    training, seconds = learner.config["training"], []
    inputs, targets = (part[: training["bpttLength"]] for part in batches)
    for _ in range(TIMED_STEPS):
        begin = time.perf_counter()
        learner.step(inputs, targets, 1e-6)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main():
    request = json.loads(sys.argv[1])
    config = request["config"]
    check(config)
    torch.set_num_threads(request["threads"])
    ids, size = read_text(request)
    batches = streams(ids["train"], config["training"]["batchSize"])
    create = lambda mode: Learner(config, size, request.get("secondBias", False), mode)
    mode, costs = request.get("mode", "fastest"), {}
    if mode == "fastest":
        costs = {each: seconds_of_step(create(each), batches) for each in MODES}
        mode = min(costs, key=costs.get)
    learner = create(mode)
    emit(
        "started",
        parameterCount=sum(parameter.numel() for parameter in learner.parameters),
        vocabularySize=size,
        trainTokens=len(ids["train"]),
        mode=mode,
        stepSecondsOfModes=costs,
        version=torch.__version__,
    )
    run = Run(request, learner, ids, batches)
    reason = run.train()
    emit(
        "ended",
        reason=reason,
        step=run.step,
        epoch=run.epoch + run.position / run.length,
        stepSeconds=run.step_seconds,
        seconds=run.seconds,
        validPerplexity=run.best,
        testPerplexity=run.test() if run.keeps_best else None,
    )


main()
