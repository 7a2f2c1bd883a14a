#!/bin/sh
# Make ./configure from configure.ac. Needed once after a clone; make keeps it up to date afterwards.
set -eu
cd "$(dirname "$0")"

for tool in autoconf automake libtoolize pkg-config; do
	command -v "$tool" >/dev/null || {
		echo "autogen.sh: $tool is missing (on Debian: apt-get install autoconf automake libtool pkg-config)" >&2
		exit 1
	}
done

mkdir -p build-aux
exec autoreconf --install --warnings=all,no-obsolete
