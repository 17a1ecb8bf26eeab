#!/usr/bin/env bash
# Take every figure that needs a GPU, in at most nine minutes. On a machine without a network, --wheels FOLDER installs
# the packages that it lacks (see CONTRIBUTING.md). All other arguments: bash benchmarks/gpu.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if [ -z "${PYTHON:-}" ] && [ -x .venv/bin/python ] && .venv/bin/python -c "" 2>/dev/null; then python=.venv/bin/python; fi

arguments=() wheels=
while [ $# -gt 0 ]; do
  case $1 in
    --wheels) wheels=$2; shift 2 ;;
    --wheels=*) wheels=${1#*=}; shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done

if [ -n "$wheels" ]; then
  site=$(mktemp -d)
  trap 'rm -rf "$site"' EXIT
  install() { "$python" -m pip install -q --no-index --no-deps --no-compile --target "$@"; }
  # bitsandbytes opens the GPU as soon as peft or diffusers find it: then parts could not be forked.
  first=() late=()
  for wheel in "$wheels"/*.whl; do
    case $(basename "$wheel") in bitsandbytes-*) late+=("$wheel") ;; *) first+=("$wheel") ;; esac
  done
  install "$site/first" "${first[@]}"
  if [ ${#late[@]} -gt 0 ]; then install "$site/late" "${late[@]}"; arguments+=(--late "$site/late"); fi
  export PYTHONPATH="$site/first${PYTHONPATH:+:$PYTHONPATH}"
fi
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 PYTORCH_NVML_BASED_CUDA_CHECK=1
"$python" -m benchmarks.gpu ${arguments[@]+"${arguments[@]}"}
