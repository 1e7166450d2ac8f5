"""Texts that the gates run on: golden ones that go into the artefact, and the edges where tokenizers differ."""

from __future__ import annotations

GOLDEN = (
    "hello world",
    "The quick brown fox jumps over the lazy dog.",
    "PostgreSQL keeps the row; rowvec keeps its vector.",
    "Compress a folder into one archive with tar and zstd.",
    "Wie komprimiere ich eine Datei unter Linux?",
    "¿Cómo comprimo un archivo en Linux?",
    "如何在 Linux 上压缩文件",
    "Как сжать файл?",
    "ファイルを圧縮する方法",
    "كيف أضغط ملفًا؟",
    "🙂🚀 emoji and ﬁ ligatures, naïve café",
    "a",
)

EDGES = (
    "",
    " ",
    "   \t\n  ",
    "\n",
    "a",
    "🙂",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "如何压缩文件",
    "ファイルを圧縮する",
    "파일을 압축하는 방법",
    "كيف أضغط ملفًا",
    "איך דוחסים קובץ",
    "control \x00\x01\x07\x1b[0m characters \x7f\u200b\ufeff\u202e",
    "[CLS] in the text [SEP] and [PAD] [MASK] [UNK]",
    "<s> in the text </s> and <pad> <mask> <unk> <|endoftext|> <bos> <eos>",
    "é as one, é as two, ﬁ as a ligature, Å as a sign",
    "UPPER Lower ǅ İstanbul ẞ",
    "tab\tand\r\nnew lines\n\n\nand  two  spaces ",
    "https://example.org/a?b=c&d=%20#e user@example.org 1,234.56 €",
    "word " * 2000,
    "x" * 10_000,
    "😀" * 3000,
    "\ud7ff\ue000\U0010ffff",
)
