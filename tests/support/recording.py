"""What a computation asks of PyTorch."""

from torch.utils._python_dispatch import TorchDispatchMode

WAITS = {"_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "unique", "item"}
"""Operations that need to know on the host what is on the device. Inside a CUDA graph they are errors."""


class Recorder(TorchDispatchMode):
    """Keeps the names of the operations that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.name().removeprefix("aten::").partition(".")[0].rstrip("_"))
        return func(*args, **(kwargs or {}))
