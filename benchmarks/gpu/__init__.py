"""Everything that is measured on a GPU, in nine minutes: `bash benchmarks/gpu.sh`."""
