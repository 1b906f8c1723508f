#!/bin/sh
# The store's latest dump, checked and decrypted.
set -eu
mkdir -p "$SCRATCH"
restic restore "latest:$SCRATCH" --retry-lock 2h --host promptsales --tag "$STORE" --verify --target "$SCRATCH"
