# The tables in the documents are those of the source: `docs/tables --write` after a change there.
if HAVE_PYTHON3
TESTS += docs/tables
endif

dist_man_MANS += docs/man/librowd.3 docs/man/rowd.8 docs/man/rowd.conf.5
if WITH_ROWCTL
dist_man_MANS += docs/man/rowctl.1
endif

# What writers of clients and operators read.
dist_doc_DATA += docs/PROTOCOL.md docs/SWAP.md

EXTRA_DIST += \
	docs/ADDING-A-DRIVER.md \
	docs/ADDING-AN-OP.md \
	docs/ARCHITECTURE.md \
	docs/DECISIONS \
	docs/PERFORMANCE.md \
	docs/STYLE.md \
	docs/tables
