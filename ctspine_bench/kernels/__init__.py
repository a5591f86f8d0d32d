"""Compiled kernels: arithmetic on label arrays, no files and no policy.

`overlap` counts voxels, `elements` extracts surface elements, `nearest` measures distances between them, `areas` holds
the marching-cubes area table, `layout` brings two arrays into one memory order. Kernels release the interpreter lock,
so cases can be scored in threads, and are cached on disk after the first compilation.
"""
