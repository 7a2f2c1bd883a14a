# `make check` runs the unit tests (cmocka, one TAP line for each test function) and then the
# Python suites (pytest).

# The settings every test and bench gets: where the things under test are.
TEST_SETTING = \
	ROWD='$(abs_builddir)/rowd' \
	ROWCTL='$(abs_builddir)/rowctl' \
	LIBROWD='$(abs_builddir)/.libs/librowd.so' \
	ROWD_BUILDDIR='$(abs_builddir)' \
	ROWD_SRCDIR='$(abs_srcdir)' \
	CMOCKA_MESSAGE_OUTPUT=TAP \
	ASAN_OPTIONS="$${ASAN_OPTIONS-detect_leaks=1:abort_on_error=0:exitcode=99}" \
	UBSAN_OPTIONS="$${UBSAN_OPTIONS-print_stacktrace=1:halt_on_error=1:exitcode=99}" \
	TSAN_OPTIONS="$${TSAN_OPTIONS-halt_on_error=1:second_deadlock_stack=1:exitcode=99}" \
	PYTHONDONTWRITEBYTECODE=1

# All that `make check` runs, built.
.PHONY: check-programs
check-programs: $(BUILT_SOURCES)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) all-am $(check_PROGRAMS)

# ---- unit tests ----

AM_TESTS_ENVIRONMENT = export $(TEST_SETTING);
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(top_srcdir)/tests/lib/tap

# A folder's local.mk lists its tests: a line in daemon_unit_tests, say, when the source is the test's name
# with .c and it may use everything in rowd. Those of base and proto link libbase.la alone.
LDADD = $(DAEMON_LIBS) $(CMOCKA_LIBS)

# ---- the Python suites ----

# PYTESTFLAGS='-k delete -x' runs some of them.
.PHONY: check-python
check-python: check-programs
	$(AM_V_at)rm -f tests/pytest.xml; $(MKDIR_P) tests
	$(AM_V_at)test '$(PYTHON3)' != none || { \
		echo 'make check: no python3 with msgpack and pytest was found by configure' >&2; exit 1; }
	$(AM_V_at)$(TEST_SETTING) $(PYTHON3) -m pytest -q -p no:cacheprovider --rootdir='$(abs_srcdir)/tests' \
		--junitxml=tests/pytest.xml $(PYTESTFLAGS) '$(abs_srcdir)/tests'

check-local: check-python
if !HAVE_CMOCKA
	@echo 'make check: cmocka was not found by configure, the unit tests did not run' >&2; exit 1
endif
CLEANFILES += tests/pytest.xml

# The same random operations on every database, answers compared.
.PHONY: swap-test
swap-test: all
	$(AM_V_at)$(TEST_SETTING) OPS='$(OPS)' SEED='$(SEED)' $(PYTHON3) '$(abs_srcdir)/tests/swap/swap_test.py'

EXTRA_DIST += \
	tests/README.md \
	tests/conftest.py \
	tests/contract \
	tests/e2e \
	tests/fault \
	tests/lib \
	tests/swap

# Whole folders travel; what Python leaves in them does not.
dist-hook:
	find '$(distdir)' -name __pycache__ -type d -prune -exec rm -rf {} +
