"""Makes the functions' packages as `sam build` does: `package.py BINARIES DIRECTORY` writes `NAME.zip` for each function."""

import pathlib
import sys
import zipfile

FUNCTIONS = ["auth-methods", "authorise", "authorizer", "callback", "credentials", "refresher"]


def package(binary, to):
    """A function's package: its binary as `bootstrap`. `to` is a path or a file."""
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    with zipfile.ZipFile(to, "w") as file:
        file.writestr(entry, pathlib.Path(binary).read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    binaries, directory = map(pathlib.Path, sys.argv[1:])
    for name in FUNCTIONS:
        package(binaries / name, directory / f"{name}.zip")
