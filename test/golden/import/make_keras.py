"""Makes the Keras fixtures of the import tests (see make.py): TensorFlow.js layers models and what Keras says that they compute.

    python3 -m venv keras && keras/bin/pip install tensorflow-cpu numpy && keras/bin/python test/golden/import/make_keras.py

model.json has the form that tensorflowjs_converter writes (its own dependencies are gigabytes): `modelTopology` is Keras's JSON of the model, and
`weightsManifest` lists the weights under Keras's own paths, over two shards.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

FOLDER = pathlib.Path(__file__).parent
INPUTS, HIDDEN, OUTPUTS = 3, 5, 2
STEPS, BATCH = 9, 2


def lstm():
    return keras.Sequential(
        [
            keras.Input((None, INPUTS)),
            layers.LSTM(HIDDEN, return_sequences=True, dropout=0.1, name="lower"),
            layers.Dropout(0.2),
            layers.LSTM(HIDDEN, return_sequences=True, name="upper"),
            layers.TimeDistributed(layers.Dense(OUTPUTS), name="head"),
        ]
    )


def gru(reset_after):
    x = keras.Input((None, INPUTS))
    y = layers.GRU(HIDDEN, return_sequences=True, reset_after=reset_after, name="gru")(x)
    return keras.Model(x, layers.Dense(OUTPUTS, name="head")(y))


def rnn():
    return keras.Sequential([keras.Input((None, INPUTS)), layers.SimpleRNN(HIDDEN, return_sequences=True, name="rnn"), layers.Dense(OUTPUTS, use_bias=False, name="head")])


def save(name, model, seed):
    rng = np.random.default_rng(seed)
    manifest, blob = [], b""
    for variable in model.trainable_variables:
        value = rng.uniform(-0.9, 0.9, variable.shape).astype("<f4")
        variable.assign(value)
        manifest.append({"name": variable.path, "shape": list(value.shape), "dtype": "float32"})
        blob += value.tobytes()
    folder = FOLDER / "keras" / name
    folder.mkdir(parents=True, exist_ok=True)
    half = len(blob) // 2 + 1  # in the middle of a number, as shards are cut
    paths = [f"group1-shard{i}of2.bin" for i in (1, 2)]
    for path, part in zip(paths, (blob[:half], blob[half:])):
        (folder / path).write_bytes(part)
    topology = {"keras_version": keras.__version__, "backend": "tensorflow", "model_config": json.loads(model.to_json())}
    description = {"format": "layers-model", "generatedBy": f"keras v{keras.__version__}", "convertedBy": "make_keras.py", "modelTopology": topology}
    (folder / "model.json").write_text(json.dumps(description | {"weightsManifest": [{"paths": paths, "weights": manifest}]}) + "\n")
    expect(name, model, rng)


def expect(name, model, rng):
    x = rng.uniform(-2, 2, (BATCH, STEPS, INPUTS)).astype(np.float32)
    keras.backend.set_floatx("float64")
    double = keras.models.clone_model(model, clone_function=lambda layer: layer.__class__.from_config(as_double(layer.get_config())))
    double.set_weights([value.astype(np.float64) for value in model.get_weights()])
    outputs = np.asarray(double(x.astype(np.float64)))
    keras.backend.set_floatx("float32")
    assert outputs.dtype == np.float64 and np.abs(outputs - np.asarray(model(x))).max() < 1e-5, name
    content = {"sequences": BATCH, "steps": STEPS, "inputs": [round(float(v), 9) for v in x.ravel()], "outputs": [round(float(v), 9) for v in outputs.ravel()]}
    (FOLDER / "expected" / f"keras-{name}.json").write_text(json.dumps(content) + "\n")


def as_double(config):
    """A layer's configuration in float64; a wrapper's layer too."""
    text = json.dumps(config).replace('"float32"', '"float64"')
    return json.loads(text)


save("lstm", lstm(), 21)
save("gru-after", gru(True), 22)
save("gru-before", gru(False), 23)
save("rnn", rnn(), 24)
