# Units, the daemon's user, its directories, a configuration to begin with, completions.
EXTRA_DIST += \
	packaging/rowctl.bash \
	packaging/rowd.conf \
	packaging/rowd.service.in \
	packaging/rowd.sysusers \
	packaging/rowd.tmpfiles

systemdsystemunit_DATA = packaging/rowd.service
dist_systemdsystemunit_DATA = packaging/rowd.socket
CLEANFILES += packaging/rowd.service

packaging/rowd.service: packaging/rowd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) packaging && \
	$(SED) -e 's,@sbindir\@,$(sbindir),g' -e 's,@sysconfdir\@,$(sysconfdir),g' \
		$(srcdir)/packaging/rowd.service.in >$@.tmp && mv $@.tmp $@

# The names they are looked for by.
install-data-hook:
	$(MKDIR_P) '$(DESTDIR)$(prefix)/lib/sysusers.d' '$(DESTDIR)$(prefix)/lib/tmpfiles.d'
	$(INSTALL_DATA) '$(srcdir)/packaging/rowd.sysusers' '$(DESTDIR)$(prefix)/lib/sysusers.d/rowd.conf'
	$(INSTALL_DATA) '$(srcdir)/packaging/rowd.tmpfiles' '$(DESTDIR)$(prefix)/lib/tmpfiles.d/rowd.conf'
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/rowd'
	test -e '$(DESTDIR)$(sysconfdir)/rowd/rowd.conf' || \
		$(INSTALL_DATA) '$(srcdir)/packaging/rowd.conf' '$(DESTDIR)$(sysconfdir)/rowd/rowd.conf'
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) '$(srcdir)/packaging/rowctl.bash' '$(DESTDIR)$(bashcompletiondir)/rowctl'

uninstall-hook:
	rm -f '$(DESTDIR)$(prefix)/lib/sysusers.d/rowd.conf' '$(DESTDIR)$(prefix)/lib/tmpfiles.d/rowd.conf'
	rm -f '$(DESTDIR)$(bashcompletiondir)/rowctl'
	cmp -s '$(srcdir)/packaging/rowd.conf' '$(DESTDIR)$(sysconfdir)/rowd/rowd.conf' && \
		rm -f '$(DESTDIR)$(sysconfdir)/rowd/rowd.conf' || :
