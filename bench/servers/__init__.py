"""The servers that are measured, one file each; ``bench.peers`` starts them."""
