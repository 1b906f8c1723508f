#!/bin/sh
# Encrypts the dump (AES-256) into the repository, and drops what is older than the retention.
set -eu
restic cat config >/dev/null 2>&1 || restic init
restic backup --host promptsales --tag "$STORE" "$SCRATCH"
restic forget --host promptsales --tag "$STORE" --keep-within "${KEEP_DAYS}d" --prune
