"""Masks: from scores to exact masks, their published set, and the supervised loss on their similarity."""

from must.masks.mask_set import MaskLayout, Masks, MaskSet, SubNetworks, UnitMasks, WeightMasks, mask_tensors
from must.masks.renewal import bounded_mask, swapped_mask
from must.masks.similarity import similarity_loss
from must.masks.topk import gumbel_noise, kept, standardise, straight_through, top_k_mask

__all__ = [
    "MaskLayout",
    "MaskSet",
    "Masks",
    "SubNetworks",
    "UnitMasks",
    "WeightMasks",
    "bounded_mask",
    "gumbel_noise",
    "kept",
    "mask_tensors",
    "similarity_loss",
    "standardise",
    "straight_through",
    "swapped_mask",
    "top_k_mask",
]
