# Examples are programs that a reader can copy: they see the installed headers and librowd, no more.
# They are built by `make check` and never installed.
EXAMPLE_CPPFLAGS = -I$(top_builddir)/include -I$(top_srcdir)/include

check_PROGRAMS += examples/first examples/pipeline
examples_first_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_first_LDADD = librowd.la
examples_pipeline_CPPFLAGS = $(EXAMPLE_CPPFLAGS)
examples_pipeline_LDADD = librowd.la
