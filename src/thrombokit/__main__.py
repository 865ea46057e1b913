"""`python -m thrombokit`: the same as the `thrombokit` command."""

from thrombokit.cli.main import main

if __name__ == "__main__":
    main()
