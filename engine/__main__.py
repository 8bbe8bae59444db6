"""`python -m engine`: the doorbell."""

from engine.app.loading import without_collector


def ring() -> None:
    """Load the command line and hand over."""
    with without_collector():
        from engine.cli.main import main
    main()


if __name__ == "__main__":
    ring()
