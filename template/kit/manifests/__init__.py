"""Secret and ConfigMap of the project: which settings the code reads, and the manifests that hold them."""
