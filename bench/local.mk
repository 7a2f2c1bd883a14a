# `make bench` measures the built rowd; BENCHFLAGS goes to bench/run as it is.
EXTRA_DIST += bench

.PHONY: bench
bench: all
	$(AM_V_at)$(TEST_SETTING) $(srcdir)/bench/run $(BENCHFLAGS)
