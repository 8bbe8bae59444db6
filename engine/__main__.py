"""`python -m engine`: the doorbell."""

from engine.cli.main import main

if __name__ == "__main__":
    main()
