"""`python -m ctspine_baselines`: the same as `ctspine-baseline`."""

from ctspine_baselines.command import main

if __name__ == "__main__":
    main()
