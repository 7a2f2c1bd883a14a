# Man pages: dist_man_MANS += docs/man/rowd.8 and so on. Other pages travel in the tarball.
EXTRA_DIST +=
dist_man_MANS += docs/man/librowd.3
if WITH_ROWCTL
dist_man_MANS += docs/man/rowctl.1
endif
