"""Recurrences that PyTorch has no module for, written out with its operations from the papers. All take and give float64.

Each step function maps (tensors, x [N][I], h [N][H], c [N][H] or None) to (h, c); `tensors` holds a layer's tensors by name, without `_l0`.
"""

import torch
from torch.nn.functional import layer_norm


def gru_before(w, x, h, c):
    """Cho et al. 2014: the reset gate stands before the recurrent product."""
    w_r, w_z, w_n = w["weight_ih"].chunk(3)
    u_r, u_z, u_n = w["weight_hh"].chunk(3)
    bi_r, bi_z, bi_n = w["bias_ih"].chunk(3)
    bh_r, bh_z, bh_n = w["bias_hh"].chunk(3)
    r = torch.sigmoid(x @ w_r.T + bi_r + h @ u_r.T + bh_r)
    z = torch.sigmoid(x @ w_z.T + bi_z + h @ u_z.T + bh_z)
    n = torch.tanh(x @ w_n.T + bi_n + (r * h) @ u_n.T + bh_n)
    return (1 - z) * n + z * h, None


def peephole_lstm(w, x, h, c):
    """Gers, Schmidhuber 2000: input and forget gates see the old state of the cell, the output gate the new one."""
    a_i, a_f, a_g, a_o = (x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]).chunk(4, dim=1)
    p_i, p_f, p_o = w["weight_p"].chunk(3)
    i = torch.sigmoid(a_i + p_i * c)
    f = torch.sigmoid(a_f + p_f * c)
    c = f * c + i * torch.tanh(a_g)
    o = torch.sigmoid(a_o + p_o * c)
    return o * torch.tanh(c), c


def norm(a, gain, shift=None):
    return layer_norm(a, a.shape[-1:], gain, shift, 1e-5)


def norm_lstm(w, x, h, c):
    """Ba et al. 2016, equations 20 to 22; the paper's shifts are the biases."""
    a = norm(x @ w["weight_ih"].T, w["norm_ih"], w["bias_ih"]) + norm(h @ w["weight_hh"].T, w["norm_hh"], w["bias_hh"])
    i, f, g, o = a.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(norm(c, w["norm_c"], w["norm_c_shift"])), c


def norm_gru(w, x, h, before):
    """Ba et al. 2016, supplement: both gates are normalised together, the candidate on its own."""
    gates = 2 * h.shape[1]

    def part(v, kind, rows):
        return norm(v @ w[f"weight_{kind}"][rows].T, w[f"norm_{kind}"][rows], w[f"bias_{kind}"][rows])

    first, last = slice(0, gates), slice(gates, None)
    r, z = torch.sigmoid(part(x, "ih", first) + part(h, "hh", first)).chunk(2, dim=1)
    inner = part(r * h, "hh", last) if before else r * part(h, "hh", last)
    n = torch.tanh(part(x, "ih", last) + inner)
    return (1 - z) * n + z * h


def norm_gru_after(w, x, h, c):
    return norm_gru(w, x, h, before=False), None


def norm_gru_before(w, x, h, c):
    return norm_gru(w, x, h, before=True), None


def norm_rnn(w, x, h, c):
    """Ba et al. 2016, equation 4."""
    return torch.tanh(norm(x @ w["weight_ih"].T + h @ w["weight_hh"].T, w["norm_sum"], w["bias_ih"] + w["bias_hh"])), None


def run(step, layers, x, state):
    """x [T][N][I] through stacked layers from state (h [L][N][H], c or None): the top layer's h [T][N][H] and the state."""
    hs = list(state[0])
    cs = list(state[1]) if state[1] is not None else [None] * len(hs)
    outputs = []
    for y in x:
        for k, w in enumerate(layers):
            hs[k], cs[k] = step(w, y, hs[k], cs[k])
            y = hs[k]
        outputs.append(y)
    return torch.stack(outputs), (torch.stack(hs), None if state[1] is None else torch.stack(cs))
