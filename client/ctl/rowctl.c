/*
 * rowctl: rowd from the command line.
 */
#include "config.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/help.h"
#include "client/ctl/interrupt.h"
#include "proto/op.h"

/* rowd's texts are UTF-8, whatever the locale; only the width of characters is asked of it. */
static void locale_init(void)
{
	if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
	bool version = false;
	int first;
	enum ctl_exit rc = globals_parse(ctl, argc, argv, &first, &version);

	if (rc == CTL_HELP) {
		help_overview();
		return CTL_OK;
	}
	if (rc != CTL_OK)
		return rc;
	if (version) {
		printf("rowctl %s\n", rowd_version());
		return CTL_OK;
	}
	if (first < argc)
		return ctl_command(ctl, argc - first, argv + first);
	if (isatty(STDIN_FILENO))
		return shell_run(ctl);
	return ctl_usage(NULL, "a verb is missing");
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .timeout_ms = CTL_TIMEOUT_NONE };
	bool terminal = isatty(STDOUT_FILENO);
	enum ctl_exit rc;

	locale_init();
	op_init();
	out_init(&ctl.out, terminal ? OUT_TABLE : OUT_JSONL, terminal);
	(void)interrupt_init();
	rc = run(&ctl, argc, argv);
	if (!out_flush(&ctl.out) && rc == CTL_OK)
		rc = ctl_fail("stdout cannot be written: %s", strerror(errno));
	rowd_close(ctl.side_conn);
	rowd_close(ctl.conn);
	ctl_forget_schemas(&ctl);
	out_fini(&ctl.out);
	free(ctl.database);
	return (int)rc;
}
