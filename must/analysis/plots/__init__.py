"""The figures: each module draws one kind from groups, and writes nothing."""
