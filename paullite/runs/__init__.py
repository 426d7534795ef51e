"""What a training loop needs and a reader of the method does not; `session` is what stands around the loop.

machine, cost: before the first step. distributed: several processes. checkpoint, folder, provenance: a run as files.
watch, interrupts: what may happen between two steps.
"""
