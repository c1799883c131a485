"""Makes the golden vectors: what PyTorch says that the models' recurrences are.

    python3 -m venv venv && venv/bin/pip install torch numpy && venv/bin/python test/golden/make.py

Weights and inputs are float32 values; PyTorch computes in float64, so that its own rounding does not count as ours. The GRU with reset
'before' is not in PyTorch: it is written out with PyTorch's operations, after Cho et al. 2014. Each file holds one model, `sequences`
independent series of `steps` steps, the outputs of every step and the states after `carriedAfter` steps and at the end, where the second part
starts from the carried states.
"""

import json
import pathlib

import torch

MAGIC = "TIDELINE-GOLDEN"
VERSION = 1
SEQUENCES = 3
STEPS = 12
CARRIED_AFTER = 7

CASES = [
    ("rnn-1", "rnn", None, 1),
    ("lstm-1", "lstm", None, 1),
    ("lstm-2", "lstm", None, 2),
    ("gru-after-1", "gru", "after", 1),
    ("gru-after-2", "gru", "after", 2),
    ("gru-before-1", "gru", "before", 1),
]
INPUT_SIZE, HIDDEN_SIZE, OUTPUT_SIZE = 5, 7, 3


def float32(shape, bound):
    """Uniform values in +-bound that float32 holds exactly, as float64."""
    return ((torch.rand(shape) * 2 - 1) * bound).float().double()


def gru_before(layer, x, h):
    """x [T][N][I], h [N][H]: outputs [T][N][H] and the last h."""
    w_ih, w_hh, b_ih, b_hh = layer
    w_r, w_z, w_n = w_ih.chunk(3)
    u_r, u_z, u_n = w_hh.chunk(3)
    bi_r, bi_z, bi_n = b_ih.chunk(3)
    bh_r, bh_z, bh_n = b_hh.chunk(3)
    outputs = []
    for x_t in x:
        r = torch.sigmoid(x_t @ w_r.T + bi_r + h @ u_r.T + bh_r)
        z = torch.sigmoid(x_t @ w_z.T + bi_z + h @ u_z.T + bh_z)
        n = torch.tanh(x_t @ w_n.T + bi_n + (r * h) @ u_n.T + bh_n)
        h = (1 - z) * n + z * h
        outputs.append(h)
    return torch.stack(outputs), h


def forward(cell, reset, layers, module, x, state):
    """Runs one part; state is (h [L][N][H], c or None). Gives the top layer's outputs and the state."""
    h, c = state
    if cell == "lstm":
        y, (h, c) = module(x, (h, c))
        return y, (h, c)
    if reset == "before":
        y, last = gru_before(layers[0], x, h[0])
        return y, (last[None], None)
    y, h = module(x, h)
    return y, (h, None)


def flat_state(state):
    """[N][stateSize]: h of each layer, then c of each layer."""
    return torch.cat([part for tensor in state if tensor is not None for part in tensor], dim=1)


def make(name, cell, reset, depth):
    bound = 2 / HIDDEN_SIZE**0.5
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUT_SIZE, HIDDEN_SIZE, depth).double()
    for parameter in module.parameters():
        parameter.data = float32(parameter.shape, bound)
    layers = [[getattr(module, f"{part}_l{i}") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] for i in range(depth)]
    head_w, head_b = float32((OUTPUT_SIZE, HIDDEN_SIZE), bound), float32((OUTPUT_SIZE,), bound)
    x = float32((STEPS, SEQUENCES, INPUT_SIZE), 2)
    zeros = torch.zeros(depth, SEQUENCES, HIDDEN_SIZE).double()
    state = (zeros, zeros if cell == "lstm" else None)
    first, state = forward(cell, reset, layers, module, x[:CARRIED_AFTER], state)
    carried = flat_state(state)
    second, state = forward(cell, reset, layers, module, x[CARRIED_AFTER:], state)
    outputs = torch.cat([first, second]) @ head_w.T + head_b
    tensors = {f"{part}_l{i}": layer[k] for i, layer in enumerate(layers) for k, part in enumerate(("weight_ih", "weight_hh", "bias_ih", "bias_hh"))}
    tensors |= {"head.weight": head_w, "head.bias": head_b}
    spec = {"name": name, "cell": cell, "inputSize": INPUT_SIZE, "hiddenSize": HIDDEN_SIZE, "layers": depth, "outputSize": OUTPUT_SIZE}
    return {
        "magic": MAGIC,
        "version": VERSION,
        "torch": torch.__version__,
        "spec": spec | ({"gruReset": reset} if reset else {}),
        "sequences": SEQUENCES,
        "steps": STEPS,
        "carriedAfter": CARRIED_AFTER,
        "weights": {key: tensor.flatten().tolist() for key, tensor in tensors.items()},
        # [sequence][step][...], flat.
        "inputs": x.transpose(0, 1).flatten().tolist(),
        "outputs": outputs.transpose(0, 1).flatten().tolist(),
        "statesCarried": carried.flatten().tolist(),
        "statesAtEnd": flat_state(state).flatten().tolist(),
    }


def main():
    folder = pathlib.Path(__file__).parent
    with torch.no_grad():
        for seed, (name, *case) in enumerate(CASES):
            torch.manual_seed(seed)
            lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in make(name, *case).items()]
            (folder / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
