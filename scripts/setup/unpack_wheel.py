"""Takes libtensorflow and its C headers out of TensorFlow's wheel.

python3 unpack_wheel.py WHEEL FOLDER

Writes below FOLDER and prints how many files. Whatever is wrong with the archive ends it with a message and status 1.
"""

import os
import re
import shutil
import sys
import zipfile

LIBRARIES = {
    "tensorflow/libtensorflow_cc.so.2": "lib/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2": "lib/libtensorflow_framework.so.2",
}
LINKS = {
    "lib/libtensorflow.so.2": "libtensorflow_cc.so.2",
    "lib/libtensorflow.so": "libtensorflow_cc.so.2",
    "lib/libtensorflow_cc.so": "libtensorflow_cc.so.2",
    "lib/libtensorflow_framework.so": "libtensorflow_framework.so.2",
}
# The C interface and all that it includes. No other name is unpacked, so that none can leave the folder.
HEADERS = re.compile(
    r"tensorflow/include/"
    r"((?:tensorflow/(?:c|core/platform|core/common_runtime/next_pluggable_device/c)|tsl/platform|xla/tsl/c)/"
    r"(?:[\w-]+/)*[\w-]+\.h)",
    re.ASCII,
)


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        wanted = {target(entry.filename): entry for entry in archive.infolist() if target(entry.filename)}
        for library in LIBRARIES.values():
            if library not in wanted:
                raise ValueError(f"the wheel has no {library}")
        for to, entry in wanted.items():
            extract(archive, entry, os.path.join(folder, to))
    for path, to in LINKS.items():
        os.symlink(to, os.path.join(folder, path))
    return len(wanted)


def target(name):
    header = HEADERS.fullmatch(name)
    return f"include/{header.group(1)}" if header else LIBRARIES.get(name)


def extract(archive, entry, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with archive.open(entry) as source, open(path, "wb") as file:  # zipfile checks the CRC-32
        shutil.copyfileobj(source, file, 1 << 20)
        if file.tell() != entry.file_size:
            raise ValueError(f"{entry.filename}: expected {entry.file_size} bytes, got {file.tell()}")


if __name__ == "__main__":
    try:
        print(unpack(*sys.argv[1:]), "files")
    except Exception as error:
        sys.exit(f"unpack_wheel: the wheel cannot be unpacked: {type(error).__name__}: {error}")
