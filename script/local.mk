EXTRA_DIST += script

# What the compiler cannot see: who includes whom, who may call what. `make lint FORMAT=1` asks
# clang-format too.
TESTS += script/lint
.PHONY: lint
lint:
	$(AM_V_at)FORMAT='$(FORMAT)' CLANG_FORMAT='$(CLANG_FORMAT)' $(srcdir)/script/lint $(srcdir)
