# `make bench` measures the built rowd beside what people would use instead, and writes bench/RESULTS.md;
# `make bench QUICK=1` takes a minute and a half, and writes its table into the build directory.
# BENCHFLAGS goes to bench/run as it is. Its programs are built for it alone.
bench_programs = bench/load bench/echo bench/bare bench/direct_sqlite
if WITH_MYSQL
bench_programs += bench/direct_mysql
endif
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)

bench_measure = bench/measure.c bench/measure.h
bench_load_SOURCES = bench/load.c bench/mp.c bench/mp.h bench/protocol.c bench/protocol.h $(bench_measure)
bench_load_LDADD =
bench_serve = bench/serve.c bench/serve.h
bench_echo_SOURCES = bench/echo.c $(bench_serve)
bench_echo_LDADD =
bench_bare_SOURCES = bench/bare.c bench/mp.c bench/mp.h $(bench_serve)
bench_bare_LDADD = $(SQLITE_LIBS)
bench_direct_sqlite_SOURCES = bench/direct_sqlite.c $(bench_measure)
bench_direct_sqlite_LDADD = $(SQLITE_LIBS)
bench_direct_mysql_SOURCES = bench/direct_mysql.c $(bench_measure)
bench_direct_mysql_LDADD = $(MYSQL_LIBS) $(ROWD_LIBS)

EXTRA_DIST += bench/run bench/profile bench/suite

.PHONY: bench bench-programs
bench-programs: $(bench_programs)
bench: all bench-programs
	$(AM_V_at)test '$(PYTHON3)' != none || { \
		echo 'make bench: no python3 with msgpack was found by configure' >&2; exit 1; }
	$(AM_V_at)$(TEST_SETTING) $(PYTHON3) '$(abs_srcdir)/bench/run' --programs '$(abs_builddir)/bench' \
		$(if $(QUICK),--quick --out '$(abs_builddir)/bench',--out '$(abs_srcdir)/bench') $(BENCHFLAGS)
