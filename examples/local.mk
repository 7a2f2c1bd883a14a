# Examples are programs that a reader can copy: they see the installed headers and librowd, no more.
# They are built by `make check` and never installed:
#   check_PROGRAMS += examples/first
#   examples_first_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
#   examples_first_LDADD = librowd.la
EXAMPLE_CPPFLAGS = -I$(top_builddir)/include -I$(top_srcdir)/include
