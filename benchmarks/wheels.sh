#!/usr/bin/env bash
# Collect in build/wheels what a GPU machine with torch and transformers, but without a network, lacks for benchmarks/gpu.sh.
# Of bitsandbytes only the library for its CUDA is kept: the whole wheel is larger than all others together.
#   bash benchmarks/wheels.sh [PYTHON [CUDA]]     e.g. 3.12 130
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-3.12} cuda=${2:-130} folder=build/wheels

rm -rf "$folder" && mkdir -p "$folder"
platforms=() ; for version in 17 24 27 28 34; do platforms+=(--platform "manylinux_2_${version}_x86_64"); done
python3 -m pip download -q --no-deps --only-binary=:all: --python-version "$python" --implementation cp \
  "${platforms[@]}" --platform manylinux2014_x86_64 -d "$folder" \
  "diffusers>=0.42,<0.43" "peft>=0.21,<0.22" "lycoris-lora>=4.1.3,<5" "bitsandbytes>=0.50" \
  pydantic-settings pydantic-core==2.50.5 pydantic==2.14.4 annotated-types typing-inspection typing-extensions python-dotenv \
  httpx2==2.16.2 httpcore2==2.16.2 anyio idna truststore platformdirs toml importlib-metadata aiosqlite pytest-asyncio

bits=$(echo "$folder"/bitsandbytes-*.whl) ; unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
python3 - "$bits" "$unpacked/$(basename "$bits")" "cuda$cuda" <<'PYTHON'
import sys, zipfile
source, target, kept = sys.argv[1:]
with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as part:
    for item in whole.infolist():
        library = item.filename.endswith(".so")
        if item.filename.endswith("RECORD"):
            lines = whole.read(item).decode().splitlines(keepends=True)
            part.writestr(item, "".join(x for x in lines if ".so," not in x or kept in x or "_cpu" in x))
        elif not library or kept in item.filename or "_cpu" in item.filename:
            part.writestr(item, whole.read(item))
PYTHON
mv "$unpacked/$(basename "$bits")" "$bits"
du -sh "$folder"
