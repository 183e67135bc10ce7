"""Masks: from scores to exact masks, and their published set."""

from must.masks.mask_set import MaskLayout, Masks, MaskSet, Rows, SubNetworks, UnitMasks, WeightMasks, mask_tensors
from must.masks.renewal import binds, bounded_mask, swapped_mask
from must.masks.topk import gumbel_noise, kept, standardise, straight_through, top_k_mask

__all__ = [
    "MaskLayout",
    "MaskSet",
    "Masks",
    "Rows",
    "SubNetworks",
    "UnitMasks",
    "WeightMasks",
    "binds",
    "bounded_mask",
    "gumbel_noise",
    "kept",
    "mask_tensors",
    "standardise",
    "straight_through",
    "swapped_mask",
    "top_k_mask",
]
