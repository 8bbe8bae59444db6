"""`python -m engine`: the doorbell."""

import gc


def ring() -> None:
    """Load the command line and hand over."""
    gc.disable()  # modules leave no garbage to look for
    from engine.cli.main import main

    gc.enable()
    main()


if __name__ == "__main__":
    ring()
