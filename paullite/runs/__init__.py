"""What a training loop needs and a reader of the method does not; `session` is what stands around the loop.

machine, cost: before the first step; machine also has what Ctrl-C does. distributed: several processes.
checkpoint, folder, provenance: a run as files.
"""
