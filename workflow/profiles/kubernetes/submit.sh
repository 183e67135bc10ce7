#!/usr/bin/env bash
# Submit a job to Kubernetes, and print its name: submit.sh SCRIPT. What it asks for stands in the script.
set -euo pipefail

# ---------------------------------------------------------------------------------------------------------------------
# Yours, each of them as a variable of the shell that starts the head, too.
image=${MUST_POD_IMAGE:?the image of the pods: docs/kubernetes.md}
volume=${MUST_POD_VOLUME:?the PersistentVolumeClaim that the checkout lies on: docs/kubernetes.md}
mount=${MUST_POD_MOUNT:?where that volume is mounted here, and in the pods}
gpu=nvidia.com/gpu
# ---------------------------------------------------------------------------------------------------------------------

script=$1
asked=$(python3 -c '
import json, sys
begin = "# properties = "
job = json.loads(next(line for line in open(sys.argv[1]) if line.startswith(begin))[len(begin):])
asked = job["resources"]
print(job["threads"], asked["mem_mb"], asked["runtime"], asked.get("gres", "none"))' "$script")
read -r cores mem_mb minutes gres <<<"$asked"
[[ $PWD/ = "$mount"/* ]] || {
    echo "submit.sh: $PWD is not below $mount, which is all that pods see" >&2
    exit 1
}
limits="memory: ${mem_mb}M"
[[ $gres != gpu:* ]] || limits+=", $gpu: ${gres##*:}"
# The script is Snakemake's, which removes it when the head ends.
mkdir -p results/kubernetes_jobs
kept=$PWD/results/kubernetes_jobs/$(basename "$script")-$$
cp "$script" "$kept"
# A pod that is lost, or reaches its walltime, has failed: Snakemake submits the job again, which goes on from the last
# checkpoint.
kubectl create -o name -f - <<POD
apiVersion: batch/v1
kind: Job
metadata: {generateName: must-, labels: {app: must}}
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 86400
  template:
    metadata: {labels: {app: must}}
    spec:
      restartPolicy: Never
      activeDeadlineSeconds: $((minutes * 60))
      securityContext: {runAsUser: $(id -u), runAsGroup: $(id -g)}
      containers:
        - name: job
          image: "$image"
          workingDir: "$PWD"
          command: [bash, "$kept"]
          env: [{name: PATH, value: "$PATH"}, {name: HOME, value: "$HOME"}, {name: PYTHONNOUSERSITE, value: "1"}]
          resources: {requests: {cpu: $cores, memory: ${mem_mb}M}, limits: {$limits}}
          volumeMounts: [{name: work, mountPath: "$mount"}]
      volumes: [{name: work, persistentVolumeClaim: {claimName: "$volume"}}]
POD
