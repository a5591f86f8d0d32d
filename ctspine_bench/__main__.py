"""`python -m ctspine_bench` is the command `ctspine-bench`."""

from ctspine_bench.cli import main

if __name__ == "__main__":
    main()
