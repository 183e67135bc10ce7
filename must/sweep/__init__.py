"""A sweep as a whole: what it will cost (`must plan`), how it stands and what it has cost (`must status`).

Everything here is read from files, without torch and without asking any scheduler. What has to be measured is measured
by a process of its own (`must.speed`).
"""
