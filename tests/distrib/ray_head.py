"""A Ray cluster that ends with this process: `ray_head.py FOLDER`. It listens on loopback alone."""

import sys

import ray

if __name__ == "__main__":
    quiet = {"include_dashboard": False, "log_to_driver": False, "_temp_dir": sys.argv[1]}
    ray.init(num_cpus=4, object_store_memory=100 << 20, **quiet)
    print(ray.get_runtime_context().gcs_address, flush=True)
    sys.stdin.read()
