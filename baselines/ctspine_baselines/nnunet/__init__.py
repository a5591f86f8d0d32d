"""All that touches nnunetv2 and torch; the only room that imports them.

`python -m ctspine_baselines.nnunet.program` starts one of nnU-Net's programs with our trainers in reach. The steps
start it as a process of its own: nnU-Net spawns processes, prints a lot and keeps memory.
"""
