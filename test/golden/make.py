"""Makes the golden vectors: what PyTorch says that the models' recurrences are.

    python3 -m venv venv && venv/bin/pip install torch numpy && venv/bin/python test/golden/make.py

Weights and inputs are float32 values; PyTorch computes in float64, so that its own rounding does not count as ours. What is not in PyTorch
(the GRU with reset 'before', peepholes, layer norm) is written out in `equations.py`. Sequence models are in `sequence.py`. Each file holds one model, `sequences`
independent series of `steps` steps, the outputs of every step and the states after `carriedAfter` steps and at the end, where the second part
starts from the carried states.
"""

import json
import pathlib

import equations
import sequence
import torch

MAGIC = "TIDELINE-GOLDEN"
VERSION = 1
SEQUENCES = 3
STEPS = 12
CARRIED_AFTER = 7

# Name, what the spec says beside the sizes, layers, and the step where PyTorch has no module for it.
CASES = [
    ("rnn-1", {"cell": "rnn"}, 1, None),
    ("lstm-1", {"cell": "lstm"}, 1, None),
    ("lstm-2", {"cell": "lstm"}, 2, None),
    ("gru-after-1", {"cell": "gru", "gruReset": "after"}, 1, None),
    ("gru-after-2", {"cell": "gru", "gruReset": "after"}, 2, None),
    ("gru-before-1", {"cell": "gru", "gruReset": "before"}, 1, equations.gru_before),
    ("lstm-peephole-2", {"cell": "lstm", "peephole": True}, 2, equations.peephole_lstm),
    ("lstm-norm-2", {"cell": "lstm", "layerNorm": True}, 2, equations.norm_lstm),
    ("gru-norm-after-2", {"cell": "gru", "gruReset": "after", "layerNorm": True}, 2, equations.norm_gru_after),
    ("gru-norm-before-1", {"cell": "gru", "gruReset": "before", "layerNorm": True}, 1, equations.norm_gru_before),
    ("rnn-norm-1", {"cell": "rnn", "layerNorm": True}, 1, equations.norm_rnn),
]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
INPUT_SIZE, HIDDEN_SIZE, OUTPUT_SIZE = 5, 7, 3


def float32(shape, bound):
    """Uniform values in +-bound that float32 holds exactly, as float64."""
    return ((torch.rand(shape) * 2 - 1) * bound).float().double()


def extra_shapes(spec):
    """Tensors of a layer beyond PyTorch's own: peepholes (i, f, o), and gains around 1."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[spec["cell"]] * HIDDEN_SIZE
    if spec.get("peephole"):
        return {"weight_p": 3 * HIDDEN_SIZE}
    if not spec.get("layerNorm"):
        return {}
    if spec["cell"] == "rnn":
        return {"norm_sum": HIDDEN_SIZE}
    gains = {"norm_ih": gates, "norm_hh": gates}
    return gains | {"norm_c": HIDDEN_SIZE, "norm_c_shift": HIDDEN_SIZE} if spec["cell"] == "lstm" else gains


def extra(name, size, bound):
    return 1 + float32((size,), 0.5) if name in ("norm_ih", "norm_hh", "norm_c", "norm_sum") else float32((size,), bound)


def forward(module, step, layers, x, state):
    """Runs one part; state is (h [L][N][H], c or None). Gives the top layer's outputs and the state."""
    h, c = state
    if step is not None:
        return equations.run(step, layers, x, state)
    if c is not None:
        return module(x, (h, c))
    y, h = module(x, h)
    return y, (h, None)


def flat_state(state):
    """[N][stateSize]: h of each layer, then c of each layer."""
    return torch.cat([part for tensor in state if tensor is not None for part in tensor], dim=1)


def make(name, kind, depth, step):
    cell = kind["cell"]
    bound = 2 / HIDDEN_SIZE**0.5
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](INPUT_SIZE, HIDDEN_SIZE, depth).double()
    for parameter in module.parameters():
        parameter.data = float32(parameter.shape, bound)
    layers = [{part: getattr(module, f"{part}_l{i}") for part in PARTS} for i in range(depth)]
    head_w, head_b = float32((OUTPUT_SIZE, HIDDEN_SIZE), bound), float32((OUTPUT_SIZE,), bound)
    x = float32((STEPS, SEQUENCES, INPUT_SIZE), 2)
    for layer in layers:
        for part, size in extra_shapes(kind).items():
            layer[part] = extra(part, size, bound)
    zeros = torch.zeros(depth, SEQUENCES, HIDDEN_SIZE).double()
    state = (zeros, zeros if cell == "lstm" else None)
    first, state = forward(module, step, layers, x[:CARRIED_AFTER], state)
    carried = flat_state(state)
    second, state = forward(module, step, layers, x[CARRIED_AFTER:], state)
    outputs = torch.cat([first, second]) @ head_w.T + head_b
    tensors = {f"{part}_l{i}": tensor for i, layer in enumerate(layers) for part, tensor in layer.items()}
    tensors |= {"head.weight": head_w, "head.bias": head_b}
    spec = {"name": name, "cell": cell, "inputSize": INPUT_SIZE, "hiddenSize": HIDDEN_SIZE, "layers": depth, "outputSize": OUTPUT_SIZE}
    return {
        "magic": MAGIC,
        "version": VERSION,
        "torch": torch.__version__,
        "spec": spec | {key: value for key, value in kind.items() if key != "cell"},
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


def write(folder, name, golden):
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
    (folder / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    folder = pathlib.Path(__file__).parent
    with torch.no_grad():
        for seed, (name, *case) in enumerate(CASES):
            torch.manual_seed(seed)
            write(folder, name, make(name, *case))
        for seed, (name, case) in enumerate(sequence.CASES.items()):
            torch.manual_seed(1000 + seed)
            golden = {"magic": f"{MAGIC}-SEQUENCE", "version": VERSION, "torch": torch.__version__, **sequence.make(name, case)}
            write(folder, name, golden)


main()
