"""Makes the fixture of the sentence encoder's tests: a small BERT with seeded weights and its WordPiece tokenizer, in the layout of a sentence transformer on
Hugging Face's hub, and what PyTorch and Hugging Face's own tokenizers make of a few texts.

    python3 -m venv venv && venv/bin/pip install torch transformers==4.46.3 onnx
    venv/bin/python test/golden/sentence/make.py
    npm run setup:onnx -- --minilm && venv/bin/python test/golden/sentence/make.py .cache/all-MiniLM-L6-v2

The second makes minilm.json: the real all-MiniLM-L6-v2, computed from its file by ONNX's own reference evaluator (numpy).
The pooling is that of all-MiniLM-L6-v2: mean over the attention mask, then length 1 (its README, and sentence_transformers/models/Pooling.py).
"""

import json
import pathlib
import sys
import warnings

import numpy
import torch
from onnx.reference import ReferenceEvaluator
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

FOLDER = pathlib.Path(__file__).parent
ENCODER = FOLDER / "encoder"
TOKENS_MAX = 24
TEXTS = [
    "",
    "I want to cancel my account!",
    "Thank you so much, that was very kind of you.",
    "cancel my account I want to",
    "Ich möchte meinen Vertrag kündigen, naïve café",
    "这是 什么 意思？",
    "мой счёт заблокирован",
    "unbelievablylongwordwithoutanyspaceinitatallwhatsoever",
    "😀 ok 👍🏽",
    "line one\nline two\ttabbed   spaces ",
    "please wait " * 30,
    "[CLS] is written out here [SEP]",
]
MINILM_TEXTS = [
    "This is an example sentence",
    "I want to cancel my account, this is the third time I am calling about it!",
    "Ich möchte meinen Vertrag kündigen.",
    "word " * 300,
]
CORPUS = [
    "i want to cancel my account", "thank you so much that was very kind of you", "please wait a moment while i look that up", "my bill is wrong again and again",
    "ich möchte meinen vertrag kündigen", "this is not what i ordered", "you have been very helpful today", "the line is bad i cannot hear you",
    "мой счёт заблокирован", "let me speak to your manager", "one two three four five six seven", "it was ok thanks", "tabbed spaces line",
]


def tokenizer():
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False))
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tok.enable_truncation(TOKENS_MAX)
    return tok


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


def main():
    warnings.simplefilter("ignore")
    (ENCODER / "onnx").mkdir(parents=True, exist_ok=True)
    tok = tokenizer()
    tok.save(str(ENCODER / "tokenizer.json"))
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=tok.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, initializer_range=0.3, attn_implementation="eager",
    )
    model = Encoder(BertModel(config, add_pooling_layer=False)).eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    one = torch.ones(1, 7, dtype=torch.long)
    torch.onnx.export(
        model, (one, one, one * 0), str(ENCODER / "onnx" / "model.onnx"), input_names=names, output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}, opset_version=17, dynamo=False,
    )
    expected = []
    for text in TEXTS:
        encoding = tok.encode(text)
        ids = torch.tensor([encoding.ids])
        mask = torch.tensor([encoding.attention_mask])
        with torch.no_grad():
            hidden = model(ids, mask, ids * 0)
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        values = torch.nn.functional.normalize(mean, dim=1)[0]
        expected.append({"text": text, "ids": encoding.ids, "values": [round(v, 7) for v in values.tolist()]})
    (FOLDER / "expected.json").write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in expected) + "\n]\n")


def minilm(folder):
    tok = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tok.no_padding()
    model = ReferenceEvaluator(str(folder / "model.onnx"))
    expected = []
    for text in MINILM_TEXTS:
        ids = numpy.array([tok.encode(text).ids], dtype=numpy.int64)
        hidden = model.run(None, {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0})[0]
        mean = hidden[0].astype(numpy.float64).mean(0)
        expected.append({"text": text, "ids": ids[0].tolist(), "values": [round(v, 6) for v in (mean / numpy.linalg.norm(mean)).tolist()]})
    (FOLDER / "minilm.json").write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in expected) + "\n]\n")


if len(sys.argv) > 1:
    minilm(pathlib.Path(sys.argv[1]))
else:
    main()
