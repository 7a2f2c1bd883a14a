# Man pages: dist_man_MANS += docs/man/rowd.8 and so on. Other pages travel in the tarball.
EXTRA_DIST +=
