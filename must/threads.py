"""How many threads the numerical libraries take."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by the libraries at import. Collection has one thread: with more, a product's last bits may differ."""
