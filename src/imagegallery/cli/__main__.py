"""``python -m imagegallery.cli``: the same as the ``imagegallery`` command."""

from imagegallery.cli.main import main

if __name__ == "__main__":
    main()
