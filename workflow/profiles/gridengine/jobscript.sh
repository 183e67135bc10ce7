#!/bin/bash
# properties = {properties}
# Of all programs of a job, that which trains alone listens to the signal that comes before the walltime.
trap '' USR1
{exec_job}
