#!/usr/bin/env python3
"""Writes tests/data/model/mxfp4: packed matrices and the values that transformers' own conversion gives for them.

    python3 tests/reference/model/make_mxfp4.py
"""
import torch
from safetensors.torch import save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from checkpoints import data_folder

EXPERTS, ROWS, GROUPS = 2, 4, 3
# 2^(scale - 127): from below float16's smallest value over one to above its largest; 255 stands for NaN.
SCALES = (0, 1, 60, 100, 102, 103, 110, 117, 120, 124, 126, 127, 128, 130, 138, 140, 141, 143, 160, 200, 240, 250,
          251, 252)


def main():
    count = EXPERTS * ROWS * GROUPS
    # Every code under every scale in the first half of a group, and other bytes in the second.
    every_code = torch.tensor([0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe]).expand(count, 8)
    others = (torch.arange(count * 8) * 37 % 256).view(count, 8)
    blocks = torch.cat([every_code, others], 1).to(torch.uint8).view(EXPERTS, ROWS, GROUPS, 16)
    scales = torch.tensor(SCALES, dtype=torch.uint8).view(EXPERTS, ROWS, GROUPS)
    tensors = {"blocks": blocks, "scales": scales}
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        name = "values." + str(dtype).removeprefix("torch.")
        # [E, columns, rows], as transformers multiplies from the left; stored by rows again.
        tensors[name] = convert_moe_packed_tensors(blocks, scales, dtype=dtype).transpose(1, 2).contiguous()
    folder = data_folder() / "model" / "mxfp4"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "mxfp4.safetensors")


if __name__ == "__main__":
    main()
