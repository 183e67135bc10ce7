"""The methods that are compared: a room for each, and the registry.

Importing a room (``must.methods.NAME``) is light: it says what the method is called, which settings reach it and what
it is made of. Its code (networks, losses, masks) is imported when an agent is made of it. So whatever reads
configurations (the workflow, the tables, the workers that collect) does without torch. ``docs/adding-a-method.md``
shows how to add one.
"""
