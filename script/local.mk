EXTRA_DIST += script

# What the compiler cannot see: who includes whom, who may call what, what must travel in the tarball.
.PHONY: lint
lint:
	$(AM_V_at)CLANG_FORMAT='$(CLANG_FORMAT)' $(srcdir)/script/lint $(srcdir)
