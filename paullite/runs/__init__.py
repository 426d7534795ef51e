"""Everything that a training loop needs and that a reader of the method does not.

- session: what stands around the loop of either phase, as one object
- machine, cost: device, precision and processes; one step before the first: memory, time, the batch that fits
- distributed: several processes with one batch; batch-norm in groups
- checkpoint, folder: a run as one file, and back; the folder that keeps it
- watch, interrupts: losses that are not finite, noticed without waiting for the device; Ctrl-C between two steps
- provenance: versions, fingerprints, digests
"""
