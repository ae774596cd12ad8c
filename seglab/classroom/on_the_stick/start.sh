#!/bin/sh
# Sets up the course in this folder, without a network, and opens it in JupyterLab.
cd "$(dirname "$0")" || exit 1
for version in @PYTHONS@; do
    for python in "python$version" python3 python; do
        found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
        if [ "$found" = "$version" ]; then
            exec "$python" start.py "$@"
        fi
    done
done
echo "This needs one of these versions of Python: @PYTHONS@. None was found." >&2
echo "Install one (python.org), or ask your teacher. Then start this again." >&2
exit 1
